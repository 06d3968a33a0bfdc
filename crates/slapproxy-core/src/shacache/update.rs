//! Bringing the directory up to date.

use super::{EntriesError, Key, Shacache, UpstreamError};

/// What an update changed: keys, in order.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Updated {
    removed: Vec<String>,
    updated: Vec<String>,
}

/// What became of one key.
enum Outcome {
    Removed,
    Updated,
    Unchanged,
}

impl Shacache {
    /// Makes the entries of every key those of the upstream directory. Without one, drops entries
    /// whose file is nowhere. What fails is logged, and its key stays as it is.
    pub(crate) fn update(&self) -> Result<Updated, EntriesError> {
        let mut changes = Updated::default();
        for key in self.entries.keys()? {
            let name = key.as_str().to_owned();
            match self.update_key(&key) {
                Ok(Outcome::Removed) => changes.removed.push(name),
                Ok(Outcome::Updated) => changes.updated.push(name),
                Ok(Outcome::Unchanged) => {}
                Err(error) => log::warn!("shadir key {name} stays as it is: {error}"),
            }
        }
        Ok(changes)
    }

    fn update_key(&self, key: &Key) -> Result<Outcome, UpstreamError> {
        if !self.upstream.has_directory() {
            return Ok(self.drop_orphans(key)?);
        }
        let entries = self.upstream.fetch_entries(key)?;
        self.entries
            .replace(key, entries.as_deref().unwrap_or_default())?;
        Ok(match entries {
            Some(_) => Outcome::Updated,
            None => Outcome::Removed,
        })
    }

    fn drop_orphans(&self, key: &Key) -> Result<Outcome, EntriesError> {
        let (dropped, left) = self.entries.retain(key, |entry| {
            let digest = entry.digest();
            digest.is_none_or(|digest| self.contents.has(&digest) || self.upstream.has_cache())
        })?;
        Ok(match (dropped, left) {
            (_, 0) => Outcome::Removed,
            (0, _) => Outcome::Unchanged,
            _ => Outcome::Updated,
        })
    }
}
