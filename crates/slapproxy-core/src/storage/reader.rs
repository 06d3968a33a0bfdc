//! A database file that is only looked at.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::sqlite::{BUSY_TIMEOUT, snapshot};
use super::statements::Statements;
use super::{OpenError, Records, SchemaError, StorageError, schema};
use crate::MasterError;

/// A database file that is only looked at; nothing of it is changed, and its server may run.
#[derive(Debug)]
pub struct SqliteReader(Mutex<Connection>);

impl SqliteReader {
    /// Opens a file.
    ///
    /// # Errors
    /// The file does not exist or cannot be read, or another version or program wrote it.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let connection = view(path).map_err(|source| OpenError::Sqlite {
            path: path.to_owned(),
            source,
        })?;
        complete(&connection).map_err(|source| OpenError::Schema {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Reads within one snapshot.
    ///
    /// # Errors
    /// Those of the function, and failures of the database.
    pub fn read<T>(
        &self,
        function: impl FnOnce(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        self.with(|connection| function(&Statements(connection)))
    }

    /// As [`SqliteReader::read`], over the connection itself.
    pub(super) fn with<T, E: From<StorageError>>(
        &self,
        function: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        snapshot(&connection, function)
    }
}

/// A connection that cannot write.
fn view(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let readable = connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()));
    let error = match readable {
        Ok(()) => return Ok(connection),
        Err(error) => error,
    };
    // In WAL mode a reader makes files beside the database, which takes write access to its
    // directory. When there is no log, nobody else is using the file and they are not needed.
    let code = error.sqlite_error_code();
    let no_access = matches!(code, Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen));
    if !no_access || beside(path, "-wal").exists() {
        return Err(error);
    }
    let encoded = percent_encode(path.as_os_str().as_bytes(), NON_ALPHANUMERIC);
    let url = format!("file:{encoded}?immutable=1");
    Connection::open_with_flags(url, flags | OpenFlags::SQLITE_OPEN_URI)
}

/// A file that SQLite keeps beside a database.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Gives a connection that cannot write the tables that its file lacks, empty and for itself.
/// A file that the peer wrote has none of ours.
fn complete(connection: &Connection) -> Result<(), SchemaError> {
    match schema::version(connection)? {
        None => return Err(SchemaError::Empty),
        Some(schema::VERSION) => {}
        Some(found) => return Err(SchemaError::Older { found }),
    }
    let present = tables(connection)?;
    let model = Connection::open_in_memory()?;
    schema::create(&model, "")?;
    let missing = tables(&model)?
        .into_iter()
        .filter(|(name, _)| !present.contains_key(name));
    for (_, sql) in missing {
        connection.execute_batch(&sql.replacen("CREATE TABLE", "CREATE TEMP TABLE", 1))?;
    }
    Ok(())
}

/// The tables and how each was made.
fn tables(connection: &Connection) -> Result<BTreeMap<String, String>, rusqlite::Error> {
    let mut statement =
        connection.prepare("SELECT name, sql FROM sqlite_master WHERE type = 'table'")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{SqliteStorage, Storage};

    fn computers(path: &Path) -> Vec<String> {
        let reader = SqliteReader::open(path).unwrap();
        let rows = reader.read(|records| Ok(records.computers()?)).unwrap();
        rows.into_iter().map(|row| row.reference).collect()
    }

    #[test]
    fn a_file_is_read_beside_its_server_and_without() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a b?.db");
        let storage = SqliteStorage::open(&path, "C").unwrap();
        let write = |name| storage.write(|records| Ok(records.set_computer(name, None, None)?));
        write("one").unwrap();
        assert_eq!(computers(&path), ["one"]);
        write("two").unwrap();
        assert_eq!(computers(&path), ["one", "two"]);
        drop(storage);
        assert_eq!(computers(&path), ["one", "two"]);
    }

    #[test]
    fn tables_of_ours_that_the_peer_did_not_make_are_empty_and_stay_absent() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("proxy.db");
        drop(SqliteStorage::open(&path, "C").unwrap());
        let peer = Connection::open(&path).unwrap();
        peer.execute_batch("DROP TABLE report18; DROP TABLE usage18")
            .unwrap();
        let reader = SqliteReader::open(&path).unwrap();
        let computers = reader.read(|records| Ok(records.computers()?)).unwrap();
        assert_eq!(computers, []);
        let left = peer.query_row(
            "SELECT count(*) FROM sqlite_master WHERE name IN ('report18', 'usage18')",
            [],
            |row| row.get::<_, u32>(0),
        );
        assert_eq!(left.unwrap(), 0);
    }

    #[test]
    fn what_is_no_database_of_a_master_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("empty.db"), "").unwrap();
        std::fs::write(path("photos.db"), "my photos ".repeat(1000)).unwrap();
        let foreign = Connection::open(path("foreign.db")).unwrap();
        foreign.execute_batch("CREATE TABLE photos (a)").unwrap();
        let table = [
            ("none.db", "cannot open"),
            ("empty.db", "it holds nothing yet"),
            ("photos.db", "not a database"),
            ("foreign.db", "photos is no table"),
        ];
        for (name, part) in table {
            let error = SqliteReader::open(&path(name)).unwrap_err();
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let text = format!("{error}: {}", source.unwrap_or_default());
            assert!(text.contains(name) && text.contains(part), "{text}");
        }
        assert!(!path("none.db").exists());
        assert_eq!(std::fs::read(path("empty.db")).unwrap(), b"");
    }
}
