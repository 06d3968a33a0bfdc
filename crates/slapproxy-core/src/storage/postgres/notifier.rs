//! Who is told of changes, whichever server of the database makes them.
//!
//! One thread of each server looks for them now and then. To be notified by the database would be
//! quicker, but it lets commits that notify happen one after the other only.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use super::connection::{self, Connection};
use super::pool::Pool;
use super::transaction::{Access, Transaction};
use super::{PostgresError, failed, is_of_connection};
use crate::error::with_causes;
use crate::storage::engine::{Engine, Parameter};
use crate::storage::{Changed, Listener, Result};

/// How often to look.
const GLANCE: Duration = Duration::from_millis(300);
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Until a database that is away is looked for again.
const RETRY: Duration = Duration::from_secs(1);

/// Before which transaction all had ended, which none has reached, and since when the server runs.
const LIMITS: &str = "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT), \
    CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT), \
    CAST(extract(epoch FROM pg_postmaster_start_time()) * 1000000 AS BIGINT)";
/// What transactions of a range have changed. Rows that another server has written, of which this
/// database is a copy, may name transactions that are yet to come: they are not looked at.
const CHANGES: &str = "SELECT computer_reference, changed FROM computer_version18 \
    WHERE changed >= $1 AND changed < $2";

const ACTION: &str = "cannot look for changes";

/// A thread that looks for changes, until this is dropped.
pub(super) struct Notifier {
    _alive: SyncSender<()>,
}

impl Notifier {
    /// Each look is one of those who share the connections of the pool.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn start(pool: Arc<Pool>, listener: Listener) -> io::Result<Self> {
        let (alive, ended) = sync_channel(1);
        let runtime = connection::runtime()?;
        thread::Builder::new()
            .name("changes".to_owned())
            .spawn(move || Looking::new(&pool, &runtime, &listener).tell_each(&ended))?;
        Ok(Self { _alive: alive })
    }
}

impl fmt::Debug for Notifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Notifier")
    }
}

/// What the thread works with.
struct Looking<'a> {
    pool: &'a Pool,
    /// To wait for the turn.
    runtime: &'a Runtime,
    listener: &'a Listener,
    seen: Changes,
    is_failing: bool,
}

impl<'a> Looking<'a> {
    fn new(pool: &'a Pool, runtime: &'a Runtime, listener: &'a Listener) -> Self {
        Self {
            pool,
            runtime,
            listener,
            seen: Changes::default(),
            is_failing: false,
        }
    }

