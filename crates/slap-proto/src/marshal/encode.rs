//! Writing marshal documents.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use super::MAX_DEPTH;
use super::text;
use super::value::{Class, Dict, Object, Value};

/// Why a value cannot be written.
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
    let mut encoder = Encoder {
        output: String::new(),
        seen: HashMap::new(),
        last_id: 1,
    };
    encoder.output.push_str("<marshal>");
    encoder.value(value, 0)?;
    encoder.output.push_str("</marshal>");
    Ok(encoder.output)
}

/// The largest magnitude written as `<int>`: the peer compares with the float 1e24, which lies
/// a little below the integer.
const LARGEST_INT: u128 = 999_999_999_999_999_983_222_783;

struct Encoder {
    output: String,
    /// Ids of the containers written so far, by the address of their allocation, which outlives
    /// the encoder.
    seen: HashMap<*const (), u64>,
    last_id: u64,
}

impl Encoder {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), EncodeError> {
        if depth > MAX_DEPTH {
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
            Value::Tuple(items) => self.sequence("tuple", None, items, depth)?,
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
        if let Some(id) = self.seen.get(&address) {
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
        for character in text.chars() {
            match character {
                '&' => self.output.push_str("&amp;amp;"),
                '<' => self.output.push_str("&amp;lt;"),
                '>' => self.output.push_str("&amp;gt;"),
                ' '..='\x7f' | '\t' | '\n' => self.output.push(character),
                _ if is_forbidden(character) => {
                    let text = text.chars().take(80).collect();
                    return Err(EncodeError::ForbiddenCharacter { character, text });
                }
                _ => {
                    let _ = write!(self.output, "&#{};", u32::from(character));
                }
            }
        }
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
            Some(id) => self.sequence(name, Some(id), items, depth),
            None => Ok(()),
        }
    }

    fn sequence(
        &mut self,
        name: &str,
        id: Option<u64>,
        items: &[Value],
        depth: usize,
    ) -> Result<(), EncodeError> {
        self.open(name, id, items.is_empty());
        for item in items {
            self.value(item, depth + 1)?;
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
        let (module, class) = (Class::MODULE, object.class.name());
        let _ = write!(
            self.output,
            "<object id=\"i{id}\" module=\"{module}\" class=\"{class}\">"
        );
        self.sequence("tuple", None, &object.initargs, depth + 1)?;
        let state_id = self.next_id();
        self.dictionary(state_id, &object.state, depth + 1)?;
        self.output.push_str("</object>");
        Ok(())
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

/// Whether XML 1.0 excludes a character (section 2.2, production Char), so that no document can
/// hold it.
pub fn is_forbidden(character: char) -> bool {
    matches!(character, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}
