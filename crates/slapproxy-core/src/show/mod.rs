//! What a database holds, as text for a terminal or as JSON: the sections of the peer's
//! `proxy show`, what nodes reported, and what is kept although nobody requests it.

mod json;
mod table;
mod text;

use crate::MasterError;
use crate::storage::{Database, OpenError, look_at};
use crate::survey::Survey;

/// A part of what is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Computers that described themselves.
    Computers,
    /// Releases that computers shall have or lose.
    Software,
    /// Partitions that hold an instance.
    Partitions,
    /// Slaves.
    Slaves,
    /// What instances published.
    Params,
    /// Addresses of the partitions that hold an instance.
    Network,
    /// What nodes reported last of each release and instance.
    Reports,
    /// Instances that are kept although they are no longer requested.
    Unrequested,
}

impl Section {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Computers,
        Self::Software,
        Self::Partitions,
        Self::Slaves,
        Self::Params,
        Self::Network,
        Self::Reports,
        Self::Unrequested,
    ];
}

/// The form in which a database is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShowFormat {
    /// Tables and lines. What instances published may hold control characters.
    Text,
    /// One JSON object, a key a section.
    Json,
}

/// The database cannot be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShowError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] MasterError),
}

/// The sections of a database, as of one moment. Nothing is changed, and its servers may run.
///
/// # Errors
/// It does not exist or cannot be read, or another version or program wrote it.
pub fn show(
    database: &Database,
    sections: &[Section],
    format: ShowFormat,
) -> Result<String, ShowError> {
    let survey = look_at::<_, ShowError>(database, |records| Survey::read(records, u32::MAX))?;
    Ok(match format {
        ShowFormat::Text => text::render(&survey, sections),
        ShowFormat::Json => json::render(&survey, sections),
    })
}
