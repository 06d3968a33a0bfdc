//! Writing marshal documents.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use super::MAX_DEPTH;
use super::layout::{Layout, Part};
use super::text;
use super::value::{Class, Dict, Object, Value};

/// Why a value cannot be written.
///
/// ```
/// use slap_proto::marshal::{EncodeError, encode};
///
/// let error = encode(&"a\0b".into()).unwrap_err();
/// assert!(matches!(error, EncodeError::ForbiddenCharacter { character: '\0', .. }));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// XML 1.0 has no way to hold this character.
    #[error("the character U+{:04X} cannot be written in XML (in the text {text:?})", u32::from(*character))]
    ForbiddenCharacter {
        /// The character.
        character: char,
        /// The beginning of the text that holds it.
        text: String,
    },
    /// The value is nested deeper than any reader of ours accepts.
    #[error("values are nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// Writes a value as a whole document, byte for byte as the peer does.
///
/// # Errors
/// A text holds a character that XML forbids, or the nesting exceeds [`MAX_DEPTH`].
pub fn encode(value: &Value) -> Result<String, EncodeError> {
    encode_part(&Part::Value(value))
}

/// As [`encode`], but with each value written wherever it stands, never referred to. However many
/// values of other documents are put together in one, its references then stay within
/// [`MAX_REPEATED`](super::MAX_REPEATED).
///
/// # Errors
/// As [`encode`].
pub fn encode_without_references(value: &Value) -> Result<String, EncodeError> {
    let mut encoder = Encoder {
        repeats: true,
        ..Encoder::new()
    };
    encoder.value(value, 0)?;
    Ok(encoder.end())
}

/// As [`encode`], of what is no value yet.
pub(crate) fn encode_part(part: &Part<'_>) -> Result<String, EncodeError> {
    let mut encoder = Encoder::new();
    encoder.part(part, 0)?;
    Ok(encoder.end())
}

/// As [`encode`], of an object with one attribute more: a list whose items are made one after the
/// other, each written before the next is made.
pub(crate) fn encode_with_list<T>(
    layout: &Layout<'_>,
    name: &str,
    items: impl Iterator<Item = T>,
    write: impl Fn(&mut Encoder, &T) -> Result<(), EncodeError>,
) -> Result<String, EncodeError> {
    let mut encoder = Encoder::new();
    encoder.open_layout(layout)?;
    let id = encoder.next_id();
    encoder.open("dictionary", Some(id), false);
    let split = layout.state.partition_point(|(key, _)| *key < name);
    let (before, after) = layout.state.split_at(split);
    encoder.attributes(before, 1)?;
    encoder.string(name)?;
    let mut items = items.peekable();
    let (id, empty) = (encoder.next_id(), items.peek().is_none());
    encoder.open("list", Some(id), empty);
    for item in items {
        write(&mut encoder, &item)?;
        // Once it is dropped, its addresses are those of others.
        encoder.seen.clear();
    }
    encoder.close("list", empty);
    encoder.attributes(after, 1)?;
    encoder.close("dictionary", false);
    encoder.output.push_str("</object>");
    Ok(encoder.end())
}

/// The largest magnitude written as `<int>`: the peer compares with the float 1e24, which lies
/// a little below the integer.
const LARGEST_INT: u128 = 999_999_999_999_999_983_222_783;

/// What is written so far.
pub(crate) struct Encoder {
    output: String,
    /// Ids of the containers written so far, by the address of their allocation, for as long as
    /// that lives.
    seen: HashMap<*const (), u64>,
    last_id: u64,
    /// Whether a value is written again rather than referred to.
    repeats: bool,
}

impl Encoder {
    fn new() -> Self {
        Self {
            output: "<marshal>".to_owned(),
            seen: HashMap::new(),
            last_id: 1,
            repeats: false,
        }
    }

    fn end(mut self) -> String {
        self.output.push_str("</marshal>");
        self.output
    }

