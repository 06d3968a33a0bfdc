//! Why a document is refused.

use std::fmt::Display;

use crate::marshal::MAX_REPEATED;

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
    /// A class other than the four of [`Class`](crate::marshal::Class).
    #[error("objects of class {0} are refused")]
    ForbiddenClass(String),
    /// An object whose parts are not a tuple of arguments and a dictionary of attributes.
    #[error("an object needs a tuple of arguments and a dictionary of attributes")]
    MalformedObject,
    /// More nesting than so many levels, [`MAX_DEPTH`](crate::marshal::MAX_DEPTH) if the reader did not want fewer.
    #[error("values are nested deeper than {0} levels")]
    TooDeep(usize),
    /// More values and bytes of text than [`MAX_REPEATED`] are there by reference.
    #[error("its references repeat more than {MAX_REPEATED} values and bytes of text")]
    TooLarge,
}

/// What the XML reader says may quote the document.
pub(super) fn malformed(error: &dyn Display) -> Problem {
    Problem::Xml(shown(&error.to_string()))
}

/// The beginning of a text from the document, for a message.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
