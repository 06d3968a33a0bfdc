//! How long a transaction is tried again.

use std::thread;
use std::time::{Duration, Instant};

use super::Access;
use crate::MasterError;
use crate::random::random;
use crate::storage::{EngineError, StorageError};

/// How long a request may take, from when it came.
const LONGEST: Duration = Duration::from_secs(20);
/// The pause after a collision is at most that long for each that there was.
const PAUSE: Duration = Duration::from_millis(2);
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_millis(32);

/// What the index of a name or URL cannot hold.
const TOO_LONG: &str = "a name or URL is longer than the database can hold, which is 2600 bytes";

/// Until when a transaction is tried again, and how often it was.
pub(super) struct Patience {
    deadline: Instant,
    collisions: u32,
    has_reconnected: bool,
    /// Whether a glance was tried.
    has_glanced: bool,
}

impl Patience {
    pub(super) fn since(came: Instant) -> Self {
        Self {
            deadline: came + LONGEST,
            collisions: 0,
            has_reconnected: false,
            has_glanced: false,
        }
    }

    /// How the next try is made.
    pub(super) fn access(&self, wanted: Access) -> Access {
        match wanted {
            Access::Write if self.collisions > 0 => Access::WriteInTurn,
            // It finds a connection that was cut, and may wait for longer than a glance.
            Access::Glance if self.has_glanced => Access::Read,
            wanted => wanted,
        }
    }

    /// When a request shall be over.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Waits until the next try; the error, if there is none. A transaction that collided with
    /// another one was undone, and so was one whose connection was lost before its end was asked
    /// for.
    pub(super) fn pause(&mut self, tried: Access, error: StorageError) -> Result<(), MasterError> {
        let EngineError::Postgres(reason) = &error.source else {
            return Err(error.into());
        };
        if reason.is_too_long() {
            return Err(MasterError::BadRequest(TOO_LONG.to_owned()));
        }
        if Instant::now() >= self.deadline {
            return Err(error.into());
        }
        self.has_glanced |= tried == Access::Glance;
        if reason.is_collision() {
            thread::sleep(part_of(LONGEST_PAUSE.min(PAUSE * self.collisions)));
            self.collisions += 1;
            return Ok(());
        }
        if reason.is_of_connection() && !self.has_reconnected && error.action != super::COMMIT {
            // What comes after a glance may be the first to find that connections were cut.
            self.has_reconnected = tried != Access::Glance;
            return Ok(());
        }
        Err(error.into())
    }
}

/// A random part, so that those who collided do not meet again.
fn part_of(most: Duration) -> Duration {
    let part = u32::try_from(random() % 1024).unwrap_or(0);
    most * part / 1024
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::postgres::PostgresError;

    #[test]
    fn nothing_is_tried_again_once_the_request_is_over() {
        let lost = || EngineError::from(PostgresError::Late).at("cannot begin");
        let mut patience = Patience::since(Instant::now());
        assert!(patience.pause(Access::Read, lost()).is_ok());
        // Once is enough.
        assert!(patience.pause(Access::Read, lost()).is_err());
        let mut patience = Patience {
            deadline: Instant::now(),
            ..Patience::since(Instant::now())
        };
        assert!(patience.pause(Access::Read, lost()).is_err());
    }

    #[test]
    fn a_glance_that_is_late_is_tried_again_by_a_transaction() {
        let late = || EngineError::from(PostgresError::Late).at("cannot read");
        let mut patience = Patience::since(Instant::now());
        assert_eq!(patience.access(Access::Glance), Access::Glance);
        for _ in 0..2 {
            let tried = patience.access(Access::Glance);
            assert!(patience.pause(tried, late()).is_ok());
            assert_eq!(patience.access(Access::Glance), Access::Read);
        }
        assert!(patience.pause(Access::Read, late()).is_err());
    }
}