    /// An object as item of a list of a document's object.
    pub(crate) fn item(&mut self, layout: &Layout<'_>) -> Result<(), EncodeError> {
        self.layout(layout, 3)
    }

    fn layout(&mut self, layout: &Layout<'_>, depth: usize) -> Result<(), EncodeError> {
        if depth >= MAX_DEPTH {
            return Err(EncodeError::TooDeep);
        }
        self.open_layout(layout)?;
        let id = self.next_id();
        let empty = layout.state.is_empty();
        self.open("dictionary", Some(id), empty);
        self.attributes(&layout.state, depth + 1)?;
        self.close("dictionary", empty);
        self.output.push_str("</object>");
        Ok(())
    }

    /// An object up to its attributes.
    fn open_layout(&mut self, layout: &Layout<'_>) -> Result<(), EncodeError> {
        let id = self.next_id();
        self.open_object(id, layout.class);
        self.sequence("tuple", None, &layout.initargs, 1, Self::part)
    }

    fn attributes(
        &mut self,
        attributes: &[(&str, Part<'_>)],
        depth: usize,
    ) -> Result<(), EncodeError> {
        for (key, part) in attributes {
            self.string(key)?;
            self.part(part, depth + 1)?;
        }
        Ok(())
    }

    fn part(&mut self, part: &Part<'_>, depth: usize) -> Result<(), EncodeError> {
        match part {
            Part::None => self.output.push_str("<none/>"),
            Part::Flag(flag) => self.scalar("int", if *flag { "1" } else { "0" }),
            Part::Text(text) => self.string(text)?,
            Part::Value(value) => self.value(value, depth)?,
            Part::Dict(entries) => {
                let id = self.next_id();
                self.open("dictionary", Some(id), entries.is_empty());
                for (key, value) in *entries {
                    self.string(key)?;
                    self.value(value, depth + 1)?;
                }
                self.close("dictionary", entries.is_empty());
            }
            Part::Tuple(items) => self.sequence("tuple", None, items, depth, Self::part)?,
            Part::List(items) => {
                let id = Some(self.next_id());
                self.sequence("list", id, items, depth, Self::part)?;
            }
            Part::Object(layout) => self.layout(layout, depth)?,
        }
        Ok(())
    }

    fn value(&mut self, value: &Value, depth: usize) -> Result<(), EncodeError> {
        if depth >= MAX_DEPTH {
            return Err(EncodeError::TooDeep);
        }
        match value {
            Value::None => self.output.push_str("<none/>"),
            Value::Bool(value) => self.scalar("bool", &u8::from(*value).to_string()),
            Value::Int(number) if number.unsigned_abs() <= LARGEST_INT => {
                self.scalar("int", &number.to_string());
            }
            Value::Int(number) => self.scalar("long", &number.to_string()),
            Value::Float(number) => self.scalar("float", &text::float(*number)),
            Value::String(text) => self.string(text)?,
            Value::Tuple(items) => self.sequence("tuple", None, items, depth, Self::value)?,
            Value::List(items) => self.shared("list", items, depth)?,
            Value::Set(items) => self.shared("set", items, depth)?,
            Value::Dict(dict) => {
                if let Some(id) = self.enter(Arc::as_ptr(dict).cast()) {
                    self.dictionary(id, dict, depth)?;
                }
            }
            Value::Object(object) => {
                if let Some(id) = self.enter(Arc::as_ptr(object).cast()) {
                    self.object(id, object, depth)?;
                }
            }
        }
        Ok(())
    }

    /// A new id for a container; or, if it was written before, a reference to it and no id.
    fn enter(&mut self, address: *const ()) -> Option<u64> {
        if let Some(id) = self.seen.get(&address).filter(|_| !self.repeats) {
            // Writing to a String cannot fail, here and below.
            let _ = write!(self.output, "<reference id=\"i{id}\"/>");
            return None;
        }
        let id = self.next_id();
        self.seen.insert(address, id);
        Some(id)
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn scalar(&mut self, name: &str, text: &str) {
        let _ = write!(self.output, "<{name}>{text}</{name}>");
    }

    fn string(&mut self, text: &str) -> Result<(), EncodeError> {
        self.output.push_str("<string>");
        let mut rest = text;
        let needs_escape = |byte| NEEDS_ESCAPE[usize::from(byte)];
        while let Some(plain) = rest.bytes().position(needs_escape) {
            self.output.push_str(&rest[..plain]);
            let mut characters = rest[plain..].chars();
            match characters.next() {
                Some('&') => self.output.push_str("&amp;amp;"),
                Some('<') => self.output.push_str("&amp;lt;"),
                Some('>') => self.output.push_str("&amp;gt;"),
                Some(character) if is_forbidden(character) => {
                    let text = text.chars().take(80).collect();
                    return Err(EncodeError::ForbiddenCharacter { character, text });
                }
                Some(character) => {
                    let _ = write!(self.output, "&#{};", u32::from(character));
                }
                None => {}
            }
            rest = characters.as_str();
        }
        self.output.push_str(rest);
        self.output.push_str("</string>");
        Ok(())
    }

    fn shared(
        &mut self,
        name: &str,
        items: &Arc<Vec<Value>>,
        depth: usize,
    ) -> Result<(), EncodeError> {
        match self.enter(Arc::as_ptr(items).cast()) {
            Some(id) => self.sequence(name, Some(id), items, depth, Self::value),
            None => Ok(()),
        }
    }

    /// Items one after the other, each written by `write`.
    fn sequence<T>(
        &mut self,
        name: &str,
        id: Option<u64>,
        items: &[T],
        depth: usize,
        write: impl Fn(&mut Self, &T, usize) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.open(name, id, items.is_empty());
        for item in items {
            write(self, item, depth + 1)?;
        }
        self.close(name, items.is_empty());
        Ok(())
    }

    fn dictionary(&mut self, id: u64, dict: &Dict, depth: usize) -> Result<(), EncodeError> {
        self.open("dictionary", Some(id), dict.is_empty());
        for (key, value) in dict.iter() {
            self.value(key, depth + 1)?;
            self.value(value, depth + 1)?;
        }
        self.close("dictionary", dict.is_empty());
        Ok(())
    }

    fn object(&mut self, id: u64, object: &Object, depth: usize) -> Result<(), EncodeError> {
        self.open_object(id, object.class);
        self.sequence("tuple", None, &object.initargs, depth + 1, Self::value)?;
        let state_id = self.next_id();
        self.dictionary(state_id, &object.state, depth + 1)?;
        self.output.push_str("</object>");
        Ok(())
    }

    fn open_object(&mut self, id: u64, class: Class) {
        let (module, class) = (Class::MODULE, class.name());
        let _ = write!(
            self.output,
            "<object id=\"i{id}\" module=\"{module}\" class=\"{class}\">"
        );
    }

    fn open(&mut self, name: &str, id: Option<u64>, empty: bool) {
        let end = if empty { "/>" } else { ">" };
        let _ = match id {
            Some(id) => write!(self.output, "<{name} id=\"i{id}\"{end}"),
            None => write!(self.output, "<{name}{end}"),
        };
    }

    fn close(&mut self, name: &str, empty: bool) {
        if !empty {
            let _ = write!(self.output, "</{name}>");
        }
    }
}

/// Of each byte, whether it begins a character that stands for something else in a document, or
/// that cannot be in one. A table, as most of a document's text goes past it.
const NEEDS_ESCAPE: [bool; 256] = {
    let mut table = [true; 256];
    let mut byte = b' ';
    while byte <= b'\x7f' {
        table[byte as usize] = matches!(byte, b'&' | b'<' | b'>');
        byte += 1;
    }
    table[b'\t' as usize] = false;
    table[b'\n' as usize] = false;
    table
};

/// Whether XML 1.0 excludes a character (section 2.2, production Char), so that no document can
/// hold it.
pub fn is_forbidden(character: char) -> bool {
    matches!(character, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}
