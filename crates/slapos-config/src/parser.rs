//! From bytes to sections: ConfigParser's grammar.

use std::collections::HashMap;

/// Name of the section whose keys every other section has too.
pub(crate) const DEFAULT: &str = "DEFAULT";

/// What can be wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyntaxProblem {
    /// The bytes are no UTF-8.
    #[error("not UTF-8")]
    Encoding,
    /// A key before the first section.
    #[error("a parameter outside of any section")]
    NoSection,
    /// A line that is neither section, key, comment nor continuation.
    #[error("neither a [section] nor KEY = VALUE: {0:?}")]
    NoDelimiter(String),
    /// A `[` without its `]`.
    #[error("a section header without ']'")]
    UnclosedSection,
    /// A section that stands in the file already.
    #[error("section [{0}] stands in line {1} already")]
    DuplicateSection(String, usize),
    /// A key that its section has already.
    #[error("parameter {0} of [{1}] stands in line {2} already")]
    DuplicateKey(String, String, usize),
}

/// The sections of a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Document {
    pub(crate) sections: Vec<SectionText>,
    pub(crate) defaults: Keys,
}

/// Values as they are written, by normalised key.
pub(crate) type Keys = HashMap<String, RawValue>;

#[derive(Debug, Clone)]
pub(crate) struct RawValue {
    pub(crate) text: String,
    line: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct SectionText {
    pub(crate) name: String,
    pub(crate) keys: Keys,
    /// Keys in the order of the file.
    pub(crate) order: Vec<String>,
    line: usize,
}

/// Keys are case-insensitive; `-` and `_` are the same (`spec/tools.md`).
pub(crate) fn normalise(key: &str) -> String {
    key.trim().to_lowercase().replace('-', "_")
}

pub(crate) fn parse(contents: &[u8]) -> Result<Document, (usize, SyntaxProblem)> {
    let contents = contents.strip_prefix(b"\xef\xbb\xbf").unwrap_or(contents);
    let text = std::str::from_utf8(contents).map_err(|error| {
        let before = &contents[..error.valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        (line, SyntaxProblem::Encoding)
    })?;
    let mut parser = Parser::default();
    for (index, line) in text.lines().enumerate() {
        parser
            .line(index + 1, line)
            .map_err(|problem| (index + 1, problem))?;
    }
    parser.finish_value();
    Ok(parser.document)
}

#[derive(Default)]
struct Parser {
    document: Document,
    place: Place,
    /// The key whose value is being read.
    current: Option<Current>,
}

#[derive(Default, Clone, Copy)]
enum Place {
    #[default]
    Nowhere,
    Defaults,
    Section,
}

struct Current {
    key: String,
    lines: Vec<String>,
    indent: usize,
    line: usize,
}

impl Parser {
    fn line(&mut self, number: usize, line: &str) -> Result<(), SyntaxProblem> {
        let text = line.trim();
        if text.starts_with(['#', ';']) {
            return Ok(());
        }
        if text.is_empty() {
            // Part of a value if the value goes on afterwards.
            if let Some(current) = &mut self.current {
                current.lines.push(String::new());
            }
            return Ok(());
        }
        let indent = line.len() - line.trim_start().len();
        if let Some(current) = self
            .current
            .as_mut()
            .filter(|current| indent > current.indent)
        {
            current.lines.push(text.to_owned());
            return Ok(());
        }
        self.finish_value();
        match text.strip_prefix('[') {
            Some(rest) => self.section(number, rest),
            None => self.key(number, text, indent),
        }
    }

    fn section(&mut self, line: usize, rest: &str) -> Result<(), SyntaxProblem> {
        let end = rest.rfind(']').ok_or(SyntaxProblem::UnclosedSection)?;
        let name = &rest[..end];
        if name == DEFAULT {
            self.place = Place::Defaults;
            return Ok(());
        }
        if let Some(first) = self
            .document
            .sections
            .iter()
            .find(|section| section.name == name)
        {
            return Err(SyntaxProblem::DuplicateSection(name.to_owned(), first.line));
        }
        self.place = Place::Section;
        let (name, keys, order) = (name.to_owned(), Keys::new(), Vec::new());
        self.document.sections.push(SectionText {
            name,
            keys,
            order,
            line,
        });
        Ok(())
    }

    fn key(&mut self, line: usize, text: &str, indent: usize) -> Result<(), SyntaxProblem> {
        if matches!(self.place, Place::Nowhere) {
            return Err(SyntaxProblem::NoSection);
        }
        let shown = || SyntaxProblem::NoDelimiter(text.chars().take(80).collect());
        let delimiter = text
            .find(['=', ':'])
            .filter(|at| *at > 0)
            .ok_or_else(shown)?;
        let key = normalise(&text[..delimiter]);
        let value = text[delimiter + 1..].trim().to_owned();
        let (section, keys) = match self.place {
            Place::Section => match self.document.sections.last() {
                Some(section) => (section.name.as_str(), &section.keys),
                None => return Err(SyntaxProblem::NoSection),
            },
            _ => (DEFAULT, &self.document.defaults),
        };
        if let Some(first) = keys.get(&key) {
            return Err(SyntaxProblem::DuplicateKey(
                key,
                section.to_owned(),
                first.line,
            ));
        }
        self.current = Some(Current {
            key,
            lines: vec![value],
            indent,
            line,
        });
        Ok(())
    }

    /// Stores the value that was being read, without the blank lines at its end.
    fn finish_value(&mut self) {
        let Some(current) = self.current.take() else {
            return;
        };
        let text = current.lines.join("\n").trim_end().to_owned();
        let value = RawValue {
            text,
            line: current.line,
        };
        match (self.place, self.document.sections.last_mut()) {
            (Place::Section, Some(section)) => {
                section.order.push(current.key.clone());
                section.keys.insert(current.key, value);
            }
            _ => {
                self.document.defaults.insert(current.key, value);
            }
        }
    }
}
