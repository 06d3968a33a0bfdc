//! The connection that writes, shared by all who write.
//!
//! Syncing to the disk takes most of a write's time, so that writes that come at once share it:
//! they take turns in one open transaction, each in a savepoint of its own, and whoever finds
//! nobody behind commits for all. Each is answered after that commit.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::statements::{Statements, execute};
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
        let result = nested(&self.connection, function);
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

/// A write within the open transaction; it is undone unless it is kept.
struct Nested<'a>(&'a Connection);

impl<'a> Nested<'a> {
    fn begin(connection: &'a Connection) -> rusqlite::Result<Self> {
        execute(connection, "SAVEPOINT one")?;
        Ok(Self(connection))
    }

    fn keep(self) -> rusqlite::Result<()> {
        execute(self.0, "RELEASE one")?;
        std::mem::forget(self);
        Ok(())
    }
}

impl Drop for Nested<'_> {
    fn drop(&mut self) {
        let undone =
            execute(self.0, "ROLLBACK TO one").and_then(|()| execute(self.0, "RELEASE one"));
        if undone.is_err() && !self.0.is_autocommit() {
            // Better nothing of the transaction than half of a write; its other writes are told.
            let _ = execute(self.0, "ROLLBACK");
        }
    }
}

/// Runs a function of which nothing remains when it fails or panics.
fn nested<T>(
    connection: &Connection,
    function: impl FnOnce(&dyn Records) -> Result<T, MasterError>,
) -> Result<T, MasterError> {
    let write = Nested::begin(connection).map_err(failed("cannot begin"))?;
    let value = function(&Statements(connection))?;
    write.keep().map_err(failed("cannot end a write"))?;
    Ok(value)
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

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::thread;

    use super::*;
    use crate::storage::schema;

    /// A writer of a file, with at most that many pages.
    fn writer(directory: &tempfile::TempDir, pages: u32) -> Writer {
        let connection = Connection::open(directory.path().join("db")).unwrap();
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .unwrap();
        schema::create(&connection, "C").unwrap();
        allow(&connection, pages);
        Writer::new(connection)
    }

    fn allow(connection: &Connection, pages: u32) {
        let sql = format!("PRAGMA max_page_count = {pages}");
        connection.query_row(&sql, [], |_| Ok(())).unwrap();
    }

    /// The computers of all usage reports, each report that of another computer.
    fn reporters(writer: &Writer) -> Vec<String> {
        let turn = writer.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let sql = "SELECT computer_reference FROM usage18 ORDER BY computer_reference";
        let mut statement = turn.connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn report(writer: &Writer, computer: &str, size: usize) -> Result<(), MasterError> {
        writer.write(|records| Ok(records.put_usage(computer, &"x".repeat(size), 0.0)?))
    }

    /// Has many threads write at once; the computers whose report was taken, in order.
    fn report_at_once(writer: &Writer, size: usize) -> Vec<String> {
        let mut taken: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|thread| {
                    scope.spawn(move || {
                        let names = (0..8).map(|number| format!("C{thread}-{number}"));
                        names
                            .filter(|name| report(writer, name, size).is_ok())
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            let threads = threads.into_iter();
            threads.flat_map(|thread| thread.join().unwrap()).collect()
        });
        taken.sort();
        taken
    }

    #[test]
    fn every_write_of_many_at_once_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let writer = writer(&directory, 1 << 20);
        let taken = report_at_once(&writer, 10);
        assert_eq!((taken.len(), reporters(&writer)), (128, taken));
    }

    #[test]
    fn of_a_write_that_fails_or_panics_nothing_remains_and_others_go_on() {
        let directory = tempfile::tempdir().unwrap();
        let writer = writer(&directory, 1 << 20);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let failed: Result<(), _> = writer.write(|records| {
                        records.put_usage("failed", "", 0.0)?;
                        Err(MasterError::NotFound("no".to_owned()))
                    });
                    assert!(matches!(failed, Err(MasterError::NotFound(_))));
                    let panicked = catch_unwind(AssertUnwindSafe(|| {
                        writer.write(|records| -> Result<(), _> {
                            records.put_usage("panicked", "", 0.0)?;
                            panic!("on purpose")
                        })
                    }));
                    assert!(panicked.is_err());
                    report(&writer, "good", 1).unwrap();
                });
            }
        });
        assert_eq!(reporters(&writer), ["good"; 8]);
    }

    #[test]
    fn when_the_database_is_full_exactly_the_answered_writes_are_there_and_it_recovers() {
        let directory = tempfile::tempdir().unwrap();
        let writer = writer(&directory, 100);
        let taken = report_at_once(&writer, 9000);
        assert!((1..128).contains(&taken.len()), "{} taken", taken.len());
        assert_eq!(reporters(&writer), taken);
        let error = report(&writer, "late", 900_000).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap();
        let reason = cause.source().unwrap().to_string();
        assert!(reason.contains("full"), "{reason}");
        allow(&writer.turn.lock().unwrap().connection, 1 << 20);
        report(&writer, "late", 900_000).unwrap();
    }
}
