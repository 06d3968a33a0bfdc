//! What becomes of a transaction that many writes share, and who waits for it.

use std::pin::pin;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::StorageError;
use super::sqlite::failed;

/// What became of a transaction.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    committed: Mutex<Option<Result<(), Failure>>>,
    /// For threads that wait.
    known: Condvar,
    /// For tasks that wait.
    told: Notify,
}

/// Why a transaction was lost, for each of its writes.
#[derive(Debug, Clone)]
struct Failure {
    code: rusqlite::ffi::Error,
    message: String,
}

impl Outcome {
    /// Tells all who wait how the commit ended.
    pub(super) fn set(&self, committed: &rusqlite::Result<()>) {
        self.tell(committed.as_ref().copied().map_err(Failure::from));
    }

    /// Tells all who wait that the database gave up the transaction, because one of its writes
    /// failed so badly.
    pub(super) fn give_up(&self) {
        self.tell(Err(Failure::given_up()));
    }

    fn tell(&self, committed: Result<(), Failure>) {
        *self.lock() = Some(committed);
        self.known.notify_all();
        self.told.notify_waiters();
    }

    /// Waits on this thread until the transaction is committed or lost.
    pub(super) fn wait(&self) -> Result<(), StorageError> {
        let unknown = |committed: &mut Option<_>| committed.is_none();
        let known = self.known.wait_while(self.lock(), unknown);
        let known = known.unwrap_or_else(PoisonError::into_inner);
        as_answer(known.as_ref())
    }

    /// Waits in this task until the transaction is committed or lost.
    pub(super) async fn wait_async(&self) -> Result<(), StorageError> {
        let mut notified = pin!(self.told.notified());
        // From here on, no notification is missed.
        notified.as_mut().enable();
        if self.lock().is_none() {
            notified.await;
        }
        as_answer(self.lock().as_ref())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Result<(), Failure>>> {
        self.committed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a write is answered. Only what is known to be committed is.
fn as_answer(committed: Option<&Result<(), Failure>>) -> Result<(), StorageError> {
    match committed {
        Some(Ok(())) => Ok(()),
        Some(Err(failure)) => Err(failure.clone().into()),
        None => Err(Failure::given_up().into()),
    }
}

impl Failure {
    fn given_up() -> Self {
        Self {
            code: rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT),
            message: "the transaction was given up: another write failed".to_owned(),
        }
    }
}

impl From<&rusqlite::Error> for Failure {
    fn from(error: &rusqlite::Error) -> Self {
        let code = error.sqlite_error().copied();
        Self {
            code: code.unwrap_or_else(|| Self::given_up().code),
            message: error.to_string(),
        }
    }
}

impl From<Failure> for StorageError {
    fn from(failure: Failure) -> Self {
        let source = rusqlite::Error::SqliteFailure(failure.code, Some(failure.message));
        failed("cannot commit")(source)
    }
}
