//! The PostgreSQL engine, for servers that share a database.
//!
//! Nothing of the database is kept in memory, so that any number of servers may work on one. Writes
//! are serialisable transactions: what collided with another's is undone by the database and done
//! again. A database that is away is told as such, and looked for again with the next request.

mod connection;
mod error;
mod escape;
mod notifier;
mod password;
mod patience;
mod pool;
mod schema;
mod tls;
mod transaction;
mod uri;

pub use error::PostgresError;
pub use password::PasswordError;
pub use uri::{PostgresSettings, UriError};

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::block_in_place;

use self::connection::Connection;
use self::notifier::Notifier;
use self::patience::Patience;
use self::pool::{Pool, Slot};
pub(super) use self::transaction::Access;
use self::transaction::Transaction;
use super::statements::Statements;
use super::{Listener, OpenError, Records, Storage, StorageError};
use crate::MasterError;

/// How long a migration may take.
const LEISURE: Duration = Duration::from_secs(24 * 60 * 60);

/// A database that other servers may use at the same time.
#[derive(Debug)]
pub struct PostgresStorage {
    pool: Pool,
    run_id: String,
    notifier: OnceLock<Notifier>,
}

impl PostgresStorage {
    /// Connects to a database, and makes its tables where they are missing. Of several servers that
    /// start at once, one does. Not within a task.
    ///
    /// # Errors
    /// The database cannot be reached, or a newer version or another program wrote its tables.
    pub fn open(settings: PostgresSettings) -> Result<Self, OpenError> {
        Self::open_with(settings, schema::ensure)
    }

    /// Connects to a database whose tables a server has made. Not within a task.
    ///
    /// # Errors
    /// The database cannot be reached, or holds nothing of ours.
    pub fn open_existing(settings: PostgresSettings) -> Result<Self, OpenError> {
        Self::open_with(settings, schema::check)
    }

    fn open_with(
        settings: PostgresSettings,
        prepare: impl FnOnce(&Connection) -> Result<String, schema::Refusal>,
    ) -> Result<Self, OpenError> {
        let database = settings.to_string();
        let pool = Pool::new(settings);
        let failed = |source| OpenError::Postgres {
            database: database.clone(),
            source,
        };
        let connection = pool.connect().map_err(failed)?;
        let run_id = prepare(&connection).map_err(|refusal| match refusal {
            schema::Refusal::Failed(source) => failed(source),
            schema::Refusal::Schema(source) => OpenError::PostgresSchema {
                database: database.clone(),
                source,
            },
        })?;
        pool.put_back(connection);
        let notifier = OnceLock::new();
        Ok(Self {
            pool,
            run_id,
            notifier,
        })
    }

    /// By which all servers of this database recognise that they are one master.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// One transaction, tried again while that may help.
    fn transact<T>(
        &self,
        _slot: Slot<'_>,
        access: Access,
        came: Instant,
        function: impl Fn(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        let mut patience = Patience::since(came);
        loop {
            let access = patience.access(access);
            match self.attempt(access, patience.deadline(), &function) {
                Err(MasterError::Storage(error)) => patience.pause(error)?,
                done => return done,
            }
        }
    }

    fn attempt<T>(
        &self,
        access: Access,
        deadline: Instant,
        function: impl Fn(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        let connection = self.pool.take().map_err(failed("cannot connect"))?;
        let transaction = Transaction::begin(&connection, access, deadline);
        let transaction = match transaction {
            Ok(transaction) => transaction,
            Err(error) => {
                // Past the deadline, it is the request that is late.
                let is_over = Instant::now() >= deadline;
                let is_late = is_over && matches!(error, PostgresError::Late);
                if error.is_of_connection() && !is_late {
                    // What ended this one has ended those that nobody used since.
                    self.pool.forget_idle();
                }
                return Err(failed("cannot begin")(error).into());
            }
        };
        let done = function(&Statements(&transaction));
        let (done, is_usable) = match done {
            Ok(value) => {
                let committed = transaction.commit();
                let is_usable = committed.is_ok();
                let committed = committed.map(|()| value);
                (
                    committed.map_err(|error| failed(COMMIT)(error).into()),
                    is_usable,
                )
            }
            Err(error) => (Err(error), transaction.roll_back().is_ok()),
        };
        if is_usable {
            self.pool.put_back(connection);
        }
        done
    }

    /// One transaction that may take hours, tried once.
    pub(super) fn at_leisure<T, E: From<StorageError>>(
        &self,
        access: Access,
        function: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = self.pool.take().map_err(failed("cannot connect"))?;
        let deadline = Instant::now() + LEISURE;
        let transaction = Transaction::begin(&connection, access, deadline);
        let transaction = transaction.map_err(failed("cannot begin"))?;
        transaction
            .wait_for_ever()
            .map_err(failed("cannot begin"))?;
        let value = function(&transaction)?;
        transaction.commit().map_err(failed(COMMIT))?;
        Ok(value)
    }

    /// A slot, for a thread.
    fn slot(&self) -> Result<Slot<'_>, MasterError> {
        let slot = match Handle::try_current() {
            Ok(runtime) => runtime.block_on(self.pool.slot()),
            Err(_) => connection::runtime()
                .map_err(PostgresError::Runtime)
                .and_then(|runtime| runtime.block_on(self.pool.slot())),
        };
        Ok(slot.map_err(failed("cannot begin"))?)
    }

    async fn slot_async(&self) -> Result<Slot<'_>, MasterError> {
        let slot = self.pool.slot().await;
        Ok(slot.map_err(failed("cannot begin"))?)
    }
}

impl Storage for PostgresStorage {
    fn read<T>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        let came = Instant::now();
        self.transact(self.slot()?, Access::Read, came, function)
    }

    fn write<T>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        let came = Instant::now();
        self.transact(self.slot()?, Access::Write, came, function)
    }

    async fn read_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError> + Send,
    ) -> Result<T, MasterError> {
        let came = Instant::now();
        let slot = self.slot_async().await?;
        block_in_place(|| self.transact(slot, Access::Read, came, function))
    }

    async fn write_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError> + Send,
    ) -> Result<T, MasterError> {
        let came = Instant::now();
        let slot = self.slot_async().await?;
        block_in_place(|| self.transact(slot, Access::Write, came, function))
    }

    fn tell_changes(&self, listener: Listener) {
        match Notifier::start(self.pool.settings().clone(), listener) {
            Ok(notifier) => drop(self.notifier.set(notifier)),
            Err(error) => log::error!("nobody is told of changes: {error}"),
        }
    }
}

/// What is tried last.
const COMMIT: &str = "cannot commit";

fn failed(action: &'static str) -> impl Fn(PostgresError) -> StorageError {
    move |source| super::EngineError::from(source).at(action)
}
