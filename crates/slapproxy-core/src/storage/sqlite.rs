//! The SQLite engine: one connection writes (see [`super::writer`]), others read.
//!
//! In WAL mode readers and the writer never wait for each other, and as there is one writer,
//! "database is locked" cannot come from within. The file may be shared with another process for
//! a moment (a swap of masters), so there is a busy timeout all the same.

mod engine;

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

pub(super) use engine::execute;

use super::notifier::Notifier;
use super::statements::Statements;
use super::writer::Writer;
use super::{EngineError, Listener, Records, SchemaError, Storage, StorageError, migrate};
use crate::MasterError;

/// How long to wait for another process.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections for reading that are kept open.
const IDLE_READERS: usize = 16;
/// Prepared statements kept per connection.
const CACHED_STATEMENTS: usize = 64;

/// A database file.
#[derive(Debug)]
pub struct SqliteStorage {
    path: PathBuf,
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
    /// Dropped after the writer, with which it ends.
    notifier: Notifier,
}

/// The database cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no file, and none can be made.
    #[error("cannot make the database {path}")]
    Make {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be opened or is no SQLite database.
    #[error("cannot open the database {path}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// Its tables are not ours.
    #[error("cannot use the database {path}")]
    Schema {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SchemaError,
    },
    /// A database of PostgreSQL cannot be opened.
    #[cfg(feature = "postgresql")]
    #[error("cannot open the database {database}")]
    Postgres {
        /// Its name and hosts.
        database: String,
        /// Why.
        source: super::PostgresError,
    },
    /// The tables of a database of PostgreSQL are not ours.
    #[cfg(feature = "postgresql")]
    #[error("cannot use the database {database}")]
    PostgresSchema {
        /// Its name and hosts.
        database: String,
        /// Why.
        source: SchemaError,
    },
    /// The system does not give the thread that commits, or that looks for changes.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}

impl SqliteStorage {
    /// Opens a file, and makes it and its tables where they are missing. Tables of an older version
    /// are migrated, after a backup beside the file.
    ///
    /// # Errors
    /// The file cannot be opened, a newer version or another program wrote it, or it cannot be
    /// migrated. It is unchanged then.
    pub fn open(path: &Path, computer_id: &str) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Sqlite {
            path: path.to_owned(),
            source,
        };
        make_private(path).map_err(|source| OpenError::Make {
            path: path.to_owned(),
            source,
        })?;
        let mut writer = connect(path).map_err(failed)?;
        migrate::ensure_tables(&mut writer, path, computer_id).map_err(|source| {
            OpenError::Schema {
                path: path.to_owned(),
                source,
            }
        })?;
        // Only now: a file that is refused stays as it was.
        writer
            .pragma_update(None, "journal_mode", "WAL")
            .map_err(failed)?;
        // Who writes waits for other processes by itself, and not always on its thread.
        writer.busy_timeout(Duration::ZERO).map_err(failed)?;
        // One message is enough: whoever reads it looks at all that was committed.
        let (committed, commits) = sync_channel(1);
        let changes = connect(path).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            writer: Writer::new(writer, BUSY_TIMEOUT, committed).map_err(OpenError::Thread)?,
            readers: Mutex::default(),
            notifier: Notifier::new(changes, commits).map_err(OpenError::Thread)?,
        })
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads within one snapshot over the connection itself.
    pub(super) fn with_reader<T, E: From<StorageError>>(
        &self,
        function: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let reader = self.reader()?;
        let result = snapshot(&reader, function);
        if reader.is_autocommit() {
            self.put_back(reader);
        }
        result
    }

    /// Writes, as [`Storage::write`] does, over the connection itself.
    pub(super) fn with_writer<T, E: From<StorageError>>(
        &self,
        function: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.writer.write(function)
    }

    fn reader(&self) -> Result<Connection, StorageError> {
        let idle = self
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        idle.map_or_else(|| connect(&self.path), Ok)
            .map_err(failed("cannot open the database"))
    }

    fn put_back(&self, reader: Connection) {
        let mut idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_READERS {
            idle.push(reader);
        }
    }
}

/// Makes the file, empty, unless it is there. What instances publish holds passwords: it is for its
/// owner alone, and so is what SQLite keeps beside it.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    // Else SQLite plans a prepared statement anew for each value that it is given.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // A write is on the disk when it is answered.
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

impl Storage for SqliteStorage {
    fn read<T>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        self.with_reader(|connection| function(&Statements(connection)))
    }

    fn write<T>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        self.with_writer(|connection| function(&Statements(connection)))
    }

    async fn read_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError> + Send,
    ) -> Result<T, MasterError> {
        // It is over before another thread would have begun.
        self.read(function)
    }

    async fn glance_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError> + Send,
    ) -> Result<T, MasterError> {
        self.read_async(function).await
    }

    fn write_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError> + Send,
    ) -> impl Future<Output = Result<T, MasterError>> + Send {
        self.writer
            .write_async(move |connection| function(&Statements(connection)))
    }

    fn tell_changes(&self, listener: Listener) {
        self.notifier.tell(listener);
    }
}

/// An error of what was tried.
pub(super) fn failed(action: &'static str) -> impl Fn(rusqlite::Error) -> StorageError {
    move |source| EngineError::from(source).at(action)
}

/// Reads in one transaction. It is left open when the function panics: such a connection must go.
pub(super) fn snapshot<T, E: From<StorageError>>(
    connection: &Connection,
    function: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    execute(connection, "BEGIN").map_err(failed("cannot begin"))?;
    let value = function(connection);
    execute(connection, "END").map_err(failed("cannot end reading"))?;
    value
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_database_is_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("proxy.db");
        let storage = SqliteStorage::open(&path, "C").unwrap();
        let write = storage.write(|records| Ok(records.set_computer("C", None, None)?));
        write.unwrap();
        for suffix in ["", "-wal", "-shm"] {
            let mut path = path.clone().into_os_string();
            path.push(suffix);
            let mode = std::fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{suffix}: {mode:o}");
        }
    }
}
