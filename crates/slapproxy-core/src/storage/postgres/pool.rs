//! The connections of a server, of which there are at most as many as it may have.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::connection::Connection;
use super::{PostgresError, PostgresSettings};

/// How long a request waits for a connection.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How long a database that cannot be reached is not tried again.
const AWAY: Duration = Duration::from_secs(1);

/// The connections to a database.
#[derive(Debug)]
pub(super) struct Pool {
    settings: PostgresSettings,
    /// One for each connection.
    slots: Semaphore,
    idle: Mutex<Vec<Connection>>,
    /// Until when the database counts as away.
    away: Mutex<Option<Instant>>,
}

/// The right to one connection.
pub(super) type Slot<'a> = SemaphorePermit<'a>;

impl Pool {
    pub(super) fn new(settings: PostgresSettings) -> Self {
        Self {
            slots: Semaphore::new(settings.connections),
            settings,
            idle: Mutex::default(),
            away: Mutex::default(),
        }
    }

    /// How the database is reached.
    pub(super) fn settings(&self) -> &PostgresSettings {
        &self.settings
    }

    /// Waits for the turn of a request; how many may wait is bounded before, for every engine.
    pub(super) async fn slot(&self) -> Result<Slot<'_>, PostgresError> {
        match timeout(LONGEST_WAIT, self.slots.acquire()).await {
            Ok(Ok(slot)) => Ok(slot),
            _ => Err(PostgresError::Overloaded),
        }
    }

    /// A connection for whoever has a slot.
    pub(super) fn take(&self) -> Result<Connection, PostgresError> {
        let idle = lock(&self.idle).pop();
        idle.map_or_else(|| self.connect(), Ok)
    }

    /// A new connection.
    pub(super) fn connect(&self) -> Result<Connection, PostgresError> {
        let away = *lock(&self.away);
        if away.is_some_and(|until| Instant::now() < until) {
            return Err(PostgresError::Away);
        }
        let opened = Connection::open(&self.settings);
        let is_away = opened.as_ref().is_err_and(PostgresError::is_passing);
        *lock(&self.away) = is_away.then(|| Instant::now() + AWAY);
        opened
    }

    /// Keeps a connection for the next one.
    pub(super) fn put_back(&self, connection: Connection) {
        lock(&self.idle).push(connection);
    }

    /// Closes the connections that nobody uses.
    pub(super) fn forget_idle(&self) {
        lock(&self.idle).clear();
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
