//! Backups of the database as SQL text, made before many rows change at once.

mod dump;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use slapos_fs::{FileAttributes, WriteError, write_file};

/// Permissions of the backup of a database that cannot be looked at.
const PRIVATE: u32 = 0o600;

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The tables cannot be read.
    #[error("the tables cannot be read")]
    Read(#[from] rusqlite::Error),
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Writes all tables to a new file beside the database, named after it, the occasion and the time.
/// The file is on the disk when this returns. Nobody may read it who may not read the database.
pub(super) fn back_up(
    connection: &Connection,
    database: &Path,
    occasion: &str,
) -> Result<PathBuf, BackupError> {
    let contents = dump::dump(connection)?;
    let time = jiff::Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%.6f");
    let mut path = database.as_os_str().to_owned();
    path.push(format!("-backup-{occasion}{time}.sql"));
    let path = PathBuf::from(path);
    let mode = database
        .metadata()
        .map_or(PRIVATE, |metadata| metadata.permissions().mode() & 0o777);
    let attributes = FileAttributes { mode, owner: None };
    write_file(&path, contents.as_bytes(), attributes)?;
    Ok(path)
}
