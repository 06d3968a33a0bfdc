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
use super::{failed, is_of_connection};
use crate::http::respond;
use crate::storage::engine::{Engine, Parameter};
use crate::storage::{Changed, Listener, Result};

/// How often to look.
const GLANCE: Duration = Duration::from_millis(300);
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Until a database that is away is looked for again.
const RETRY: Duration = Duration::from_secs(1);

/// Before which transaction all had ended, and which none has reached.
const LIMITS: &str = "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT), \
    CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT)";
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
    /// `None`: nobody has looked yet, or in vain, so that changes may have been missed.
    seen: Option<Changes>,
    is_failing: bool,
}

impl<'a> Looking<'a> {
    fn new(pool: &'a Pool, runtime: &'a Runtime, listener: &'a Listener) -> Self {
        Self {
            pool,
            runtime,
            listener,
            seen: None,
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
        // Gone if this fails: then changes may be missed.
        let seen = self.seen.take();
        let is_first = seen.is_none();
        let mut changes = seen.unwrap_or_default();
        let computers = self.found_by(&mut changes)?;
        self.seen = Some(changes);
        if is_first {
            (self.listener)(Changed::Unknown);
            return Ok(());
        }
        for computer in computers {
            (self.listener)(Changed::Computer(&computer));
        }
        Ok(())
    }

    fn found_by(&self, changes: &mut Changes) -> Result<Vec<String>> {
        let slot = self.runtime.block_on(self.pool.slot());
        let _slot = slot.map_err(failed(ACTION))?;
        let connection = self.pool.take().map_err(failed(ACTION))?;
        let found = changes.look(&connection);
        match &found {
            Ok(_) => self.pool.put_back(connection),
            Err(error) if is_of_connection(error) => self.pool.forget_idle(),
            Err(_) => {}
        }
        found
    }

    /// Says once that nobody is told, and once that they are again.
    fn log(&mut self, looked: &Result<()>) {
        match looked {
            Ok(()) if self.is_failing => log::info!("changes in the database are seen again"),
            Err(error) if !self.is_failing => {
                let reason = respond::with_causes(error);
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
    /// Transactions before this one had all ended.
    since: i64,
    /// The changes by later ones, by computer and transaction.
    seen: HashSet<(String, i64)>,
}

impl Changes {
    /// The computers that have changed since the last look.
    fn look(&mut self, connection: &Connection) -> Result<Vec<String>> {
        let deadline = Instant::now() + PATIENCE;
        let transaction = Transaction::begin(connection, Access::Read, deadline);
        let transaction = transaction.map_err(failed(ACTION))?;
        let (mut next, mut end, mut found) = (0, 0, HashSet::new());
        let limits = transaction.query(LIMITS, &[], &mut |row| {
            (next, end) = (row.get(0)?, row.get(1)?);
            Ok(())
        });
        limits.map_err(|error| error.at(ACTION))?;
        let since = if self.since == 0 { next } else { self.since };
        let range = [Parameter::Integer(since), Parameter::Integer(end)];
        let changes = transaction.query(CHANGES, &range, &mut |row| {
            found.insert((row.get(0)?, row.get(1)?));
            Ok(())
        });
        changes.map_err(|error| error.at(ACTION))?;
        transaction.commit().map_err(failed(ACTION))?;
        let new = found.difference(&self.seen).cloned();
        let computers = new.map(|(computer, _)| computer).collect();
        (self.since, self.seen) = (next, found);
        Ok(computers)
    }
}

#[cfg(test)]
mod tests {
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
        assert!(changes.look(&connection).unwrap().is_empty());
        let copied = "INSERT INTO computer_version18 SELECT 'C' || number, 0, 1, 4e18 \
            FROM generate_series(1, 1000) AS number";
        Postgres::shared().sql(Postgres::name(&uri), copied);
        assert!(changes.look(&connection).unwrap().is_empty());
        assert!(changes.seen.is_empty());
        let supply = |computer: &str| {
            let supplied =
                storage.write(|records| Ok(records.set_software(computer, "u", "available")?));
            supplied.unwrap();
        };
        supply("C7");
        supply("new");
        let mut told = changes.look(&connection).unwrap();
        told.sort();
        assert_eq!(told, ["C7", "new"]);
        assert!(changes.look(&connection).unwrap().is_empty());
    }

    #[test]
    fn looking_takes_no_connection_beyond_those_that_are_allowed() {
        let uri = Postgres::shared().database();
        let counted = format!("{uri}&application_name=counted");
        let mut settings = PostgresSettings::parse(&counted).unwrap();
        settings.connections = 1;
        let storage = PostgresStorage::open(settings).unwrap();
        let (told, changes) = sync_channel(100);
        storage.tell_changes(Box::new(move |changed| {
            let _ = told.try_send(changed == Changed::Computer("C"));
        }));
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
