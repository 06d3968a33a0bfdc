//! The fields of a form.

use crate::documents::{Attributes, DocumentError};
use crate::marshal::{
    DecodeError, EncodeError, MAX_DEPTH, Value, decode_within, encode, is_forbidden,
};

/// Longest reference, URL or other name that a form may hold, in bytes.
pub const LONGEST_NAME: usize = 4 << 10;
/// Longest document or message that a form may hold, in bytes.
pub const LONGEST_TEXT: usize = 8 << 20;
/// How many fields a form may have, known or not: no call has a dozen.
const MOST_FIELDS: usize = 1000;
/// How many characters of an unknown field's name are told.
const SHOWN_NAME: usize = 80;
/// How deep the values of a document in a form may be nested. Masters tell them within other
/// documents, which must be readable, too.
const MAX_FIELD_DEPTH: usize = MAX_DEPTH / 2;

/// Fields of a form, in order. Names and values are text.
///
/// ```
/// use slap_proto::calls::Fields;
///
/// let fields = Fields::from_urlencoded(b"url=http%3A%2F%2Fh%2F&state=None&title=a+b")?;
/// assert_eq!(fields.require("url")?, "http://h/");
/// assert_eq!(fields.get("title"), Some("a b"));
/// assert_eq!(fields.get("state"), None, "what Python's clients send for an absent value");
/// # Ok::<(), slap_proto::calls::FormError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields(Vec<(String, String)>);

/// A form that cannot be read.
///
/// ```
/// use slap_proto::calls::{FieldProblem, Fields};
///
/// let error = Fields::from_urlencoded(b"title=%ff").unwrap_err();
/// assert_eq!((error.field.as_str(), error.problem), ("title", FieldProblem::Encoding));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field {field}: {problem}")]
#[non_exhaustive]
pub struct FormError {
    /// Name of the field.
    pub field: String,
    /// What is wrong with it.
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
    /// It is longer than any of its kind.
    #[error("longer than {0} bytes")]
    TooLong(usize),
    /// It is one of more fields than any form has.
    #[error("one of more than {0} fields")]
    TooMany(usize),
    /// A name holds a character that no document could tell others.
    #[error("the character U+{:04X} is refused", u32::from(*.0))]
    Character(char),
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

    /// As [`Fields::get`], for a reference, a URL or another name.
    ///
    /// # Errors
    /// It is longer than [`LONGEST_NAME`], or holds a character that XML forbids.
    pub fn name(&self, name: &str) -> Result<Option<&str>, FormError> {
        let value = self.bounded(name, LONGEST_NAME)?;
        match value.and_then(|value| value.chars().find(|character| is_forbidden(*character))) {
            Some(character) => Err(FormError::new(name, FieldProblem::Character(character))),
            None => Ok(value),
        }
    }

    /// As [`Fields::name`], for a field that must be there.
    ///
    /// # Errors
    /// It is absent, too long, or holds a character that XML forbids.
    pub fn require(&self, name: &str) -> Result<&str, FormError> {
        self.name(name)?
            .ok_or_else(|| FormError::new(name, FieldProblem::Missing))
    }

    /// As [`Fields::get`], for a message or a document.
    ///
    /// # Errors
    /// It is longer than [`LONGEST_TEXT`].
    pub fn text(&self, name: &str) -> Result<Option<&str>, FormError> {
        self.bounded(name, LONGEST_TEXT)
    }

    fn bounded(&self, name: &str, limit: usize) -> Result<Option<&str>, FormError> {
        match self.get(name) {
            Some(value) if value.len() > limit => {
                Err(FormError::new(name, FieldProblem::TooLong(limit)))
            }
            value => Ok(value),
        }
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
    /// A name or value is not UTF-8 once it is decoded, or there are too many.
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
            let refused = |problem| {
                let shown: String = name.chars().take(SHOWN_NAME).collect();
                FormError::new(&shown, problem)
            };
            if fields.0.len() == MOST_FIELDS {
                return Err(refused(FieldProblem::TooMany(MOST_FIELDS)));
            }
            let value = decoded(pair.get(end + 1..).unwrap_or_default())
                .ok_or_else(|| refused(FieldProblem::Encoding))?;
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
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let value = decode_within(text.as_bytes(), MAX_FIELD_DEPTH);
        value
            .map(Some)
            .map_err(|error| FormError::new(name, FieldProblem::Document(error)))
    }

