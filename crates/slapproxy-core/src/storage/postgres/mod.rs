//! The PostgreSQL engine, for servers that share a database.
//!
//! Nothing of the database is kept in memory, so that any number of servers may work on one. Writes
//! are serialisable transactions: what collided with another's is undone by the database and done
//! again. A database that is away is told as such, and looked for again with the next request.

mod connection;
mod error;
mod escape;
mod hosts;
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

use std::sync::{Arc, OnceLock};
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
use super::{EngineError, Listener, OpenError, Records, Storage, StorageError};
use crate::MasterError;

/// How long a migration may take.
const LEISURE: Duration = Duration::from_secs(24 * 60 * 60);

/// A database that other servers may use at the same time.
#[derive(Debug)]
pub struct PostgresStorage {
    pool: Arc<Pool>,
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

    /// Connects to a database whose tables a server has made, to read it. Not within a task.
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
            pool: pool.into(),
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
                Err(MasterError::Storage(error)) => patience.pause(access, error)?,
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
        let (done, has_ended) = run(&connection, access, deadline, function);
        let done = done.map_err(|error| self.judged(error));
        match &done {
            Err(MasterError::Storage(error)) if is_of_connection(error) => {
                self.forget_lost(error, access, deadline);
            }
            _ if has_ended => self.pool.put_back(connection),
            _ => {}
        }
        done
    }

    /// Where the URI asks for no server that takes writes, that one takes none is an answer, which
    /// another connection would give, too.
    fn judged(&self, error: MasterError) -> MasterError {
        match error {
            MasterError::Storage(StorageError {
                action,
                source: EngineError::Postgres(source),
            }) if self.pool.may_be_standby() => {
                EngineError::from(source.of_standby()).at(action).into()
            }
            other => other,
        }
    }

    /// What ended one connection has ended those that nobody used since; where one leads to a standby,
    /// so may they.
    fn forget_lost(&self, error: &StorageError, access: Access, deadline: Instant) {
        // Past the deadline, it is the request that is late; a glance may wait for a lock only, which
        // the transaction that follows it finds out.
        let is_late = matches!(&error.source, EngineError::Postgres(PostgresError::Late))
            && (access == Access::Glance || Instant::now() >= deadline);
        if !is_late {
            self.pool.forget_idle();
        }
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

    fn in_thread<T>(
        &self,
        access: Access,
        function: impl Fn(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        let came = Instant::now();
        self.transact(self.slot()?, access, came, function)
    }

    /// As [`Self::in_thread`], where no thread waits for the slot.
    async fn in_task<T>(
        &self,
        access: Access,
        function: impl Fn(&dyn Records) -> Result<T, MasterError> + Send,
    ) -> Result<T, MasterError> {
        let came = Instant::now();
        let slot = self.pool.slot().await.map_err(failed("cannot begin"))?;
        block_in_place(|| self.transact(slot, access, came, function))
    }
}

impl Storage for PostgresStorage {
    fn read<T>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        self.in_thread(Access::Read, function)
    }

    fn write<T>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        self.in_thread(Access::Write, function)
    }

    async fn read_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError> + Send,
    ) -> Result<T, MasterError> {
        self.in_task(Access::Read, function).await
    }

    async fn glance_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError> + Send,
    ) -> Result<T, MasterError> {
        self.in_task(Access::Glance, function).await
    }

    async fn write_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError> + Send,
    ) -> Result<T, MasterError> {
        self.in_task(Access::Write, function).await
    }

    fn tell_changes(&self, listener: Listener) {
        match Notifier::start(self.pool.clone(), listener) {
            Ok(notifier) => drop(self.notifier.set(notifier)),
            Err(error) => log::error!("nobody is told of changes: {error}"),
        }
    }
}

/// One transaction, and whether it has ended so that the connection can begin another.
fn run<T>(
    connection: &Connection,
    access: Access,
    deadline: Instant,
    function: impl Fn(&dyn Records) -> Result<T, MasterError>,
) -> (Result<T, MasterError>, bool) {
    let transaction = match Transaction::begin(connection, access, deadline) {
        Ok(transaction) => transaction,
        Err(error) => {
            let is_over = matches!(error, PostgresError::Standby(_))
                && connection.roll_back(deadline).is_ok();
            return (Err(failed("cannot begin")(error).into()), is_over);
        }
    };
    match function(&Statements(&transaction)) {
        Ok(value) => {
            let committed = transaction.commit();
            let has_ended = committed.is_ok();
            let committed = committed.map_err(|error| failed(COMMIT)(error).into());
            (committed.map(|()| value), has_ended)
        }
        Err(error) => (Err(error), transaction.roll_back().is_ok()),
    }
}

/// Whether the connection that it came from is good for nothing any more.
fn is_of_connection(error: &StorageError) -> bool {
    matches!(&error.source, EngineError::Postgres(error) if error.is_of_connection())
}

/// What is tried last.
const COMMIT: &str = "cannot commit";

fn failed(action: &'static str) -> impl Fn(PostgresError) -> StorageError {
    move |source| EngineError::from(source).at(action)
}

#[cfg(test)]
mod tests {
    use slapos_tests::postgres::{Postgres, Setup};

    use super::*;
    use crate::storage::{Database, MigrateError, migrate};

    fn open(uri: &str) -> PostgresStorage {
        PostgresStorage::open(PostgresSettings::parse(uri).unwrap()).unwrap()
    }

