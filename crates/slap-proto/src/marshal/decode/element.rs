//! What elements there are, and which values they become.

use std::sync::Arc;

use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;

use super::problem::{Problem, malformed, shown};
use crate::marshal::number;
use crate::marshal::value::{Class, Dict, Object, Value};

/// The elements that hold text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    None,
    Bool,
    Int,
    Long,
    Float,
    String,
}

impl Scalar {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "none" => Self::None,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "long" => Self::Long,
            "float" => Self::Float,
            "string" | "unicode" => Self::String,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::String => "string",
        }
    }

    pub(super) fn value(self, text: String) -> Result<Value, Problem> {
        let number = match self {
            Self::None => return Ok(Value::None),
            Self::String => return Ok(Value::String(unescape(text))),
            Self::Bool => number::integer(&text).map(|number| Value::Bool(number != 0)),
            Self::Int | Self::Long => number::integer(&text).map(Value::Int),
            Self::Float => number::float(&text).map(Value::Float),
        };
        number.ok_or_else(|| Problem::BadNumber(self.name(), shown(&text)))
    }
}

/// The elements that hold elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Root,
    Tuple,
    List,
    Set,
    Dictionary,
    Object(Class),
    Reference,
}

impl Container {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Root => "marshal",
            Self::Tuple => "tuple",
            Self::List => "list",
            Self::Set => "set",
            Self::Dictionary => "dictionary",
            Self::Object(_) => "object",
            Self::Reference => "reference",
        }
    }
}

/// A container from its items.
pub(super) fn build(container: Container, items: Vec<Value>) -> Result<Value, Problem> {
    Ok(match container {
        Container::Tuple => Value::Tuple(items),
        Container::List => Value::list(items),
        Container::Set => {
            let entries = items.into_iter().map(|item| (item, Value::None)).collect();
            let unique = dictionary(entries)?;
            Value::Set(Arc::new(
                unique.iter().map(|(item, _)| item.clone()).collect(),
            ))
        }
        Container::Dictionary => {
            let mut entries = Vec::with_capacity(items.len() / 2);
            let mut items = items.into_iter();
            while let Some(key) = items.next() {
                entries.push((key, items.next().ok_or(Problem::OddDictionary)?));
            }
            Value::Dict(Arc::new(dictionary(entries)?))
        }
        Container::Object(class) => Value::Object(Arc::new(object(class, items)?)),
        // Handled by the caller.
        Container::Root | Container::Reference => Value::None,
    })
}

fn dictionary(entries: Vec<(Value, Value)>) -> Result<Dict, Problem> {
    if entries.iter().any(|(key, _)| !is_hashable(key)) {
        return Err(Problem::UnhashableKey);
    }
    Ok(Dict::from_entries(entries))
}

fn is_hashable(key: &Value) -> bool {
    match key {
        Value::Tuple(items) => items.iter().all(is_hashable),
        Value::List(_) | Value::Set(_) | Value::Dict(_) | Value::Object(_) => false,
        _ => true,
    }
}

fn object(class: Class, items: Vec<Value>) -> Result<Object, Problem> {
    let mut items = items.into_iter();
    let initargs = match items.next() {
        Some(Value::Tuple(arguments)) => arguments,
        Some(Value::List(arguments)) => arguments.to_vec(),
        _ => return Err(Problem::MalformedObject),
    };
    match (items.next(), items.next()) {
        (Some(Value::Dict(state)), None) => {
            let state = Arc::unwrap_or_clone(state);
            Ok(Object {
                class,
                initargs,
                state,
            })
        }
        _ => Err(Problem::MalformedObject),
    }
}

pub(super) fn class(start: &BytesStart<'_>) -> Result<Class, Problem> {
    let module =
        attribute(start, "module")?.ok_or(Problem::MissingAttribute("object", "module"))?;
    let name = attribute(start, "class")?.ok_or(Problem::MissingAttribute("object", "class"))?;
    Some(&module)
        .filter(|module| *module == Class::MODULE)
        .and_then(|_| Class::from_name(&name))
        .ok_or_else(|| Problem::ForbiddenClass(shown(&format!("{module}.{name}"))))
}

pub(super) fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, Problem> {
    let found = start
        .try_get_attribute(name)
        .map_err(|error| malformed(&error))?;
    found
        .map(|attribute| attribute.normalized_value(XmlVersion::Implicit1_0))
        .transpose()
        .map(|value| value.map(std::borrow::Cow::into_owned))
        .map_err(|error| malformed(&error))
}

/// Undoes the format's own escaping, which lies under that of XML.
fn unescape(text: String) -> String {
    if !text.contains('&') {
        return text;
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}
