//! `slapos.cfg`: an INI file as Python's ConfigParser reads it, looked up by section and key with
//! errors that name both.
//!
//! The format is read by a parser of our own: the crates for INI files know neither Python's
//! continuation lines and interpolation nor the line of an error.

mod interpolation;
mod lookup;
mod parser;

pub use interpolation::InterpolationProblem;
pub use lookup::{MissingParameters, Section, ValueError, ValueProblem};
pub use parser::SyntaxProblem;

use std::path::{Path, PathBuf};

use parser::Document;

/// A configuration file that was read.
#[derive(Debug, Clone)]
pub struct ConfigFile {
    path: PathBuf,
    document: Document,
}

/// A configuration file that could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It does not exist or may not be read.
    #[error("cannot read the configuration file {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no INI file.
    #[error("{path}, line {line}: {problem}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        problem: SyntaxProblem,
    },
}

/// Largest file that is read, in bytes.
const LARGEST: u64 = 16 << 20;

impl ConfigFile {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read or is no INI file.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let bytes = read_bounded(path).map_err(|source| ReadError::Io {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, &bytes)
    }

    /// Reads the contents of a file; `path` is for messages.
    ///
    /// # Errors
    /// They are no INI file.
    pub fn parse(path: &Path, contents: &[u8]) -> Result<Self, ReadError> {
        match parser::parse(contents) {
            Ok(document) => Ok(Self {
                path: path.to_owned(),
                document,
            }),
            Err((line, problem)) => Err(ReadError::Syntax {
                path: path.to_owned(),
                line,
                problem,
            }),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names of the sections, in the order of the file, without `DEFAULT`.
    pub fn sections(&self) -> impl Iterator<Item = &str> {
        self.document
            .sections
            .iter()
            .map(|section| section.name.as_str())
    }

    /// A section; one that the file does not have is empty (and has no defaults).
    pub fn section<'a>(&'a self, name: &'a str) -> Section<'a> {
        Section::new(self, name)
    }
}

fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut contents = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(LARGEST + 1).read_to_end(&mut contents)?;
    if contents.len() as u64 > LARGEST {
        return Err(std::io::Error::other(format!(
            "larger than {LARGEST} bytes"
        )));
    }
    Ok(contents)
}
