//! Taking attributes out of dictionaries, with errors that name them.

use super::{Attributes, DocumentError};
use crate::marshal::{Class, Dict, Value};

/// The attributes of one document; what is not taken is left for `extra`.
pub(super) struct Fields {
    subject: &'static str,
    entries: Attributes,
}

impl Fields {
    pub(super) fn of_dict(subject: &'static str, dict: &Dict) -> Self {
        let entries = dict
            .iter()
            .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value.clone())))
            .collect();
        Self { subject, entries }
    }

    /// The attributes of an object of this class, and its constructor's arguments.
    pub(super) fn of_object(
        value: &Value,
        class: Class,
    ) -> Result<(Self, &[Value]), DocumentError> {
        match value {
            Value::Object(object) if object.class == class => {
                Ok((Self::of_dict(class.name(), &object.state), &object.initargs))
            }
            _ => Err(DocumentError::Kind {
                expected: class.name(),
            }),
        }
    }

    /// Whether the attribute is there, be it `None`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// The attribute, if it is there and not `None`.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.entries.remove(name).filter(|value| !value.is_none())
    }

    /// A text; numbers are taken as text too.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, DocumentError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(value @ (Value::Int(_) | Value::Float(_))) => Ok(Some(value.to_text())),
            Some(_) => Err(self.wrong(name, "a text")),
        }
    }

    /// A text that must be there, possibly as an argument of the constructor instead.
    pub(super) fn required_text(
        &mut self,
        name: &'static str,
        argument: Option<&Value>,
    ) -> Result<String, DocumentError> {
        let text = self.text(name)?;
        text.or_else(|| argument.and_then(Value::as_str).map(str::to_owned))
            .ok_or(DocumentError::Missing {
                subject: self.subject,
                attribute: name,
            })
    }

    /// A dictionary with text keys; empty if absent.
    pub(super) fn attributes(&mut self, name: &'static str) -> Result<Attributes, DocumentError> {
        match self.take(name) {
            None => Ok(Attributes::new()),
            Some(Value::Dict(dict)) => {
                let entries = dict
                    .iter()
                    .map(|(key, value)| Some((key.as_str()?.to_owned(), value.clone())));
                entries
                    .collect::<Option<_>>()
                    .ok_or_else(|| self.wrong(name, "a dictionary with texts as keys"))
            }
            Some(_) => Err(self.wrong(name, "a dictionary")),
        }
    }

    /// A list, each item read by a function; empty if absent.
    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&Value) -> Result<T, DocumentError>,
    ) -> Result<Vec<T>, DocumentError> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(value) => value
                .as_list()
                .ok_or_else(|| self.wrong(name, "a list"))?
                .iter()
                .map(read)
                .collect(),
        }
    }

    pub(super) fn wrong(&self, name: &str, expected: &'static str) -> DocumentError {
        DocumentError::Type {
            subject: self.subject,
            attribute: name.to_owned(),
            expected,
        }
    }

    /// What was not taken.
    pub(super) fn rest(self) -> Attributes {
        self.entries
    }
}

/// A dictionary value of attributes.
pub(super) fn dict(attributes: &Attributes) -> Value {
    Value::dict(attributes.clone())
}
