//! The connections of a server, of which there are at most as many as it may have.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::connection::Connection;
use super::hosts::Answered;
use super::{PostgresError, PostgresSettings};

/// How long a request waits for a connection.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How long a database that cannot be reached, or takes no more connections, is not tried again.
const AWAY: Duration = Duration::from_secs(1);

/// The connections to a database.
#[derive(Debug)]
pub(super) struct Pool {
    settings: PostgresSettings,
    /// One for each connection.
    slots: Semaphore,
    idle: Mutex<Vec<Connection>>,
    /// Until when no connection is made, because one could not be.
    barred: Mutex<Option<Barred>>,
    /// Which host is begun with.
    answered: Mutex<Answered>,
}

/// Why and until when no connection is made.
#[derive(Debug, Clone, Copy)]
struct Barred {
    until: Instant,
    /// The database is there, and has no connection left.
    is_crowded: bool,
}

impl Barred {
    /// By an error that will pass.
    fn by(error: &PostgresError) -> Option<Self> {
        error.is_passing().then(|| Self {
            until: Instant::now() + AWAY,
            is_crowded: matches!(error, PostgresError::Crowded(_)),
        })
    }

    fn error(self) -> PostgresError {
        match self.is_crowded {
            true => PostgresError::Crowded(None),
            false => PostgresError::Away,
        }
    }
}

/// The right to one connection.
pub(super) type Slot<'a> = SemaphorePermit<'a>;

impl Pool {
    pub(super) fn new(settings: PostgresSettings) -> Self {
        Self {
            slots: Semaphore::new(settings.connections),
            settings,
            idle: Mutex::default(),
            barred: Mutex::default(),
            answered: Mutex::default(),
        }
    }

    /// Whether the connections may be to a server that takes no writes.
    pub(super) fn may_be_standby(&self) -> bool {
        self.settings.may_be_standby()
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
        let barred = *lock(&self.barred);
        if let Some(barred) = barred.filter(|barred| Instant::now() < barred.until) {
            return Err(barred.error());
        }
        let last = lock(&self.answered).clone();
        let opened = Connection::open(&self.settings, &last);
        *lock(&self.barred) = opened.as_ref().err().and_then(Barred::by);
        let (connection, answered) = opened?;
        *lock(&self.answered) = answered;
        Ok(connection)
    }

    /// Keeps a connection for the next one.
    pub(super) fn put_back(&self, connection: Connection) {
        lock(&self.idle).push(connection);
    }

    /// Closes the connections that nobody uses.
    pub(super) fn forget_idle(&self) {
        lock(&self.idle).clear();
    }

    /// How many connections nobody uses.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        lock(&self.idle).len()
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
