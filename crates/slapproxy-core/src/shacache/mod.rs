//! The network cache: files by their SHA-512 (shacache), and a directory of signed entries that
//! say what the files are (shadir).
//!
//! Nobody is trusted for what a file or an entry is: a file gets its name only when its bytes have
//! that digest, and entries are signed by whoever made them, for whoever reads them to verify.

mod contents;
mod digest;
mod entries;
mod update;
mod upstream;

pub(crate) use contents::{Contents, UploadError};
pub(crate) use digest::Digest;
pub(crate) use entries::{Entries, EntriesError, Entry, InvalidEntry, parse_entry};
pub(crate) use update::Updated;
pub(crate) use upstream::UpstreamError;

use std::fs;
use std::io;
use std::path::PathBuf;

use slapos_fs::{InvalidFileName, check_file_name, remove_unfinished};

use crate::settings::ShacacheSettings;
use upstream::Upstream;

/// The two directories, and where to ask for what they do not have.
#[derive(Debug)]
pub(crate) struct Shacache {
    pub(crate) contents: Contents,
    pub(crate) entries: Entries,
    upstream: Upstream,
}

/// A directory of the cache cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the directory {path} of the network cache")]
pub struct ShacacheError {
    /// The directory.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Makes the directories where they are missing, and removes what a kill left of uploads.
pub(crate) fn prepare(settings: &ShacacheSettings) -> Result<(), ShacacheError> {
    for directory in [&settings.content_directory, &settings.metadata_directory] {
        let prepared = fs::create_dir_all(directory).and_then(|()| remove_unfinished(directory));
        prepared.map_err(|source| ShacacheError {
            path: directory.clone(),
            source,
        })?;
    }
    Ok(())
}

impl Shacache {
    pub(crate) fn new(settings: &ShacacheSettings) -> Self {
        Self {
            contents: Contents::new(&settings.content_directory),
            entries: Entries::new(&settings.metadata_directory),
            upstream: Upstream::new(settings),
        }
    }

    /// Whether the file is there, fetched from the upstream cache if it is not.
    pub(crate) fn provide_content(&self, digest: &Digest) -> Result<bool, UpstreamError> {
        Ok(self.contents.has(digest) || self.upstream.fetch_content(digest, &self.contents)?)
    }

    /// The entries of a key as a JSON array, fetched from the upstream directory if there are
    /// none. `None`: it has none, either.
    pub(crate) fn provide_entries(&self, key: &Key) -> Result<Option<Vec<Entry>>, UpstreamError> {
        if let Some(entries) = self.entries.get(key)? {
            return Ok(Some(entries));
        }
        match self.upstream.fetch_entries(key)? {
            Some(fetched) => Ok(Some(self.entries.fill(key, fetched)?)),
            None => Ok(None),
        }
    }
}

/// A key of the directory, which is the name of a file there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    /// Accepts what is a plain name, and not one of an unfinished file.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidFileName> {
        check_file_name(text)?;
        if text.starts_with('.') {
            let name = text.to_owned();
            return Err(InvalidFileName { name });
        }
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_plain_names() {
        for key in [
            "3c6e0b8a9c15224a8228b9a98ca1531d",
            "file-urlmd5:ab",
            "pypi:x=1",
            "é",
        ] {
            assert!(Key::parse(key).is_ok(), "{key}");
        }
        for key in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a\0b",
            "a\nb",
            ".slapos-new-x",
            ".hidden",
        ] {
            assert!(Key::parse(key).is_err(), "{key:?}");
        }
    }
}
