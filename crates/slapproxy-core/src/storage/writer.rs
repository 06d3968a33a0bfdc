//! The connection that writes, shared by all who write.
//!
//! Syncing to the disk takes most of a write's time, so that writes that come at once share it:
//! they take turns in one open transaction, each in a savepoint of its own, and whoever finds
//! nobody behind commits for all. Each is answered after that commit.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Savepoint, Transaction, TransactionBehavior};

use super::statements::Statements;
use super::{Records, StorageError};
use crate::MasterError;

/// Most writes of one transaction: what bounds the wait of the first.
const LARGEST_BATCH: usize = 256;

/// The connection that writes.
#[derive(Debug)]
pub(super) struct Writer {
    turn: Mutex<Turn>,
    /// Writes that wait for their turn. Each of them will take it.
    waiting: AtomicUsize,
}

/// What the one whose turn it is works with.
#[derive(Debug)]
struct Turn {
    connection: Connection,
    /// The open transaction.
    batch: Option<Batch>,
}

/// Writes that are committed together.
#[derive(Debug, Default)]
struct Batch {
    outcome: Arc<Outcome>,
    size: usize,
}

/// What became of a batch.
#[derive(Debug, Default)]
struct Outcome {
    committed: Mutex<Option<Result<(), Failure>>>,
    known: Condvar,
}

/// Why a transaction was lost, for each of its writes.
#[derive(Debug, Clone)]
struct Failure {
    code: rusqlite::ffi::Error,
    message: String,
}

impl Writer {
    pub(super) fn new(connection: Connection) -> Self {
        let batch = None;
        Self {
            turn: Mutex::new(Turn { connection, batch }),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Does one write; it is on the disk when this returns. A write that fails changes nothing.
    pub(super) fn write<T>(
        &self,
        function: impl FnOnce(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        // A panic of another writer has undone its own write only.
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        let mut turn = Held { writer: self, turn };
        let outcome = turn.turn.join()?;
        let value = turn.turn.write(function)?;
        drop(turn);
        outcome.wait()?;
        Ok(value)
    }

    /// Does one write in a transaction that it shares with no other, over the connection itself.
    pub(super) fn write_alone<T, E: From<StorageError>>(
        &self,
        function: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        turn.commit();
        let behavior = TransactionBehavior::Immediate;
        let transaction = Transaction::new(&mut turn.connection, behavior);
        let transaction = transaction.map_err(failed("cannot begin"))?;
        let value = function(&transaction)?;
        transaction.commit().map_err(failed("cannot commit"))?;
        Ok(value)
    }
}

/// A turn that ends: it commits unless somebody comes after.
struct Held<'a> {
    writer: &'a Writer,
    turn: MutexGuard<'a, Turn>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let size = self.turn.batch.as_ref().map_or(0, |batch| batch.size);
        if self.writer.waiting.load(Ordering::SeqCst) == 0 || size >= LARGEST_BATCH {
            self.turn.commit();
        }
    }
}

impl Turn {
    /// Becomes part of the open transaction, or of a new one.
    fn join(&mut self) -> Result<Arc<Outcome>, StorageError> {
        if self.batch.is_none() {
            if !self.connection.is_autocommit() {
                // A commit failed and left its transaction open.
                execute(&self.connection, "ROLLBACK").map_err(failed("cannot roll back"))?;
            }
            execute(&self.connection, "BEGIN IMMEDIATE").map_err(failed("cannot begin"))?;
        }
        let batch = self.batch.get_or_insert_default();
        batch.size += 1;
        Ok(batch.outcome.clone())
    }

    /// Does a write within its own savepoint.
    fn write<T>(
        &mut self,
        function: impl FnOnce(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        let result = nested(&mut self.connection, function);
        // Of some failures (a full disk) the database gives up the whole transaction.
        if self.connection.is_autocommit()
            && let Some(batch) = self.batch.take()
        {
            let lost = result
                .as_ref()
                .err()
                .map_or_else(Failure::unknown, Failure::of);
            batch.outcome.set(Err(lost));
        }
        result
    }

    /// Commits the open transaction, if there is one, and tells its writes.
    fn commit(&mut self) {
        let Some(batch) = self.batch.take() else {
            return;
        };
        let committed = execute(&self.connection, "COMMIT");
        batch
            .outcome
            .set(committed.map_err(|error| Failure::from(&error)));
    }
}

/// Runs a function in a savepoint, which is undone when it fails or panics.
fn nested<T>(
    connection: &mut Connection,
    function: impl FnOnce(&dyn Records) -> Result<T, MasterError>,
) -> Result<T, MasterError> {
    let savepoint = Savepoint::new(connection).map_err(failed("cannot begin"))?;
    let value = function(&Statements(&savepoint))?;
    savepoint.commit().map_err(failed("cannot end a write"))?;
    Ok(value)
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

fn failed(action: &'static str) -> impl FnOnce(rusqlite::Error) -> StorageError {
    move |source| StorageError { action, source }
}

impl Outcome {
    fn set(&self, committed: Result<(), Failure>) {
        *self.lock() = Some(committed);
        self.known.notify_all();
    }

    /// Waits until the batch is committed or lost.
    fn wait(&self) -> Result<(), StorageError> {
        let unknown = |committed: &mut Option<_>| committed.is_none();
        let known = self.known.wait_while(self.lock(), unknown);
        let known = known.unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some(Err(failure)) => Err(failure.clone().into()),
            _ => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Result<(), Failure>>> {
        self.committed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failure {
    fn unknown() -> Self {
        Self {
            code: rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT),
            message: "the transaction was given up".to_owned(),
        }
    }

    fn of(error: &MasterError) -> Self {
        match error {
            MasterError::Storage(error) => Self::from(&error.source),
            _ => Self::unknown(),
        }
    }
}

impl From<&rusqlite::Error> for Failure {
    fn from(error: &rusqlite::Error) -> Self {
        let code = error.sqlite_error().copied();
        Self {
            code: code.unwrap_or_else(|| Self::unknown().code),
            message: error.to_string(),
        }
    }
}

impl From<Failure> for StorageError {
    fn from(failure: Failure) -> Self {
        Self {
            action: "cannot commit",
            source: rusqlite::Error::SqliteFailure(failure.code, Some(failure.message)),
        }
    }
}
