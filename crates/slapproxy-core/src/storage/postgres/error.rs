//! What may become of a request to PostgreSQL.

use std::error::Error as _;
use std::io;

use super::PasswordError;
use crate::TlsError;
use crate::error::with_causes;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// What a busy database lacks for a moment only: memory, locks, a connection, or the time for a
/// statement. A full disk (53100), as for SQLite, and what its configuration forbids (53400) stay as
/// they are until somebody sees to them.
const PASSING: [SqlState; 4] = [
    SqlState::INSUFFICIENT_RESOURCES,
    SqlState::OUT_OF_MEMORY,
    SqlState::TOO_MANY_CONNECTIONS,
    SqlState::QUERY_CANCELED,
];

/// PostgreSQL did not do what it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// It does not let us in, or is not there.
    #[error("it cannot be reached")]
    Unreachable(#[source] Error),
    /// Its name leads nowhere.
    #[error("its name cannot be looked up")]
    Lookup(#[source] io::Error),
    /// None of its hosts, or of their addresses, lets us in.
    #[error("none of its hosts will do: {}", listed(.0))]
    Places(Vec<(String, PostgresError)>),
    /// It could not be reached a moment ago, and was not tried again since.
    #[error("it cannot be reached")]
    Away,
    /// It has no connection left for us.
    #[error("it takes no more connections")]
    Crowded(#[source] Option<Error>),
    /// A standby, or one that was the primary: it takes no writes.
    #[error("it takes no writes")]
    Standby(#[source] Error),
    /// It takes no writes, and need not.
    #[error("it is only for reading")]
    ReadOnly(#[source] Error),
    /// It lacks what the tables need.
    #[error("it is PostgreSQL {0}, and 13 is the oldest that will do")]
    TooOld(String),
    /// A statement failed.
    #[error(transparent)]
    Statement(Error),
    /// It did not answer in time.
    #[error("it does not answer")]
    Late,
    /// No connection was free in time.
    #[error("all connections to it are in use")]
    Overloaded,
    /// A statement of the transaction failed before.
    #[error("the transaction was given up")]
    GivenUp,
    /// The password cannot be read.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system does not give what a connection needs.
    #[error("the system has nothing left for a connection")]
    Runtime(#[source] io::Error),
}

impl PostgresError {
    fn state(&self) -> Option<&SqlState> {
        match self {
            Self::Statement(error) => error.code(),
            _ => None,
        }
    }

    /// Whether another transaction came in between: done again, it may succeed.
    pub(super) fn is_collision(&self) -> bool {
        let states = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::LOCK_NOT_AVAILABLE,
        ];
        self.state().is_some_and(|state| states.contains(state))
    }

    /// Whether a text is longer than an index of the database can hold.
    pub(super) fn is_too_long(&self) -> bool {
        self.state() == Some(&SqlState::PROGRAM_LIMIT_EXCEEDED)
    }

    /// Of a connection that was not made.
    pub(super) fn of_connecting(error: Error) -> Self {
        match error.code() {
            Some(&SqlState::TOO_MANY_CONNECTIONS) => Self::Crowded(Some(error)),
            _ => Self::Unreachable(error),
        }
    }

    /// Of all places that were tried. That one has no connection left is worth more than that others
    /// are away.
    pub(super) fn of_places(mut failures: Vec<(String, Self)>) -> Self {
        let crowded = failures
            .iter()
            .position(|(_, error)| matches!(error, Self::Crowded(_)));
        match (crowded, failures.len()) {
            (Some(index), _) => failures.swap_remove(index).1,
            (None, 1) => failures.swap_remove(0).1,
            (None, 0) => Self::Away,
            (None, _) => Self::Places(failures),
        }
    }

    /// As one of beginning to write. A standby names features that it does not support.
    pub(super) fn of_writing(self) -> Self {
        match self {
            Self::Statement(error) if error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED) => {
                Self::Standby(error)
            }
            other => other,
        }
    }

    /// As one of a server that may be a standby.
    pub(super) fn of_standby(self) -> Self {
        match self {
            Self::Standby(error) => Self::ReadOnly(error),
            Self::Statement(error)
                if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) =>
            {
                Self::ReadOnly(error)
            }
            other => other,
        }
    }

    /// Whether the connection is good for nothing any more.
    pub(super) fn is_of_connection(&self) -> bool {
        match self {
            Self::Late | Self::Standby(_) => true,
            Self::Statement(error) => {
                let ends = |state: &SqlState| {
                    // Connection exception, operator intervention; a standby that was the primary.
                    let code = state.code();
                    code.starts_with("08")
                        || (code.starts_with("57P"))
                        || *state == SqlState::READ_ONLY_SQL_TRANSACTION
                        || *state == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
                };
                error.is_closed() || is_broken(error) || error.code().is_some_and(ends)
            }
            _ => false,
        }
    }

    /// Whether it is worth to ask again later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Places(failures) => failures.iter().any(|(_, error)| error.is_passing()),
            Self::Unreachable(_)
            | Self::Lookup(_)
            | Self::Away
            | Self::Crowded(_)
            | Self::Standby(_)
            | Self::ReadOnly(_)
            | Self::Overloaded
            | Self::Late => true,
            Self::Statement(error) => {
                let passes = |state: &SqlState| PASSING.contains(state);
                self.is_collision() || self.is_of_connection() || error.code().is_some_and(passes)
            }
            Self::TooOld(_)
            | Self::GivenUp
            | Self::Password(_)
            | Self::Tls(_)
            | Self::Runtime(_) => false,
        }
    }
}

/// What each place says, in one line.
fn listed(failures: &[(String, PostgresError)]) -> String {
    let told = failures
        .iter()
        .map(|(place, error)| format!("{place}: {}", with_causes(error)));
    told.collect::<Vec<_>>().join("; ")
}

/// Whether bytes did not come through.
fn is_broken(error: &Error) -> bool {
    error
        .source()
        .is_some_and(|source| source.is::<io::Error>())
}
