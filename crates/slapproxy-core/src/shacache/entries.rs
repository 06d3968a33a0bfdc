//! Signed entries by their key.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use slapos_fs::{ReadError, WriteError, read_bounded, write_file};

use super::contents::READABLE;
use super::{Digest, Key};

/// Entries of a key that are kept; the oldest go.
const MOST: usize = 100;
/// Largest list of entries, in bytes.
pub(super) const LARGEST_LIST: u64 = 16 << 20;

/// What a file of the cache is, as a JSON object in a text, and a signature of that text.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Entry(String, String);

/// A request body that is no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an entry is a JSON array of two texts, a JSON object and its signature")]
pub(crate) struct InvalidEntry;

/// Reads an entry as it is uploaded.
pub(crate) fn parse_entry(json: &[u8]) -> Result<Entry, InvalidEntry> {
    let entry: Entry = serde_json::from_slice(json).map_err(|_| InvalidEntry)?;
    entry.described().map(|_| entry.clone()).ok_or(InvalidEntry)
}

impl Entry {
    /// The object that the text holds.
    fn described(&self) -> Option<serde_json::Map<String, Value>> {
        serde_json::from_str(&self.0).ok()
    }

    /// The file that it is about; `None` if it names none.
    pub(super) fn digest(&self) -> Option<Digest> {
        Digest::parse(self.described()?.get("sha512")?.as_str()?)
    }
}

/// The directory of entries: a file for each key, holding a JSON array.
#[derive(Debug)]
pub(crate) struct Entries {
    directory: PathBuf,
    /// Held from reading a file to replacing it.
    changing: Mutex<()>,
}