    #[test]
    fn a_request_whose_time_is_over_costs_no_connection_but_its_own() {
        let storage = open(&Postgres::shared().database());
        let [held, other] = [0, 1].map(|_| storage.pool.take().unwrap());
        let far = Instant::now() + Duration::from_secs(60);
        let lock = Transaction::begin(&held, Access::WriteInTurn, far).unwrap();
        storage.pool.put_back(other);
        storage.pool.put_back(storage.pool.connect().unwrap());
        let soon = Instant::now() + Duration::from_millis(200);
        let late = storage.attempt(Access::WriteInTurn, soon, |_| Ok(()));
        assert!(late.is_err(), "{late:?}");
        assert_eq!(storage.pool.idle(), 1);
        lock.roll_back().unwrap();
    }

    /// That many connections that nobody uses.
    fn keep_idle(storage: &PostgresStorage, count: usize) {
        let connections: Vec<_> = (0..count).map(|_| storage.pool.take().unwrap()).collect();
        connections
            .into_iter()
            .for_each(|it| storage.pool.put_back(it));
    }

    #[test]
    fn a_glance_may_wait_for_a_lock_and_costs_no_connection_but_its_own() {
        let uri = Postgres::shared().database();
        let storage = open(&uri);
        keep_idle(&storage, 3);
        let holder = storage.pool.connect().unwrap();
        let far = Instant::now() + Duration::from_secs(60);
        let lock = "BEGIN; LOCK TABLE computer_version18 IN ACCESS EXCLUSIVE MODE";
        holder.run(far, lock).unwrap();
        let begun = Instant::now();
        let glanced = std::thread::scope(|scope| {
            scope.spawn(move || {
                // Longer than a glance waits by itself.
                std::thread::sleep(Duration::from_secs(5));
                holder.roll_back(far).unwrap();
            });
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let glance = storage.glance_async(|records| Ok(records.version("C")?));
            (runtime.block_on(glance), begun.elapsed())
        });
        assert_eq!(glanced.0.unwrap(), None);
        assert!(glanced.1 > Duration::from_secs(3), "{:?}", glanced.1);
        assert_eq!(storage.pool.idle(), 2);
    }

    #[test]
    fn a_standby_that_is_asked_for_refuses_writes_and_keeps_its_connections() {
        let primary = Postgres::start(&Setup::default());
        let uri = primary.database();
        drop(open(&uri));
        let standby = primary.standby();
        let uri = standby.uri(Postgres::name(&uri));
        let any = format!("{uri}&target_session_attrs=any");
        let storage = open(&any);
        keep_idle(&storage, 2);
        let count = "SELECT string_agg(CAST(pid AS TEXT), ',' ORDER BY pid) FROM pg_stat_activity \
            WHERE application_name = 'slapproxy'";
        let before = standby.sql("postgres", count);
        for _ in 0..3 {
            let refused = storage.write(|records| Ok(records.set_config("a", "b")?));
            let Err(MasterError::Storage(error)) = refused else {
                panic!("{refused:?}");
            };
            assert!(error.is_passing(), "{error:?}");
            storage.read(|records| Ok(records.computers()?)).unwrap();
        }
        assert_eq!(standby.sql("postgres", count), before);
        // It may lack what was written last: who takes everything over asks the primary.
        let settings = PostgresSettings::parse(&uri).unwrap();
        assert!(PostgresStorage::open_existing(settings.clone().for_looking()).is_ok());
        let directory = tempfile::tempdir().unwrap();
        let to = Database::from(&directory.path().join("db"));
        let refused = migrate(&Database::Postgres(settings.into()), &to);
        assert!(matches!(refused, Err(MigrateError::Open(_))), "{refused:?}");
    }

    /// What it says of an error that the database gives.
    fn is_passing(storage: &PostgresStorage, state: &str) -> bool {
        let raise = format!("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$");
        let connection = storage.pool.take().unwrap();
        let far = Instant::now() + Duration::from_secs(60);
        let raised = connection.wait(far, async |client| client.batch_execute(&raise).await);
        raised.unwrap_err().is_passing()
    }

    #[test]
    fn what_passes_by_itself_is_told_from_what_somebody_must_see_to() {
        let storage = open(&Postgres::shared().database());
        for (state, passes) in [
            ("53000", true),
            ("53200", true),
            ("53300", true),
            ("57014", true),
            ("25006", true),
            ("40001", true),
            // A full disk, a limit of the configuration, and a column that is not there.
            ("53100", false),
            ("53400", false),
            ("42703", false),
        ] {
            assert_eq!(is_passing(&storage, state), passes, "{state}");
        }
    }

    #[test]
    fn a_database_without_a_connection_left_is_busy_and_not_away() {
        let uri = Postgres::shared().database();
        let owner = "CREATE ROLE limited LOGIN CONNECTION LIMIT 1";
        Postgres::shared().sql("postgres", owner);
        let access = "GRANT CREATE ON SCHEMA public TO limited";
        Postgres::shared().sql(Postgres::name(&uri), access);
        let storage = open(&uri.replace("user=slapos", "user=limited"));
        let held = storage.pool.take().unwrap();
        // The second is not even tried.
        for _ in 0..2 {
            let refused = storage.read(|records| Ok(records.computers()?));
            let Err(MasterError::Storage(error)) = refused else {
                panic!("{refused:?}");
            };
            let busy = matches!(
                error.source,
                EngineError::Postgres(PostgresError::Crowded(_))
            );
            assert!(busy && error.is_passing(), "{error:?}");
        }
        storage.pool.put_back(held);
        storage.read(|records| Ok(records.computers()?)).unwrap();
    }
}
