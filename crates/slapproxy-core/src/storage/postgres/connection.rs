//! A connection, used by one thread at a time.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};
use tokio::time::{timeout, timeout_at};
use tokio_postgres::{Client, Error, Statement};

use super::hosts::Answered;
use super::{PostgresError, PostgresSettings};

/// What holds for every connection. A server that is gone without a word shall not keep rows
/// locked for long.
const SESSION: &str = "SET statement_timeout = '20s'; SET lock_timeout = '5s'; \
    SET idle_in_transaction_session_timeout = '10s'";

/// A connection. What it waits for is waited for by the thread that asks.
pub(super) struct Connection {
    client: Client,
    statements: RefCell<HashMap<String, Statement>>,
    /// Drives the connection while somebody waits; taken by `drop` alone.
    runtime: Option<Runtime>,
}

/// A runtime that works on the thread that waits.
pub(super) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

impl Connection {
    /// Connects, beginning with the host that answered last; which one did.
    pub(super) fn open(
        settings: &PostgresSettings,
        last: &Answered,
    ) -> Result<(Self, Answered), PostgresError> {
        let runtime = runtime().map_err(PostgresError::Runtime)?;
        let opened = runtime.block_on(async {
            let (client, answered) = settings.connect(last).await?;
            let patience = settings.patience_for_each();
            let prepared = timeout(patience, client.batch_execute(SESSION)).await;
            let prepared = prepared.map_err(|_| PostgresError::Late)?;
            prepared.map_err(PostgresError::Unreachable)?;
            Ok((client, answered))
        });
        match opened {
            Ok((client, answered)) => {
                let connection = Self {
                    client,
                    statements: RefCell::default(),
                    runtime: Some(runtime),
                };
                Ok((connection, answered))
            }
            Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    /// Waits for what is asked of the database.
    pub(super) fn wait<T>(
        &self,
        deadline: Instant,
        asked: impl AsyncFnOnce(&Client) -> Result<T, Error>,
    ) -> Result<T, PostgresError> {
        let Some(runtime) = &self.runtime else {
            return Err(PostgresError::Late);
        };
        let answer =
            runtime.block_on(async { timeout_at(deadline.into(), asked(&self.client)).await });
        let answer = answer.map_err(|_| PostgresError::Late)?;
        answer.map_err(PostgresError::Statement)
    }

    /// Runs statements that have no parameters and tell nothing.
    pub(super) fn run(&self, deadline: Instant, sql: &str) -> Result<(), PostgresError> {
        self.wait(deadline, async |client| client.batch_execute(sql).await)
    }

    /// Ends the transaction that is open, if any; nothing of it remains.
    pub(super) fn roll_back(&self, deadline: Instant) -> Result<(), PostgresError> {
        self.run(deadline, "ROLLBACK")
    }

    /// The statement, which is prepared when it is used first.
    pub(super) fn statement(
        &self,
        deadline: Instant,
        sql: &str,
    ) -> Result<Statement, PostgresError> {
        let known = self.statements.borrow().get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.wait(deadline, async |client| client.prepare(sql).await)?;
        let mut statements = self.statements.borrow_mut();
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // A task may drop it, where nothing may be waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connection").finish_non_exhaustive()
    }
}