    /// Tells of changes to the end.
    fn tell_each(mut self, ended: &Receiver<()>) {
        loop {
            let looked = self.look();
            let pause = if looked.is_ok() { GLANCE } else { RETRY };
            self.log(&looked);
            if ended.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    /// Tells of what has changed since the last look.
    fn look(&mut self) -> Result<()> {
        match self.changed()? {
            None => (self.listener)(Changed::Unknown),
            Some(computers) => {
                for computer in computers {
                    (self.listener)(Changed::Computer(&computer));
                }
            }
        }
        Ok(())
    }

    /// What has changed. A look that fails misses nothing: the next one finds what it would have.
    fn changed(&mut self) -> Result<Option<Vec<String>>> {
        let slot = self.runtime.block_on(self.pool.slot());
        let _slot = slot.map_err(failed(ACTION))?;
        match self.look_by(self.pool.take()) {
            // Of a pooled one, nobody knows for how long it was gone.
            Err(error) if is_of_connection(&error) => {
                self.pool.forget_idle();
                self.look_by(self.pool.connect())
            }
            found => found,
        }
    }

    fn look_by(
        &mut self,
        connection: std::result::Result<Connection, PostgresError>,
    ) -> Result<Option<Vec<String>>> {
        let connection = connection.map_err(failed(ACTION))?;
        let found = self.seen.look(&connection)?;
        self.pool.put_back(connection);
        Ok(found)
    }

    /// Says once that nobody is told, and once that they are again.
    fn log(&mut self, looked: &Result<()>) {
        match looked {
            Ok(()) if self.is_failing => log::info!("changes in the database are seen again"),
            Err(error) if !self.is_failing => {
                let reason = with_causes(error);
                log::warn!("{reason}; nodes that wait for changes are not told");
            }
            _ => {}
        }
        self.is_failing = looked.is_err();
    }
}

/// What was seen of changes.
#[derive(Default)]
struct Changes {
    /// Since when the server runs that was asked, in microseconds of Unix time. Transactions of
    /// another one, or of before a crash, may have been lost, and their numbers be given again.
    server: i64,
    /// Transactions before this one had all ended.
    since: i64,
    /// The changes by later ones, by computer and transaction.
    seen: HashSet<(String, i64)>,
}

impl Changes {
    /// The computers that have changed since the last look; `None` if nobody can tell.
    fn look(&mut self, connection: &Connection) -> Result<Option<Vec<String>>> {
        let deadline = Instant::now() + PATIENCE;
        let transaction = Transaction::begin(connection, Access::Read, deadline);
        let transaction = transaction.map_err(failed(ACTION))?;
        let (mut next, mut end, mut server, mut found) = (0, 0, 0, HashSet::new());
        let limits = transaction.query(LIMITS, &[], &mut |row| {
            (next, end, server) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(())
        });
        limits.map_err(|error| error.at(ACTION))?;
        let is_same = self.server == server && self.since <= next;
        let since = if is_same { self.since } else { next };
        let range = [Parameter::Integer(since), Parameter::Integer(end)];
        let changes = transaction.query(CHANGES, &range, &mut |row| {
            found.insert((row.get(0)?, row.get(1)?));
            Ok(())
        });
        changes.map_err(|error| error.at(ACTION))?;
        transaction.commit().map_err(failed(ACTION))?;
        let new = found.difference(&self.seen).cloned();
        let computers = new.map(|(computer, _)| computer).collect();
        (self.server, self.since, self.seen) = (server, next, found);
        Ok(is_same.then_some(computers))
    }
}

#[cfg(test)]
mod tests {
    use slapos_tests::poll;
    use slapos_tests::postgres::Postgres;

    use super::super::{PostgresSettings, PostgresStorage};
    use super::*;
    use crate::storage::Storage;

    fn open(uri: &str) -> PostgresStorage {
        PostgresStorage::open(PostgresSettings::parse(uri).unwrap()).unwrap()
    }

    /// Rows of a dump keep the numbers of transactions of the server that they were on.
    #[test]
    fn what_a_copy_says_of_transactions_to_come_is_not_looked_at() {
        let uri = Postgres::shared().database();
        let storage = open(&uri);
        let connection = storage.pool.take().unwrap();
        let mut changes = Changes::default();
        assert_eq!(changes.look(&connection).unwrap(), None);
        let copied = "INSERT INTO computer_version18 SELECT 'C' || number, 0, 1, 4e18 \
            FROM generate_series(1, 1000) AS number";
        Postgres::shared().sql(Postgres::name(&uri), copied);
        assert_eq!(changes.look(&connection).unwrap(), Some(Vec::new()));
        assert!(changes.seen.is_empty());
        let supply = |computer: &str| {
            let supplied =
                storage.write(|records| Ok(records.set_software(computer, "u", "available")?));
            supplied.unwrap();
        };
        supply("C7");
        supply("new");
        let mut told = changes.look(&connection).unwrap().unwrap();
        told.sort();
        assert_eq!(told, ["C7", "new"]);
        assert_eq!(changes.look(&connection).unwrap(), Some(Vec::new()));
    }

    #[test]
    fn of_another_server_nobody_can_tell_what_has_changed() {
        let storage = open(&Postgres::shared().database());
        let connection = storage.pool.take().unwrap();
        let mut changes = Changes::default();
        for (server, since) in [(0, i64::MAX), (1, 0)] {
            changes.look(&connection).unwrap();
            changes.server -= server;
            changes.since = changes.since.max(since);
            assert_eq!(changes.look(&connection).unwrap(), None);
            assert_eq!(changes.look(&connection).unwrap(), Some(Vec::new()));
        }
    }

    /// What is told: whether it is about the computer C.
    fn changes_of(storage: &PostgresStorage) -> Receiver<bool> {
        let (told, changes) = sync_channel(100);
        storage.tell_changes(Box::new(move |changed| {
            let _ = told.try_send(changed == Changed::Computer("C"));
        }));
        changes
    }

    #[test]
    fn a_connection_that_has_died_wakes_nobody() {
        let uri = Postgres::shared().database();
        let named = format!("{uri}&application_name=mortal");
        let mut settings = PostgresSettings::parse(&named).unwrap();
        settings.connections = 1;
        let storage = PostgresStorage::open(settings).unwrap();
        let changes = changes_of(&storage);
        assert_eq!(changes.recv_timeout(PATIENCE), Ok(false));
        let sql = |text: &str| Postgres::shared().sql("postgres", text);
        let backend = "SELECT pid FROM pg_stat_activity WHERE application_name = 'mortal'";
        let before = sql(backend);
        sql(&format!("SELECT pg_terminate_backend(({backend}))"));
        poll::until("it is connected anew", PATIENCE, || {
            let now = sql(backend);
            !now.is_empty() && now != before
        });
        let supplied = storage.write(|records| Ok(records.set_software("C", "u", "available")?));
        supplied.unwrap();
        assert_eq!(changes.recv_timeout(PATIENCE), Ok(true));
    }

    #[test]
    fn looking_takes_no_connection_beyond_those_that_are_allowed() {
        let uri = Postgres::shared().database();
        let counted = format!("{uri}&application_name=counted");
        let mut settings = PostgresSettings::parse(&counted).unwrap();
        settings.connections = 1;
        let storage = PostgresStorage::open(settings).unwrap();
        let changes = changes_of(&storage);
        let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'counted'";
        let supplied =
            || storage.write(|records| Ok(records.set_software("C", "u", "available")?));
        // The first message is that of nobody having looked before.
        assert_eq!(changes.recv_timeout(PATIENCE), Ok(false));
        supplied().unwrap();
        assert_eq!(changes.recv_timeout(PATIENCE), Ok(true));
        assert_eq!(Postgres::shared().sql("postgres", count), "1\n");
    }
}
