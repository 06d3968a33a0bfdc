//! Who is told of changes, whichever server of the database makes them.
//!
//! One thread of each server looks for them now and then. To be notified by the database would be
//! quicker, but it lets commits that notify happen one after the other only.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::transaction::{Access, Transaction};
use super::{PostgresSettings, failed};
use crate::storage::engine::{Engine, Parameter};
use crate::storage::{Changed, Listener, Result};

/// How often to look.
const GLANCE: Duration = Duration::from_millis(300);
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Until a database that is away is looked for again.
const RETRY: Duration = Duration::from_secs(1);

const ACTION: &str = "cannot look for changes";

/// A thread that looks for changes, until this is dropped.
pub(super) struct Notifier {
    _alive: SyncSender<()>,
}

impl Notifier {
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn start(settings: PostgresSettings, listener: Listener) -> io::Result<Self> {
        let (alive, ended) = sync_channel(1);
        thread::Builder::new()
            .name("changes".to_owned())
            .spawn(move || tell_each(&settings, &ended, &listener))?;
        Ok(Self { _alive: alive })
    }
}

impl fmt::Debug for Notifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Notifier")
    }
}

/// Tells of changes to the end; a database that is away is told of by those who ask it.
fn tell_each(settings: &PostgresSettings, ended: &Receiver<()>, listener: &Listener) {
    while let Err(error) = tell_while_there(settings, ended, listener) {
        log::debug!("{error}: {}", error.source);
        if has_ended(ended, RETRY) {
            return;
        }
    }
}

fn tell_while_there(
    settings: &PostgresSettings,
    ended: &Receiver<()>,
    listener: &Listener,
) -> Result<()> {
    let connection = Connection::open(settings).map_err(failed(ACTION))?;
    let mut changes = Changes::default();
    changes.look(&connection)?;
    // Nobody has looked before.
    listener(Changed::Unknown);
    while !has_ended(ended, GLANCE) {
        for computer in changes.look(&connection)? {
            listener(Changed::Computer(&computer));
        }
    }
    Ok(())
}

fn has_ended(ended: &Receiver<()>, pause: Duration) -> bool {
    ended.recv_timeout(pause) != Err(RecvTimeoutError::Timeout)
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
        let (mut next, mut found) = (0, HashSet::new());
        let sql = "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)";
        let limit = transaction.query(sql, &[], &mut |row| {
            next = row.get(0)?;
            Ok(())
        });
        limit.map_err(|error| error.at(ACTION))?;
        let sql = "SELECT computer_reference, changed FROM computer_version18 WHERE changed >= $1";
        let since = [Parameter::Integer(if self.since == 0 {
            next
        } else {
            self.since
        })];
        let changes = transaction.query(sql, &since, &mut |row| {
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