/// Entries cannot be read or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum EntriesError {
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file holds something else.
    #[error("{path} holds no list of entries")]
    Json {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A file cannot be removed.
    #[error("cannot remove {path}")]
    Remove {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The directory cannot be read.
    #[error("cannot read {path}")]
    List {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Entries {
    pub(super) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            changing: Mutex::default(),
        }
    }

    /// The entries of a key, the newest first; `None` if it has none.
    pub(crate) fn get(&self, key: &Key) -> Result<Option<Vec<Entry>>, EntriesError> {
        let path = self.path(key);
        let json = match read_bounded(&path, LARGEST_LIST) {
            Ok(json) => json,
            Err(error) if error.source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let entries = serde_json::from_slice(&json);
        entries
            .map(Some)
            .map_err(|source| EntriesError::Json { path, source })
    }

    /// Adds an entry before those of other machines and signers; the same again only moves there.
    pub(crate) fn add(&self, key: &Key, entry: Entry) -> Result<(), EntriesError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries = match self.get(key) {
            Ok(entries) => entries.unwrap_or_default(),
            Err(EntriesError::Json { path, source }) => {
                log::warn!("{} is replaced: {source}", path.display());
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        entries.retain(|present| *present != entry);
        entries.insert(0, entry);
        entries.truncate(MOST);
        self.write(key, &entries)
    }

    /// Gives entries to a key that has none; whoever was first wins, and its entries are returned.
    pub(super) fn fill(&self, key: &Key, entries: Vec<Entry>) -> Result<Vec<Entry>, EntriesError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(present) = self.get(key)? {
            return Ok(present);
        }
        self.write(key, &entries)?;
        Ok(entries)
    }

    /// Replaces the entries of a key; without any, it is forgotten.
    pub(super) fn replace(&self, key: &Key, entries: &[Entry]) -> Result<(), EntriesError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        match entries {
            [] => self.remove(key),
            _ => self.write(key, entries),
        }
    }

    /// Keeps only some entries of a key, and forgets the key if there are none; says how many
    /// were dropped and are left.
    pub(super) fn retain(
        &self,
        key: &Key,
        keep: impl FnMut(&Entry) -> bool,
    ) -> Result<(usize, usize), EntriesError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries = self.get(key)?.unwrap_or_default();
        let before = entries.len();
        entries.retain(keep);
        let dropped = before - entries.len();
        if entries.is_empty() {
            self.remove(key)?;
        } else if dropped > 0 {
            self.write(key, &entries)?;
        }
        Ok((dropped, entries.len()))
    }

    /// The keys, in order.
    pub(super) fn keys(&self) -> Result<Vec<Key>, EntriesError> {
        let failed = |source| EntriesError::List {
            path: self.directory.clone(),
            source,
        };
        let mut keys = Vec::new();
        for file in fs::read_dir(&self.directory).map_err(failed)? {
            let name = file.map_err(failed)?.file_name();
            keys.extend(name.to_str().and_then(|name| Key::parse(name).ok()));
        }
        keys.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        Ok(keys)
    }

    fn write(&self, key: &Key, entries: &[Entry]) -> Result<(), EntriesError> {
        let path = self.path(key);
        match serde_json::to_vec(entries) {
            Ok(json) => Ok(write_file(&path, &json, READABLE)?),
            Err(source) => Err(EntriesError::Json { path, source }),
        }
    }

    fn remove(&self, key: &Key) -> Result<(), EntriesError> {
        let path = self.path(key);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(EntriesError::Remove { path, source })
            }
            _ => Ok(()),
        }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.directory.join(key.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> (tempfile::TempDir, Entries, Key) {
        let directory = tempfile::tempdir().unwrap();
        let entries = Entries::new(directory.path());
        (directory, entries, Key::parse("key").unwrap())
    }

    fn entry(text: &str) -> Entry {
        Entry(text.to_owned(), "signature".to_owned())
    }

    #[test]
    fn entries_of_several_machines_stand_side_by_side_the_newest_first() {
        let (directory, entries, key) = entries();
        assert_eq!(entries.get(&key).unwrap(), None);
        for text in ["{\"n\":1}", "{\"n\":2}", "{\"n\":1}"] {
            entries.add(&key, entry(text)).unwrap();
        }
        let expected = vec![entry("{\"n\":1}"), entry("{\"n\":2}")];
        assert_eq!(entries.get(&key).unwrap(), Some(expected));
        let json = fs::read_to_string(directory.path().join("key")).unwrap();
        assert_eq!(
            json,
            r#"[["{\"n\":1}","signature"],["{\"n\":2}","signature"]]"#
        );
    }

    #[test]
    fn nobody_takes_the_place_of_another_signer() {
        let (_directory, entries, key) = entries();
        let signed = |signature: &str| Entry("{}".to_owned(), signature.to_owned());
        for signature in ["one", "another", "one"] {
            entries.add(&key, signed(signature)).unwrap();
        }
        let expected = vec![signed("one"), signed("another")];
        assert_eq!(entries.get(&key).unwrap(), Some(expected));
    }

    #[test]
    fn what_was_fetched_does_not_replace_what_was_uploaded_meanwhile() {
        let (_directory, entries, key) = entries();
        let fetched = vec![entry("{\"n\":1}")];
        assert_eq!(entries.fill(&key, fetched.clone()).unwrap(), fetched);
        let later = vec![entry("{\"n\":2}")];
        assert_eq!(entries.fill(&key, later).unwrap(), fetched);
        assert_eq!(entries.get(&key).unwrap(), Some(fetched));
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let (_directory, entries, key) = entries();
        for number in 0..=MOST {
            entries
                .add(&key, entry(&format!("{{\"n\":{number}}}")))
                .unwrap();
        }
        let kept = entries.get(&key).unwrap().unwrap();
        assert_eq!(kept.len(), MOST);
        assert_eq!(kept.last(), Some(&entry("{\"n\":1}")));
    }

    #[test]
    fn only_pairs_of_an_object_and_a_signature_are_entries() {
        assert!(parse_entry(br#"["{\"sha512\":\"x\"}", ""]"#).is_ok());
        for json in [
            "",
            "nonsense",
            "{}",
            "[]",
            r#"["{}"]"#,
            r#"["{}", 1]"#,
            r#"["{}", "", ""]"#,
            r#"["[]", ""]"#,
            r#"["nonsense", ""]"#,
            r#"[["{}", ""]]"#,
            "\u{feff}",
        ] {
            assert_eq!(parse_entry(json.as_bytes()), Err(InvalidEntry), "{json}");
        }
    }

    #[test]
    fn a_damaged_file_is_told_and_replaced_by_the_next_entry() {
        let (directory, entries, key) = entries();
        fs::write(directory.path().join("key"), "nonsense").unwrap();
        assert!(matches!(entries.get(&key), Err(EntriesError::Json { .. })));
        entries.add(&key, entry("{}")).unwrap();
        assert_eq!(entries.get(&key).unwrap(), Some(vec![entry("{}")]));
    }
}
