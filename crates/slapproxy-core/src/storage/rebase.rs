//! Local releases that have moved: their URLs are paths below `local_software_release_root`.
//!
//! The database remembers the root. When the configuration names another one, the paths below the
//! old one are told below the new one, so that a tree of releases can be moved or mounted elsewhere.

use std::path::{Component, Path, PathBuf};

#[cfg(feature = "postgresql")]
use super::Storage;
use super::backup::back_up;
use super::statements::Statements;
use super::{BackupError, Records, SqliteStorage, StorageError};
use crate::MasterError;

/// The name of the setting in the database.
const ROOT: &str = "local_software_release_root";
/// The root of those who configure none.
const DEFAULT_ROOT: &str = "/";

/// The URLs of local releases could not be adapted. Nothing is changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RebaseError {
    /// The database failed.
    #[error("the database failed")]
    Storage(#[from] StorageError),
    /// The database shared by several servers failed.
    #[error(transparent)]
    Refused(Box<MasterError>),
    /// Many rows would change, and they cannot be backed up.
    #[error("cannot back up the database before local releases are told below {root}")]
    Backup {
        /// The new root.
        root: String,
        /// Why.
        source: BackupError,
    },
}

impl SqliteStorage {
    /// Tells local releases below this root, if they were below another one before. Nothing moves
    /// when one root is below the other: then no path is wrong.
    ///
    /// # Errors
    /// The database cannot be backed up or written.
    pub fn rebase_local_releases(&self, root: Option<&str>) -> Result<(), RebaseError> {
        let root = root.unwrap_or(DEFAULT_ROOT);
        let old = self.with_reader(|connection| old_root(&Statements(connection)))?;
        if old == root {
            return Ok(());
        }
        self.with_writer(|connection| {
            let records = Statements(connection);
            let moves = moves(records.release_urls()?, &old, root);
            if !moves.is_empty() {
                let backup = back_up(connection, self.path(), "");
                let backup = backup.map_err(|source| RebaseError::Backup {
                    root: root.to_owned(),
                    source,
                })?;
                let backup = backup.display();
                log::info!("local releases move from {old} to {root}; the backup is {backup}");
            }
            Ok(carry_out(&records, moves, root)?)
        })
    }
}

#[cfg(feature = "postgresql")]
impl super::PostgresStorage {
    /// As [`SqliteStorage::rebase_local_releases`]. Backups are made by those who run the database.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub fn rebase_local_releases(&self, root: Option<&str>) -> Result<(), RebaseError> {
        let root = root.unwrap_or(DEFAULT_ROOT);
        let failed = |error| match error {
            MasterError::Storage(error) => error.into(),
            error => RebaseError::Refused(Box::new(error)),
        };
        // A standby, which takes no writes, may serve as well where nothing is to be written.
        let old = self
            .read(|records| Ok(old_root(records)?))
            .map_err(failed)?;
        if old == root {
            return Ok(());
        }
        self.write(|records| rebase(records, root)).map_err(failed)
    }
}

/// Tells local releases below this root, if no other server was quicker.
#[cfg(feature = "postgresql")]
fn rebase(records: &dyn Records, root: &str) -> Result<(), MasterError> {
    let old = old_root(records)?;
    if old == root {
        return Ok(());
    }
    let moves = moves(records.release_urls()?, &old, root);
    if !moves.is_empty() {
        log::info!("local releases move from {old} to {root}");
    }
    Ok(carry_out(records, moves, root)?)
}

/// The root that the database remembers.
fn old_root(records: &dyn Records) -> Result<String, StorageError> {
    let old = records.config(ROOT)?;
    Ok(old.unwrap_or_else(|| DEFAULT_ROOT.to_owned()))
}

/// Moves the releases, and remembers the new root.
fn carry_out(
    records: &dyn Records,
    moves: Vec<(String, String)>,
    root: &str,
) -> Result<(), StorageError> {
    for (from, to) in moves {
        records.move_release(&from, &to)?;
    }
    records.set_config(ROOT, root)
}

