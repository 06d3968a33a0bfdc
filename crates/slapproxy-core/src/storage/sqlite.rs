//! The SQLite engine: one connection writes, others read.
//!
//! In WAL mode readers and the writer never wait for each other, and as there is one writer,
//! "database is locked" cannot come from within. The file may be shared with another process for
//! a moment (a swap of masters), so there is a busy timeout all the same.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::statements::Statements;
use super::{Records, SchemaError, Storage, StorageError, schema};
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
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

/// The database cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
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
}

impl SqliteStorage {
    /// Opens a file, and makes it and its tables where they are missing.
    ///
    /// # Errors
    /// The file cannot be opened, or another version or program wrote it.
    pub fn open(path: &Path, computer_id: &str) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Sqlite {
            path: path.to_owned(),
            source,
        };
        let writer = connect(path, OpenFlags::SQLITE_OPEN_CREATE).map_err(failed)?;
        schema::ensure(&writer, computer_id).map_err(|source| OpenError::Schema {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            readers: Mutex::default(),
        })
    }

    fn reader(&self) -> Result<Connection, StorageError> {
        let idle = self
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        idle.map_or_else(|| connect(&self.path, OpenFlags::empty()), Ok)
            .map_err(|source| StorageError {
                action: "cannot open the database",
                source,
            })
    }

    fn put_back(&self, reader: Connection) {
        let mut idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_READERS {
            idle.push(reader);
        }
    }
}

fn connect(path: &Path, extra: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | extra;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A write is on the disk when it is answered.
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

impl Storage for SqliteStorage {
    fn read<T>(
        &self,
        function: impl FnOnce(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        let mut reader = self.reader()?;
        let result = transact(&mut reader, TransactionBehavior::Deferred, function);
        self.put_back(reader);
        result
    }

    fn write<T>(
        &self,
        function: impl FnOnce(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        // A panic of another writer has rolled back its transaction.
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        transact(&mut writer, TransactionBehavior::Immediate, function)
    }
}

pub(super) fn transact<T>(
    connection: &mut Connection,
    behavior: TransactionBehavior,
    function: impl FnOnce(&dyn Records) -> Result<T, MasterError>,
) -> Result<T, MasterError> {
    let failed = |action| move |source| StorageError { action, source };
    let transaction = Transaction::new(connection, behavior).map_err(failed("cannot begin"))?;
    let value = function(&Statements(&transaction))?;
    transaction.commit().map_err(failed("cannot commit"))?;
    Ok(value)
}
