//! The connection that writes, shared by all who write.
//!
//! Syncing to the disk takes most of a write's time, so that writes that come at once share it:
//! they take turns in one open transaction, each in a savepoint of its own. A thread of its own
//! commits it, after those who waited already when it was begun. Each write is answered after that
//! commit; a task that waits for it keeps no thread.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::Mutex as FairMutex;
use tokio::time::sleep;

use super::StorageError;
use super::outcome::Outcome;
use super::sqlite::{execute, failed};

/// How long to wait before another process is looked at again.
const RETRY: Duration = Duration::from_millis(5);

/// The connection that writes. It is closed when this is dropped.
#[derive(Debug)]
pub(super) struct Writer {
    /// Whose turn it is. Who has waited longest is next.
    turn: Arc<FairMutex<Turn>>,
    /// How long another process that writes is waited for.
    busy_timeout: Duration,
    /// Tells the thread that commits of a transaction that was begun.
    begun: SyncSender<()>,
    /// Dropped after what it waits for.
    _committer: Committer,
}

/// The thread that commits. It ends when nobody can begin a transaction any more.
#[derive(Debug)]
struct Committer(Option<JoinHandle<()>>);

impl Drop for Committer {
    fn drop(&mut self) {
        // If it panicked, its connection is closed, too.
        let _ = self.0.take().map(JoinHandle::join);
    }
}

/// What the one whose turn it is works with.
#[derive(Debug)]
struct Turn {
    connection: Connection,
    /// What is to become of the open transaction.
    open: Option<Arc<Outcome>>,
}

/// Until when a write waits for another process. That counts from when the write came, not from its
/// turn: else those who wait for their turns would wait for the process one after the other.
struct Patience(Instant);

impl Patience {
    /// How long to wait before the next try; the error if there is nothing to wait for.
    fn next(&self, error: StorageError) -> Result<Duration, StorageError> {
        let busy = error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
        if busy && Instant::now() < self.0 {
            Ok(RETRY)
        } else {
            Err(error)
        }
    }
}

impl Writer {
    /// `committed` gets a message after each commit, unless there is one.
    ///
    /// # Errors
    /// The thread that commits cannot be started.
    pub(super) fn new(
        connection: Connection,
        busy_timeout: Duration,
        committed: SyncSender<()>,
    ) -> io::Result<Self> {
        // One message is enough: it stands for whatever is open when it is read.
        let (begun, transactions) = sync_channel(1);
        let open = None;
        let turn = Arc::new(FairMutex::new(Turn { connection, open }));
        let of_committer = turn.clone();
        let committer = thread::Builder::new()
            .name("commit".to_owned())
            .spawn(move || commit_each(&transactions, &of_committer, &committed))?;
        Ok(Self {
            turn,
            busy_timeout,
            begun,
            _committer: Committer(Some(committer)),
        })
    }

    fn patience(&self) -> Patience {
        Patience(Instant::now() + self.busy_timeout)
    }

    /// Does one write; it is on the disk when this returns. A write that fails changes nothing.
    /// Not for tasks, whose thread it would keep.
    pub(super) fn write<T, E: From<StorageError>>(
        &self,
        function: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let patience = self.patience();
        let mut turn = self.turn.blocking_lock();
        let outcome = loop {
            match turn.begin(&self.begun) {
                Ok(outcome) => break outcome,
                Err(error) => thread::sleep(patience.next(error)?),
            }
        };
        let value = turn.write(function)?;
        drop(turn);
        outcome.wait()?;
        Ok(value)
    }

    /// As [`Writer::write`], for tasks.
    pub(super) async fn write_async<T, E: From<StorageError>>(
        &self,
        function: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let patience = self.patience();
        let mut turn = self.turn.lock().await;
        let outcome = loop {
            match turn.begin(&self.begun) {
                Ok(outcome) => break outcome,
                Err(error) => sleep(patience.next(error)?).await,
            }
        };
        let value = turn.write(function)?;
        drop(turn);
        outcome.wait_async().await?;
        Ok(value)
    }
}

/// Commits whatever is open whenever a transaction was begun, until the writer is gone.
fn commit_each(begun: &Receiver<()>, turn: &FairMutex<Turn>, committed: &SyncSender<()>) {
    while begun.recv().is_ok() {
        turn.blocking_lock().commit();
        let _ = committed.try_send(());
    }
}

impl Turn {
    /// Begins a transaction unless one is open. Returns what will become of it.
    fn begin(&mut self, begun: &SyncSender<()>) -> Result<Arc<Outcome>, StorageError> {
        if let Some(outcome) = &self.open {
            return Ok(outcome.clone());
        }
        if !self.connection.is_autocommit() {
            // A commit failed and left its transaction open.
            execute(&self.connection, "ROLLBACK").map_err(failed("cannot roll back"))?;
        }
        execute(&self.connection, "BEGIN IMMEDIATE").map_err(failed("cannot begin"))?;
        // If there is a message already, that will do.
        let _ = begun.try_send(());
        Ok(self.open.insert(Arc::default()).clone())
    }

    /// Does a write within the open transaction. It counts only once that is committed.
    fn write<T, E: From<StorageError>>(
        &mut self,
        function: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let result = nested(&self.connection, function);
        // Of some failures (a full disk) the database gives up the whole transaction.
        if self.connection.is_autocommit()
            && let Some(outcome) = self.open.take()
        {
            outcome.give_up();
        }
        result
    }

