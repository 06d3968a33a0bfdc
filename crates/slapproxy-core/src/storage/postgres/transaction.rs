//! A transaction, and the statements in it.

use std::cell::Cell;
use std::error::Error;
use std::time::{Duration, Instant};

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::connection::Connection;
use super::{PostgresError, escape};
use crate::storage::engine::{Engine, Parameter, Result, Row};

/// How long a database that is there may take to begin, or for a glance. A connection that was cut is
/// found by it: to begin waits for nobody. A glance may wait for a lock, too; so what is late is tried
/// again by a transaction, whose beginning tells the two apart.
const BEGINNING: Duration = Duration::from_secs(3);

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::storage) enum Access {
    /// Reading by one statement, or by several that need not see the same moment: there is no
    /// transaction around them.
    Glance,
    /// Reading, as of one moment.
    Read,
    /// Writing, as if nobody else did.
    Write,
    /// Writing in turn with all who have collided, as otherwise they would do so again.
    WriteInTurn,
}

/// An open transaction. Unless it is committed, the database undoes it.
pub(in crate::storage) struct Transaction<'a> {
    connection: &'a Connection,
    deadline: Instant,
    /// Whether the database knows of it.
    is_open: bool,
    has_failed: Cell<bool>,
}

impl<'a> Transaction<'a> {
    pub(super) fn begin(
        connection: &'a Connection,
        access: Access,
        deadline: Instant,
    ) -> std::result::Result<Self, PostgresError> {
        let soon = deadline.min(Instant::now() + BEGINNING);
        let new = |deadline, is_open| Self {
            connection,
            deadline,
            is_open,
            has_failed: Cell::new(false),
        };
        let (sql, begin_by, writes) = match access {
            Access::Glance => return Ok(new(soon, false)),
            Access::Read => (
                "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
                soon,
                false,
            ),
            Access::Write => ("BEGIN ISOLATION LEVEL SERIALIZABLE, READ WRITE", soon, true),
            // What the transaction sees is what is there after the wait.
            Access::WriteInTurn => (
                "BEGIN ISOLATION LEVEL SERIALIZABLE, READ WRITE; \
                 LOCK TABLE slapproxy_schema IN EXCLUSIVE MODE",
                deadline,
                true,
            ),
        };
        connection
            .run(begin_by, sql)
            .map_err(|error| match writes {
                true => error.of_writing(),
                false => error,
            })?;
        Ok(new(deadline, true))
    }

    /// Takes the limits of the session off it.
    pub(super) fn wait_for_ever(&self) -> std::result::Result<(), PostgresError> {
        self.simple(
            "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
             SET LOCAL idle_in_transaction_session_timeout = 0",
        )
    }

    /// Ends it; what it wrote is there for good.
    pub(super) fn commit(self) -> std::result::Result<(), PostgresError> {
        if self.has_failed.get() {
            // To commit it would undo it without a word.
            self.roll_back()?;
            return Err(PostgresError::GivenUp);
        }
        match self.is_open {
            true => self.simple("COMMIT"),
            false => Ok(()),
        }
    }

    /// Ends it; nothing of it remains.
    pub(super) fn roll_back(self) -> std::result::Result<(), PostgresError> {
        match self.is_open {
            true => self.connection.roll_back(self.deadline),
            // Whether the connection is good for more was not asked.
            false if self.has_failed.get() => Err(PostgresError::GivenUp),
            false => Ok(()),
        }
    }

    fn simple(&self, sql: &str) -> std::result::Result<(), PostgresError> {
        self.connection.run(self.deadline, sql)
    }

    /// Runs a statement.
    fn run<T>(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
        run: impl AsyncFnOnce(
            &tokio_postgres::Client,
            &tokio_postgres::Statement,
            &[&(dyn ToSql + Sync)],
        ) -> std::result::Result<T, tokio_postgres::Error>,
    ) -> Result<T> {
        let parameters: Vec<_> = parameters
            .iter()
            .map(|parameter| parameter as &(dyn ToSql + Sync))
            .collect();
        let statement = self.connection.statement(self.deadline, sql);
        let done = statement.and_then(|statement| {
            self.connection.wait(self.deadline, async |client| {
                run(client, &statement, &parameters).await
            })
        });
        if done.is_err() {
            self.has_failed.set(true);
        }
        Ok(done?)
    }
}

impl Engine for Transaction<'_> {
    const UNCLAIMED: &'static str = " FOR UPDATE SKIP LOCKED";
    const CLAIMED: &'static str = " FOR UPDATE";

    fn query(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
        read: &mut dyn FnMut(&dyn Row) -> Result<()>,
    ) -> Result<()> {
        let rows = self.run(sql, parameters, async |client, statement, parameters| {
            client.query(statement, parameters).await
        })?;
        rows.iter().try_for_each(|row| read(row))
    }

    fn execute(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64> {
        self.run(sql, parameters, async |client, statement, parameters| {
            client.execute(statement, parameters).await
        })
    }
}

impl Row for tokio_postgres::Row {
    fn text(&self, column: usize) -> Result<Option<String>> {
        let text = self.try_get::<_, Option<String>>(column);
        let text = text.map_err(PostgresError::Statement)?;
        Ok(text.map(escape::plain))
    }

    fn integer(&self, column: usize) -> Result<Option<i64>> {
        let number = self.try_get(column);
        Ok(number.map_err(PostgresError::Statement)?)
    }

    fn real(&self, column: usize) -> Result<Option<f64>> {
        let number = self.try_get(column);
        Ok(number.map_err(PostgresError::Statement)?)
    }
}

impl ToSql for Parameter<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn Error + Sync + Send>> {
        match *self {
            Self::Null => Ok(IsNull::Yes),
            Self::Text(text) => escape::stored(text).to_sql(kind, out),
            Self::Integer(number) => number.to_sql(kind, out),
            Self::Real(number) => number.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        // Known of each value only; `to_sql` of its own type writes it.
        true
    }

    to_sql_checked!();
}
