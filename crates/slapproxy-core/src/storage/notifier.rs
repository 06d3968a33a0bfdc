//! Who is told of changes, whichever process makes them.

use std::fmt;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

use super::{Changed, Listener, StorageError, versions};

/// How often to look for what other processes have changed.
const GLANCE: Duration = Duration::from_millis(500);

/// A thread that looks for changes after each commit of ours, and now and then for those of others.
/// It ends with the writer; when this is dropped, it has closed its connection.
pub(super) struct Notifier {
    listener: Arc<OnceLock<Listener>>,
    thread: Option<JoinHandle<()>>,
}

impl Notifier {
    /// Changes count from now on. `committed` has a message after each commit of the writer.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn new(connection: Connection, committed: Receiver<()>) -> io::Result<Self> {
        let listener = Arc::new(OnceLock::new());
        let of_thread = listener.clone();
        let seen = versions::latest(&connection);
        let mut changes = Changes { connection, seen };
        let thread = thread::Builder::new()
            .name("changes".to_owned())
            .spawn(move || changes.tell_each(&committed, &of_thread))?;
        Ok(Self {
            listener,
            thread: Some(thread),
        })
    }

    /// Tells this one, unless another is told already.
    pub(super) fn tell(&self, listener: Listener) {
        if self.listener.set(listener).is_err() {
            log::error!("changes are told somebody else already");
        }
    }
}

impl fmt::Debug for Notifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Notifier")
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        // If it panicked, its connection is closed, too.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// What the thread works with.
struct Changes {
    connection: Connection,
    /// The last version that was told; why it is unknown.
    seen: Result<i64, StorageError>,
}

impl Changes {
    fn tell_each(&mut self, committed: &Receiver<()>, listener: &OnceLock<Listener>) {
        while committed.recv_timeout(GLANCE) != Err(RecvTimeoutError::Disconnected) {
            if let Some(listener) = listener.get() {
                self.tell(listener);
            }
        }
    }

    /// Tells of all that came after what was told last.
    fn tell(&mut self, listener: &Listener) {
        let changed = match &self.seen {
            Ok(seen) => versions::changed_since(&self.connection, *seen),
            Err(_) => {
                listener(Changed::Unknown);
                self.seen = versions::latest(&self.connection);
                return;
            }
        };
        match changed {
            Ok(changed) => {
                for (computer, version) in changed {
                    self.seen = Ok(version);
                    listener(Changed::Computer(&computer));
                }
            }
            Err(error) => {
                log::error!("{error}: {}", error.source);
                self.seen = Err(error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Instant;

    use super::*;
    use crate::storage::{SqliteStorage, Storage};

    const PATIENCE: Duration = Duration::from_secs(20);

    /// Waits until a computer was told.
    fn await_told(told: &Mutex<Vec<String>>, computer: &str) {
        let begun = Instant::now();
        while !told.lock().unwrap().iter().any(|name| name == computer) {
            assert!(begun.elapsed() < PATIENCE, "{computer} was not told");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn changes_are_told_whoever_makes_them_and_nothing_else_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        let storage = SqliteStorage::open(&path, "C").unwrap();
        let supply = |computer: &str| {
            storage
                .write(|records| Ok(records.set_software(computer, "u", "available")?))
                .unwrap();
        };
        supply("before");
        let told = Arc::new(Mutex::new(Vec::new()));
        let list = told.clone();
        storage.tell_changes(Box::new(move |changed| {
            let Changed::Computer(computer) = changed else {
                panic!("{changed:?}");
            };
            list.lock().unwrap().push(computer.to_owned());
        }));
        supply("ours");
        await_told(&told, "ours");
        let other = Connection::open(&path).unwrap();
        let sql = "INSERT INTO software18 (url, computer_reference) VALUES ('u', 'theirs')";
        other.execute(sql, []).unwrap();
        await_told(&told, "theirs");
        // The same once more is no change.
        supply("ours");
        supply("last");
        await_told(&told, "last");
        let mut told = told.lock().unwrap().clone();
        told.retain(|computer| computer != "before");
        assert_eq!(told, ["ours", "theirs", "last"]);
    }
}