    /// As [`Fields::document`], for a field that must be there.
    pub(super) fn require_document(&self, name: &str) -> Result<Value, FormError> {
        self.document(name)?
            .ok_or_else(|| FormError::new(name, FieldProblem::Missing))
    }

    /// A document that holds a dictionary with texts as keys; empty if the field is absent.
    pub(super) fn attributes(&self, name: &str) -> Result<Attributes, FormError> {
        match self.document(name)? {
            None | Some(Value::None) => Ok(Attributes::new()),
            Some(value) => attributes(name, &value),
        }
    }

    /// As [`Fields::attributes`], for a field that must be there.
    pub(super) fn require_attributes(&self, name: &str) -> Result<Attributes, FormError> {
        attributes(name, &self.require_document(name)?)
    }
}

fn attributes(name: &str, value: &Value) -> Result<Attributes, FormError> {
    let entries = value.as_dict().and_then(|dict| {
        let entries = dict.iter();
        entries
            .map(|(key, value)| Some((key.as_str()?.to_owned(), value.clone())))
            .collect()
    });
    let wrong = FieldProblem::Type("a dictionary with texts as keys");
    entries.ok_or_else(|| FormError::new(name, wrong))
}

/// Undoes `+` and percent-encoding; `None` if the result is not UTF-8.
fn decoded(bytes: &[u8]) -> Option<String> {
    let mut output = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(plain) = rest.iter().position(|byte| matches!(byte, b'%' | b'+')) {
        output.extend_from_slice(&rest[..plain]);
        let (byte, length) = match rest[plain..] {
            [b'%', high, low, ..] => match hexadecimal(high).zip(hexadecimal(low)) {
                Some((high, low)) => (high * 16 + low, 3),
                None => (b'%', 1),
            },
            [b'%', ..] => (b'%', 1),
            _ => (b' ', 1),
        };
        output.push(byte);
        rest = &rest[plain + length..];
    }
    output.extend_from_slice(rest);
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
    fn names_are_bounded_and_hold_what_a_document_can_hold() {
        let form = |value: &str| {
            let mut fields = Fields::default();
            fields.push("a", value);
            fields
        };
        let longest = "é".repeat(LONGEST_NAME / 2);
        assert_eq!(form(&longest).require("a"), Ok(longest.as_str()));
        let problem = |value: &str| form(value).require("a").unwrap_err().problem;
        let one_more = longest + "e";
        assert_eq!(problem(&one_more), FieldProblem::TooLong(LONGEST_NAME));
        assert_eq!(problem("x\u{1}"), FieldProblem::Character('\u{1}'));
        assert_eq!(form(&one_more).text("a"), Ok(Some(one_more.as_str())));
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_by_name() {
        let error = Fields::from_urlencoded(b"x=1&bad=%ff").unwrap_err();
        assert_eq!(error.to_string(), "field bad: not UTF-8");
        assert_eq!(
            Fields::from_urlencoded(b"%ff=1").unwrap_err().problem,
            FieldProblem::Encoding
        );
        let long = format!("{}=%ff", "x".repeat(1 << 20));
        let error = Fields::from_urlencoded(long.as_bytes()).unwrap_err();
        assert_eq!(
            error.to_string().len(),
            "field : not UTF-8".len() + SHOWN_NAME
        );
    }

    #[test]
    fn a_form_has_no_more_fields_than_it_could_need() {
        let form = |count| Fields::from_urlencoded("a=1&".repeat(count).as_bytes());
        assert_eq!(form(MOST_FIELDS).unwrap().0.len(), MOST_FIELDS);
        assert_eq!(
            form(MOST_FIELDS + 1).unwrap_err().problem,
            FieldProblem::TooMany(MOST_FIELDS)
        );
    }
}
