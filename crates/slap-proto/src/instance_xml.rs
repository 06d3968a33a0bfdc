//! The instance document: parameters and connection parameters as masters store and show them.
//!
//! ```
//! use slap_proto::documents::Attributes;
//! use slap_proto::instance_xml::{from_xml, to_xml};
//!
//! let parameters: Attributes = [("port".to_owned(), 80.into())].into();
//! let xml = to_xml(&parameters)?;
//! assert!(xml.contains("<parameter id=\"port\">80</parameter>"));
//! // Read, every value is a text.
//! assert_eq!(from_xml(&xml)?["port"].as_deref(), Some("80"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;
use std::fmt::Write;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::documents::Attributes;
use crate::marshal::{EncodeError, is_forbidden};

/// Why a text is no instance document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InstanceXmlError {
    /// It is not well-formed XML, or holds what no document of ours needs.
    #[error("malformed instance document at byte {offset}: {message}")]
    Xml {
        /// Where, in bytes.
        offset: u64,
        /// What is wrong.
        message: String,
    },
    /// A parameter without a name.
    #[error("a parameter without id in the instance document")]
    MissingId,
}

/// Writes parameters: sorted, values as Python's `str()` shows them.
///
/// # Errors
/// A name or value holds a character that XML forbids.
pub fn to_xml(parameters: &Attributes) -> Result<String, EncodeError> {
    let mut xml = "<?xml version='1.0' encoding='utf-8'?>\n".to_owned();
    if parameters.is_empty() {
        xml.push_str("<instance/>\n");
        return Ok(xml);
    }
    xml.push_str("<instance>\n");
    for (id, value) in parameters {
        let text = value.to_text();
        check(id)?;
        check(&text)?;
        // Writing to a String cannot fail.
        let _ = writeln!(
            xml,
            "  <parameter id=\"{}\">{}</parameter>",
            escape(id, true),
            escape(&text, false)
        );
    }
    xml.push_str("</instance>\n");
    Ok(xml)
}

fn check(text: &str) -> Result<(), EncodeError> {
    match text.chars().find(|character| is_forbidden(*character)) {
        Some(character) => {
            let text = text.chars().take(80).collect();
            Err(EncodeError::ForbiddenCharacter { character, text })
        }
        None => Ok(()),
    }
}

/// Escapes as the peer's writer does: quotes and line breaks only where they would be lost.
fn escape(text: &str, attribute: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\r' => escaped.push_str("&#13;"),
            '"' if attribute => escaped.push_str("&quot;"),
            '\n' if attribute => escaped.push_str("&#10;"),
            '\t' if attribute => escaped.push_str("&#9;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Reads parameters: the direct children named `parameter`. An empty one is `None`, of one id
/// given several times the texts are joined by a blank. The empty text is an empty document.
///
/// # Errors
/// The text is not well-formed XML, or a parameter has no id.
pub fn from_xml(xml: &str) -> Result<BTreeMap<String, Option<String>>, InstanceXmlError> {
    let mut parser = Parser::default();
    if xml.trim().is_empty() {
        return Ok(parser.parameters);
    }
    let mut reader = Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    loop {
        let event = reader.read_event();
        let offset = reader.buffer_position();
        let malformed = |message: String| InstanceXmlError::Xml { offset, message };
        match event.map_err(|error| malformed(error.to_string()))? {
            Event::Start(start) => parser.start(&start).map_err(malformed)?,
            Event::End(_) => parser.end()?,
            Event::Text(text) => parser.text(&text.xml10_content()).map_err(malformed)?,
            Event::CData(text) => parser.text(&text.xml10_content()).map_err(malformed)?,
            Event::GeneralRef(reference) => {
                let character = crate::marshal::resolve_reference(&reference)
                    .ok_or_else(|| malformed("an unknown entity".to_owned()))?;
                let mut buffer = [0; 4];
                let text = character.encode_utf8(&mut buffer);
                parser.text(text).map_err(malformed)?;
            }
            Event::DocType(_) => return Err(malformed("a document type is refused".to_owned())),
            Event::Eof => {
                parser.check_end().map_err(malformed)?;
                return Ok(parser.parameters);
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Empty(_) => {}
        }
    }
}

#[derive(Default)]
struct Parser {
    parameters: BTreeMap<String, Option<String>>,
    depth: usize,
    root_seen: bool,
    /// The parameter that is being read: its id, if it has one, and its text.
    current: Option<(Option<String>, String)>,
}

impl Parser {
    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        if self.depth == 0 {
            self.root(start)?;
        }
        self.depth += 1;
        if self.depth == 2 && start.local_name().as_ref() == "parameter" {
            let id = start
                .try_get_attribute("id")
                .map_err(|error| error.to_string())?;
            let id = id
                .map(|id| {
                    id.normalized_value(quick_xml::XmlVersion::Implicit1_0)
                        .map(|id| id.into_owned())
                })
                .transpose()
                .map_err(|error| error.to_string())?;
            self.current = Some((id, String::new()));
        }
        Ok(())
    }

    fn root(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        if self.root_seen {
            return Err("more than one root element".to_owned());
        }
        self.root_seen = true;
        match start.local_name().as_ref() {
            "instance" => Ok(()),
            _ => Err("the root element is no instance".to_owned()),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        // Text of elements inside a parameter is not its own.
        if let Some((_, present)) = self.current.as_mut().filter(|_| self.depth == 2) {
            present.push_str(text);
        } else if self.depth < 2 && !text.trim().is_empty() {
            return Err("text outside of parameters".to_owned());
        }
        Ok(())
    }

    fn check_end(&self) -> Result<(), String> {
        if self.depth > 0 {
            return Err("it ends inside an element".to_owned());
        }
        if !self.root_seen {
            return Err("no element".to_owned());
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), InstanceXmlError> {
        self.depth = self.depth.saturating_sub(1);
        if self.depth != 1 {
            return Ok(());
        }
        let Some((id, text)) = self.current.take() else {
            return Ok(());
        };
        let id = id.ok_or(InstanceXmlError::MissingId)?;
        let text = Some(text).filter(|text| !text.is_empty());
        match self.parameters.get_mut(&id) {
            Some(Some(present)) => {
                present.push(' ');
                present.push_str(text.as_deref().unwrap_or("None"));
            }
            _ => {
                self.parameters.insert(id, text);
            }
        }
        Ok(())
    }
}
