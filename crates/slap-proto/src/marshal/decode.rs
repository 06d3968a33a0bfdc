//! Reading marshal documents.
//!
//! A stack machine over XML events: nesting takes heap, never stack, and is bounded.

use std::collections::HashMap;
use std::sync::Arc;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::value::{Class, Dict, Object, Value};
use super::{MAX_DEPTH, MAX_REPEATED, charset, is_forbidden, number};

/// Why a document was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a marshal document, at byte {offset}: {problem}")]
#[non_exhaustive]
pub struct DecodeError {
    /// Where the offending part ends, in bytes of the document as UTF-8.
    pub offset: u64,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What can be wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The bytes are not text of the declared encoding.
    #[error("the bytes are not text of the declared encoding")]
    Encoding,
    /// The document is not well-formed XML.
    #[error("malformed XML: {0}")]
    Xml(String),
    /// The document ends in the middle of an element.
    #[error("the document ends inside <{0}>")]
    Truncated(&'static str),
    /// A document type, entity or processing instruction: never needed, and dangerous.
    #[error("{0} is refused")]
    Refused(&'static str),
    /// An element that the format does not know.
    #[error("unknown element <{0}>")]
    UnknownElement(String),
    /// An element that the format knows and that we do not read.
    #[error("<{0}> is not supported")]
    UnsupportedElement(&'static str),
    /// `<marshal>` elsewhere than at the root.
    #[error("<marshal> inside another element")]
    NestedRoot,
    /// Text outside of values.
    #[error("text where none belongs: {0:?}")]
    StrayText(String),
    /// An element inside a scalar.
    #[error("an element inside <{0}>")]
    ElementInScalar(&'static str),
    /// A character that XML forbids, or a malformed or unknown reference to one.
    #[error("&{0}; is no character of XML")]
    BadCharacter(String),
    /// A number that is none, or too large.
    #[error("<{0}> holds no number that can be read: {1:?}")]
    BadNumber(&'static str, String),
    /// The document holds no value.
    #[error("no value")]
    NoValue,
    /// The document holds more than one value.
    #[error("more than one value")]
    SeveralValues,
    /// A dictionary key without a value.
    #[error("a dictionary with an odd number of items")]
    OddDictionary,
    /// A list, set, dictionary or object as key of a dictionary or item of a set.
    #[error("a container that cannot be a key")]
    UnhashableKey,
    /// A reference to nothing that was seen before.
    #[error("a reference to the unknown id {0:?}")]
    DanglingReference(String),
    /// A reference to a container that it lies in.
    #[error("the value with the id {0:?} contains itself")]
    Cycle(String),
    /// Two containers of one id.
    #[error("the id {0:?} is given twice")]
    DuplicateId(String),
    /// An attribute that must be there is not.
    #[error("<{0}> without the attribute {1}")]
    MissingAttribute(&'static str, &'static str),
    /// A class other than the four of [`Class`].
    #[error("objects of class {0} are refused")]
    ForbiddenClass(String),
    /// An object whose parts are not a tuple of arguments and a dictionary of attributes.
    #[error("an object needs a tuple of arguments and a dictionary of attributes")]
    MalformedObject,
    /// More nesting than so many levels, [`MAX_DEPTH`] if the reader did not want fewer.
    #[error("values are nested deeper than {0} levels")]
    TooDeep(usize),
    /// More values and bytes of text than [`MAX_REPEATED`] are there by reference.
    #[error("its references repeat more than {MAX_REPEATED} values and bytes of text")]
    TooLarge,
}

/// Reads a document.
///
/// # Errors
/// Everything that `spec/marshal.md` refuses, with its place in the document.
pub fn decode(document: &[u8]) -> Result<Value, DecodeError> {
    decode_within(document, MAX_DEPTH)
}

/// As [`decode`], with a bound of its own to the nesting.
///
/// # Errors
/// As [`decode`].
pub(crate) fn decode_within(document: &[u8], deepest: usize) -> Result<Value, DecodeError> {
    let text = charset::to_text(document).ok_or(DecodeError {
        offset: 0,
        problem: Problem::Encoding,
    })?;
    let mut reader = Reader::from_str(&text);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    let mut machine = Machine {
        deepest,
        ..Machine::default()
    };
    loop {
        let event = reader.read_event();
        let offset = reader.buffer_position();
        let step = match event {
            Ok(Event::Eof) => {
                return machine
                    .finish()
                    .map_err(|problem| DecodeError { offset, problem });
            }
            Ok(event) => machine.event(&event),
            Err(error) => Err(malformed(&error)),
        };
        step.map_err(|problem| DecodeError { offset, problem })?;
    }
}

/// The elements that hold text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scalar {
    None,
    Bool,
    Int,
    Long,
    Float,
    String,
}

impl Scalar {
    fn from_name(name: &str) -> Option<Self> {
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

    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::String => "string",
        }
    }

    fn value(self, text: String) -> Result<Value, Problem> {
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
enum Container {
    Root,
    Tuple,
    List,
    Set,
    Dictionary,
    Object(Class),
    Reference,
}

impl Container {
    fn name(self) -> &'static str {
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

/// An element whose end has not been seen.
struct Open {
    container: Container,
    id: Option<String>,
    items: Vec<Value>,
    extent: Extent,
}

/// How much a value is when every reference counts as what it refers to.
#[derive(Debug, Clone, Copy)]
struct Extent {
    /// Values and bytes of text.
    size: usize,
    /// Levels below it.
    height: usize,
}

impl Extent {
    /// Of a value without items.
    fn of(text: &str) -> Self {
        Self {
            size: 1 + text.len(),
            height: 0,
        }
    }

    fn add(&mut self, item: Self) {
        self.size += item.size;
        self.height = self.height.max(item.height + 1);
    }
}

/// A container that references may point to.
enum Known {
    /// Its end has not been seen.
    Open,
    Closed(Value, Extent),
}

#[derive(Default)]
struct Machine {
    /// How many levels there may be.
    deepest: usize,
    /// How much is there by reference so far, as in [`Extent::size`].
    repeated: usize,
    stack: Vec<Open>,
    /// The scalar that is being read, and its text so far.
    scalar: Option<(Scalar, String)>,
    known: HashMap<String, Known>,
    result: Option<Value>,
    root_seen: bool,
}

impl Machine {
    fn event(&mut self, event: &Event<'_>) -> Result<(), Problem> {
        match event {
            Event::Start(start) => self.start(start),
            Event::End(_) => self.end(),
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let character = resolve_reference(reference)
                    .ok_or_else(|| Problem::BadCharacter(shown(&reference.xml10_content())))?;
                self.text(character.encode_utf8(&mut [0; 4]))
            }
            Event::Comment(_) | Event::Decl(_) | Event::Eof | Event::Empty(_) => Ok(()),
            Event::DocType(_) => Err(Problem::Refused("a document type")),
            Event::PI(_) => Err(Problem::Refused("a processing instruction")),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), Problem> {
        if let Some((scalar, _)) = self.scalar {
            return Err(Problem::ElementInScalar(scalar.name()));
        }
        if self.stack.is_empty() && self.result.is_some() {
            return Err(Problem::SeveralValues);
        }
        self.check_depth(0)?;
        let name = start.local_name();
        if let Some(scalar) = Scalar::from_name(name.as_ref()) {
            self.scalar = Some((scalar, String::new()));
            return Ok(());
        }
        let container = self.container(name.as_ref(), start)?;
        let id = match container {
            Container::Root | Container::Tuple => None,
            _ => attribute(start, "id")?,
        };
        if container != Container::Reference
            && let Some(id) = &id
            && self.known.insert(id.clone(), Known::Open).is_some()
        {
            return Err(Problem::DuplicateId(shown(id)));
        }
        self.stack.push(Open {
            container,
            id,
            items: Vec::new(),
            extent: Extent::of(""),
        });
        Ok(())
    }

    /// Whether there may be a value here, with so many levels below it.
    fn check_depth(&self, height: usize) -> Result<(), Problem> {
        if self.stack.len() + height > self.deepest {
            return Err(Problem::TooDeep(self.deepest));
        }
        Ok(())
    }

    fn container(&mut self, name: &str, start: &BytesStart<'_>) -> Result<Container, Problem> {
        Ok(match name {
            "marshal" if self.stack.is_empty() && !self.root_seen => {
                self.root_seen = true;
                Container::Root
            }
            "marshal" => return Err(Problem::NestedRoot),
            "tuple" => Container::Tuple,
            "list" => Container::List,
            "set" => Container::Set,
            "dictionary" => Container::Dictionary,
            "object" => Container::Object(class(start)?),
            "reference" => Container::Reference,
            "code" => return Err(Problem::UnsupportedElement("code")),
            "complex" => return Err(Problem::UnsupportedElement("complex")),
            _ => return Err(Problem::UnknownElement(shown(name))),
        })
    }

    fn text(&mut self, text: &str) -> Result<(), Problem> {
        if let Some(character) = text.chars().find(|character| is_forbidden(*character)) {
            return Err(Problem::BadCharacter(format!("#{}", u32::from(character))));
        }
        match &mut self.scalar {
            Some((_, present)) => present.push_str(text),
            None if text.trim_matches([' ', '\t', '\r', '\n']).is_empty() => {}
            None => return Err(Problem::StrayText(shown(text.trim()))),
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Problem> {
        if let Some((scalar, text)) = self.scalar.take() {
            let extent = Extent::of(&text);
            self.value(scalar.value(text)?, extent);
            return Ok(());
        }
        // The reader has made sure that ends match starts.
        let Some(open) = self.stack.pop() else {
            return Ok(());
        };
        match open.container {
            Container::Root => self.root(open.items),
            Container::Reference => self.reference(open),
            container => {
                let value = build(container, open.items)?;
                if let Some(id) = open.id {
                    self.known
                        .insert(id, Known::Closed(value.clone(), open.extent));
                }
                self.value(value, open.extent);
                Ok(())
            }
        }
    }

    fn root(&mut self, items: Vec<Value>) -> Result<(), Problem> {
        let mut items = items.into_iter();
        let value = items.next().ok_or(Problem::NoValue)?;
        if items.next().is_some() {
            return Err(Problem::SeveralValues);
        }
        self.result = Some(value);
        Ok(())
    }

    fn reference(&mut self, open: Open) -> Result<(), Problem> {
        let id = open
            .id
            .ok_or(Problem::MissingAttribute("reference", "id"))?;
        if !open.items.is_empty() {
            return Err(Problem::ElementInScalar("reference"));
        }
        match self.known.get(&id) {
            Some(Known::Closed(value, extent)) => {
                let (value, extent) = (value.clone(), *extent);
                self.check_depth(extent.height)?;
                self.repeated += extent.size;
                if self.repeated > MAX_REPEATED {
                    return Err(Problem::TooLarge);
                }
                self.value(value, extent);
                Ok(())
            }
            Some(Known::Open) => Err(Problem::Cycle(shown(&id))),
            None => Err(Problem::DanglingReference(shown(&id))),
        }
    }

    /// A complete value: an item of the open element, or the document's value.
    fn value(&mut self, value: Value, extent: Extent) {
        let Some(parent) = self.stack.last_mut() else {
            self.result = Some(value);
            return;
        };
        parent.extent.add(extent);
        parent.items.push(value);
    }

    fn finish(self) -> Result<Value, Problem> {
        if let Some((scalar, _)) = self.scalar {
            return Err(Problem::Truncated(scalar.name()));
        }
        if let Some(open) = self.stack.last() {
            return Err(Problem::Truncated(open.container.name()));
        }
        self.result.ok_or(Problem::NoValue)
    }
}

/// A container from its items.
fn build(container: Container, items: Vec<Value>) -> Result<Value, Problem> {
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

fn class(start: &BytesStart<'_>) -> Result<Class, Problem> {
    let module =
        attribute(start, "module")?.ok_or(Problem::MissingAttribute("object", "module"))?;
    let name = attribute(start, "class")?.ok_or(Problem::MissingAttribute("object", "class"))?;
    Some(&module)
        .filter(|module| *module == Class::MODULE)
        .and_then(|_| Class::from_name(&name))
        .ok_or_else(|| Problem::ForbiddenClass(shown(&format!("{module}.{name}"))))
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, Problem> {
    let found = start
        .try_get_attribute(name)
        .map_err(|error| malformed(&error))?;
    found
        .map(|attribute| attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0))
        .transpose()
        .map(|value| value.map(std::borrow::Cow::into_owned))
        .map_err(|error| malformed(&error))
}

/// The character of a reference. Named entities are the five of XML; others need a DTD.
pub(crate) fn resolve_reference(reference: &BytesRef<'_>) -> Option<char> {
    let character = match &*reference.xml10_content() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => reference.resolve_char_ref().ok().flatten(),
    };
    character.filter(|character| !is_forbidden(*character))
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

/// What the XML reader says may quote the document.
fn malformed(error: &dyn std::fmt::Display) -> Problem {
    Problem::Xml(shown(&error.to_string()))
}

/// The beginning of a text from the document, for a message.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
