//! The fields of a form.

use crate::documents::{Attributes, DocumentError};
use crate::marshal::{DecodeError, EncodeError, Value, decode, encode};

/// Fields of a form, in order. Names and values are text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields(Vec<(String, String)>);

/// A form that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field {field}: {problem}")]
pub struct FormError {
    /// Name of the field.
    pub field: String,
    /// What is wrong with it.
    #[source]
    pub problem: FieldProblem,
}

/// What can be wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldProblem {
    /// It is not there, empty, or the text `None`.
    #[error("missing")]
    Missing,
    /// Its bytes are no UTF-8.
    #[error("not UTF-8")]
    Encoding,
    /// It should hold a marshal document.
    #[error("{0}")]
    Document(DecodeError),
    /// It holds a document that describes no computer.
    #[error("{0}")]
    Description(DocumentError),
    /// It holds a document of another kind.
    #[error("not {0}")]
    Type(&'static str),
    /// It names a state that the protocol does not know.
    #[error("unknown state {0:?}")]
    State(String),
}

impl FormError {
    pub(super) fn new(field: &str, problem: FieldProblem) -> Self {
        Self {
            field: field.to_owned(),
            problem,
        }
    }
}

impl Fields {
    /// Appends a field.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into()));
    }

    /// The fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first field of a name. The peer sends an absent value as the text `None`, which is
    /// absent here, as the empty text is.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.iter().find(|(present, _)| *present == name);
        found
            .map(|(_, value)| value)
            .filter(|value| !value.is_empty() && *value != "None")
    }

    /// As [`Fields::get`], for a field that must be there.
    ///
    /// # Errors
    /// It is absent.
    pub fn require(&self, name: &str) -> Result<&str, FormError> {
        self.get(name)
            .ok_or_else(|| FormError::new(name, FieldProblem::Missing))
    }

    /// The query of a URL, or the body of a POST.
    pub fn to_urlencoded(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.iter())
            .finish()
    }

    /// From the query of a URL or the body of a POST.
    ///
    /// # Errors
    /// A name or value is not UTF-8 once it is decoded.
    pub fn from_urlencoded(input: &[u8]) -> Result<Self, FormError> {
        let mut fields = Self::default();
        for pair in input
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty())
        {
            let end = pair
                .iter()
                .position(|byte| *byte == b'=')
                .unwrap_or(pair.len());
            let name = decoded(&pair[..end])
                .ok_or_else(|| FormError::new("(name)", FieldProblem::Encoding))?;
            let value = decoded(pair.get(end + 1..).unwrap_or_default())
                .ok_or_else(|| FormError::new(&name, FieldProblem::Encoding))?;
            fields.0.push((name, value));
        }
        Ok(fields)
    }

    /// Appends a marshal document.
    pub(super) fn push_document(&mut self, name: &str, value: &Value) -> Result<(), EncodeError> {
        let document = encode(value)?;
        self.push(name, document);
        Ok(())
    }

    /// The value of a field that holds a marshal document; `None` if the field is absent.
    pub(super) fn document(&self, name: &str) -> Result<Option<Value>, FormError> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let value = decode(text.as_bytes());
        value
            .map(Some)
            .map_err(|error| FormError::new(name, FieldProblem::Document(error)))
    }

    /// A document that holds a dictionary with texts as keys; empty if the field is absent.
    pub(super) fn attributes(&self, name: &str) -> Result<Attributes, FormError> {
        let wrong = || FormError::new(name, FieldProblem::Type("a dictionary with texts as keys"));
        match self.document(name)? {
            None | Some(Value::None) => Ok(Attributes::new()),
            Some(value) => value
                .as_dict()
                .and_then(|dict| {
                    let entries = dict.iter();
                    entries
                        .map(|(key, value)| Some((key.as_str()?.to_owned(), value.clone())))
                        .collect()
                })
                .ok_or_else(wrong),
        }
    }
}

/// Undoes `+` and percent-encoding; `None` if the result is not UTF-8.
fn decoded(bytes: &[u8]) -> Option<String> {
    let mut output = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => hexadecimal(*high).zip(hexadecimal(*low)),
            _ => None,
        };
        match (escaped, first) {
            (Some((high, low)), _) => {
                output.push(high * 16 + low);
                rest = &tail[2..];
                continue;
            }
            (None, b'+') => output.push(b' '),
            (None, other) => output.push(*other),
        }
        rest = tail;
    }
    String::from_utf8(output).ok()
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_was_written() {
        let mut fields = Fields::default();
        fields.push("a", "1 + 1 = 2 & more");
        fields.push("é", "100 %\n☃");
        let encoded = fields.to_urlencoded();
        assert_eq!(Fields::from_urlencoded(encoded.as_bytes()), Ok(fields));
    }

    #[test]
    fn absent_is_what_the_peer_calls_none() {
        let fields = Fields::from_urlencoded(b"a=None&b=&c&d=x%").unwrap();
        for name in ["a", "b", "c", "e"] {
            assert_eq!(fields.get(name), None, "{name}");
            assert_eq!(fields.require(name).unwrap_err().field, name);
        }
        assert_eq!(fields.get("d"), Some("x%"));
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_by_name() {
        let error = Fields::from_urlencoded(b"x=1&bad=%ff").unwrap_err();
        assert_eq!(error.to_string(), "field bad: not UTF-8");
        assert_eq!(
            Fields::from_urlencoded(b"%ff=1").unwrap_err().problem,
            FieldProblem::Encoding
        );
    }
}