/// Which URLs change, and to what.
fn moves(urls: Vec<String>, old: &str, new: &str) -> Vec<(String, String)> {
    let (old, new) = (plain(old), plain(new));
    if old.starts_with(&new) || new.starts_with(&old) {
        return Vec::new();
    }
    let moved = |url: String| {
        let path = Path::new(&url).is_absolute().then(|| plain(&url))?;
        let below = new.join(path.strip_prefix(&old).ok()?);
        // What joining with nothing leaves at the end.
        let below = below.to_str()?.trim_end_matches('/').to_owned();
        Some((url, below))
    };
    urls.into_iter().filter_map(moved).collect()
}

/// A path without `.`, `..` and double slashes, without looking at the disk.
fn plain(path: &str) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{ReportKind, ReportRow};

    #[test]
    fn a_release_that_moves_is_reported_anew() {
        let directory = tempfile::tempdir().unwrap();
        let storage = SqliteStorage::open(&directory.path().join("db"), "C").unwrap();
        storage.rebase_local_releases(Some("/old")).unwrap();
        let report = |url: &str| ReportRow {
            subject: url.to_owned(),
            state: "available".to_owned(),
            message: String::new(),
            time: 0.0,
        };
        storage
            .with_writer(|connection| {
                let records = Statements(connection);
                for url in ["/old/a.cfg", "http://b.cfg"] {
                    records.set_software("C", url, "available")?;
                    records.put_report(ReportKind::Software, "C", &report(url))?;
                }
                Ok::<_, StorageError>(())
            })
            .unwrap();
        storage.rebase_local_releases(Some("/new")).unwrap();
        let (urls, reports) = storage
            .with_reader(|connection| {
                let records = Statements(connection);
                let reports = records.reports(ReportKind::Software, "C")?;
                Ok::<_, StorageError>((records.release_urls()?, reports))
            })
            .unwrap();
        assert_eq!(urls, ["/new/a.cfg", "http://b.cfg"]);
        assert_eq!(reports, [report("http://b.cfg")]);
    }

    #[test]
    fn paths_below_the_old_root_are_told_below_the_new_one() {
        // (old root, new root, URL, what becomes of it), as slapos.core 1.26.1 does it.
        let table = [
            ("/old", "/new", "/old/a/software.cfg", "/new/a/software.cfg"),
            ("/old", "/new", "/old/b.cfg", "/new/b.cfg"),
            ("/old/", "/new/", "/old/b.cfg", "/new/b.cfg"),
            ("/old", "/new", "/older/x", "/older/x"),
            ("/old", "/new", "http://host/old/", "http://host/old/"),
            ("/old", "/new", "file:///old/x", "file:///old/x"),
            ("/old", "/new", "old/x", "old/x"),
            ("/old", "/older", "/old/x", "/older/x"),
            ("/a/b", "/c", "/a//b//w", "/c/w"),
            ("/a/b", "/c", "/a/b/../q", "/a/b/../q"),
            ("/a/../a", "/c", "/a/b/../q", "/c/q"),
            ("/a", "/c", "/a/../z", "/a/../z"),
            ("/a", "/c", "/a/./t/", "/c/t"),
            // One root below the other: nothing moves.
            ("/", "/new", "/old/x", "/old/x"),
            ("/old", "/", "/old/x", "/old/x"),
            ("/a", "/a/b", "/a/x", "/a/x"),
            ("/a/b", "/a", "/a/b/x", "/a/b/x"),
            // The root itself: the peer makes /new/. of it.
            ("/old", "/new", "/old", "/new"),
        ];
        for (old, new, url, expected) in table {
            let moves = moves(vec![url.to_owned()], old, new);
            let found = moves.first().map_or(url, |(_, to)| to);
            assert_eq!(found, expected, "{url} from {old} to {new}");
        }
    }
}