    /// Commits the open transaction, if there is one, and tells its writes.
    fn commit(&mut self) {
        if let Some(outcome) = self.open.take() {
            let committed = execute(&self.connection, "COMMIT");
            outcome.set(&committed);
        }
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
fn nested<T, E: From<StorageError>>(
    connection: &Connection,
    function: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    let write = Nested::begin(connection).map_err(failed("cannot begin"))?;
    let value = function(connection)?;
    write.keep().map_err(failed("cannot end a write"))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::thread;

    use super::*;
    use crate::MasterError;
    use crate::storage::statements::Statements;
    use crate::storage::{Records, schema};

    const PATIENCE: Duration = Duration::from_millis(300);

    /// A writer of a file, with at most that many pages.
    fn writer(directory: &tempfile::TempDir, pages: u32) -> Writer {
        let connection = Connection::open(directory.path().join("db")).unwrap();
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .unwrap();
        schema::create(&connection, "C").unwrap();
        allow(&connection, pages);
        connection.busy_timeout(Duration::ZERO).unwrap();
        Writer::new(connection, PATIENCE, sync_channel(1).0).unwrap()
    }

    /// Writes a usage report.
    fn report_on(connection: &Connection, computer: &str, size: usize) -> Result<(), StorageError> {
        Statements(connection).put_usage(computer, &"x".repeat(size), 0.0)
    }

    fn allow(connection: &Connection, pages: u32) {
        let sql = format!("PRAGMA max_page_count = {pages}");
        connection.query_row(&sql, [], |_| Ok(())).unwrap();
    }

    /// The computers of all usage reports, each report that of another computer.
    fn reporters(writer: &Writer) -> Vec<String> {
        let turn = writer.turn.blocking_lock();
        let sql = "SELECT computer_reference FROM usage18 ORDER BY computer_reference";
        let mut statement = turn.connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn report(writer: &Writer, computer: &str, size: usize) -> Result<(), StorageError> {
        writer.write(|connection| report_on(connection, computer, size))
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
    fn every_write_of_many_tasks_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let writer = Arc::new(writer(&directory, 1 << 20));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let tasks = (0..100).map(|number| {
            let writer = writer.clone();
            runtime.spawn(async move {
                let name = format!("C{number:02}");
                let write = writer.write_async(|connection| report_on(connection, &name, 0));
                write.await.unwrap();
                name
            })
        });
        let tasks: Vec<_> = tasks.collect();
        let taken: Vec<_> = tasks
            .into_iter()
            .map(|task| runtime.block_on(task).unwrap())
            .collect();
        assert_eq!(reporters(&writer), taken);
    }

    #[test]
    fn a_task_that_waits_for_another_process_lets_others_go_on() {
        let directory = tempfile::tempdir().unwrap();
        let writer = writer(&directory, 1 << 20);
        let other = Connection::open(directory.path().join("db")).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        runtime.block_on(async {
            let write = writer.write_async(|connection| report_on(connection, "C", 0));
            // On the same thread: it ends only if the write waits without it.
            let release = async {
                for _ in 0..3 {
                    sleep(RETRY).await;
                }
                other.execute_batch("COMMIT").unwrap();
            };
            let (written, ()) = tokio::join!(write, release);
            written.unwrap();
        });
        assert_eq!(reporters(&writer), ["C"]);
    }

    #[test]
    fn those_who_wait_for_another_process_give_up_together() {
        let directory = tempfile::tempdir().unwrap();
        let writer = writer(&directory, 1 << 20);
        let other = Connection::open(directory.path().join("db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let begun = Instant::now();
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    let error = report(&writer, "C", 0).unwrap_err();
                    assert!(error.is_passing(), "{error:?}");
                });
            }
        });
        let waited = begun.elapsed();
        assert!(waited < 8 * PATIENCE, "{waited:?}");
        other.execute_batch("COMMIT").unwrap();
        report(&writer, "late", 0).unwrap();
    }

    #[test]
    fn the_file_is_closed_when_the_writer_is_gone() {
        for _ in 0..20 {
            let directory = tempfile::tempdir().unwrap();
            let writer = writer(&directory, 1 << 20);
            report(&writer, "C", 0).unwrap();
            drop(writer);
            assert!(!directory.path().join("db-wal").exists());
        }
    }

    #[test]
    fn of_a_write_that_fails_or_panics_nothing_remains_and_others_go_on() {
        let directory = tempfile::tempdir().unwrap();
        let writer = writer(&directory, 1 << 20);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let failed: Result<(), _> = writer.write(|connection| {
                        report_on(connection, "failed", 0)?;
                        Err(MasterError::NotFound("no".to_owned()))
                    });
                    assert!(matches!(failed, Err(MasterError::NotFound(_))));
                    let panicked = catch_unwind(AssertUnwindSafe(|| {
                        writer.write(|connection| -> Result<(), StorageError> {
                            report_on(connection, "panicked", 0)?;
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
        let reason = std::error::Error::source(&error).unwrap().to_string();
        assert!(reason.contains("full"), "{reason}");
        assert!(!error.is_passing());
        allow(&writer.turn.blocking_lock().connection, 1 << 20);
        report(&writer, "late", 900_000).unwrap();
    }
}
