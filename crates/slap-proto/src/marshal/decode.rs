//! Reading marshal documents.
//!
//! A stack machine over XML events: nesting takes heap, never stack, and is bounded.

mod element;
mod problem;

pub use problem::{DecodeError, Problem};

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use self::element::{Container, Scalar, attribute, build, class};
use self::problem::{malformed, shown};
use super::value::Value;
use super::{MAX_DEPTH, MAX_REPEATED, charset, is_forbidden};

/// Reads a document, in whichever encoding it names.
///
/// # Errors
/// It is none, or goes beyond what is accepted; each [`Problem`] is one reason.
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
