//! Hearing of changes from a master that tells them: while slapgrid waits for its next pass, a thread
//! waits at the master.

use std::error::Error;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use slap_client::Computer;

use crate::boot::is_transient;
use crate::outcome::error_chain;
use crate::process::Interruption;
use crate::run::{Awaited, Known, connection};
use crate::settings::Settings;

/// How long the master waits at a time: proxies between may end what is silent for a minute.
const LONGEST: Duration = Duration::from_secs(50);
/// Between two questions, so that a master that does not wait for long is not asked all the time; it
/// counts waiting in whole seconds. After a failure it is the first pause, and each is twice as long
/// as the one before.
const LEAST: Duration = Duration::from_secs(1);

/// A thread that waits for a change. Dropped, it is given up.
pub(super) struct Changes {
    /// Readable once there is a change.
    told: UnixStream,
    /// Kept open, since the end of a stream is readable, too.
    _order: Arc<UnixStream>,
    given_up: Arc<AtomicBool>,
}

impl Changes {
    /// Waits for a change for so long; `None` if the master is none that tells, or it cannot be
    /// waited for: the next pass comes all the same.
    pub(super) fn await_for(
        pause: Duration,
        settings: &Settings,
        known: &Arc<Known>,
        interruption: &Interruption,
    ) -> Option<Self> {
        if !known.is_there() {
            return None;
        }
        let changes = Self::begin(pause, settings, known.clone(), interruption);
        changes
            .inspect_err(|error| {
                let error = error_chain(&**error);
                log::warn!("cannot wait for changes at the master: {error}");
            })
            .ok()
    }

    fn begin(
        pause: Duration,
        settings: &Settings,
        known: Arc<Known>,
        interruption: &Interruption,
    ) -> Result<Self, Box<dyn Error>> {
        let (told, order) = UnixStream::pair()?;
        told.set_nonblocking(true)?;
        let order = Arc::new(order);
        let given_up = Arc::new(AtomicBool::new(false));
        let (asked, ending) = (given_up.clone(), interruption.since(Duration::ZERO));
        let is_over = move || asked.load(Ordering::Relaxed) || ending();
        let slap = connection(settings)?.cancelled_by(is_over).open()?;
        let waiter = Waiter {
            master: slap.register_computer(settings.computer_id.as_str()),
            known,
            deadline: Instant::now() + pause,
            interruption: interruption.clone(),
        };
        let of_thread = order.clone();
        thread::Builder::new().spawn(move || {
            if waiter.sees_change() {
                // Whoever gave up does not listen any more.
                let _ = (&*of_thread).write(&[0]);
            }
        })?;
        Ok(Self {
            told,
            _order: order,
            given_up,
        })
    }

    /// Whether there was a change.
    pub(super) fn have_come(&self) -> bool {
        (&self.told).read(&mut [0]).is_ok_and(|count| count > 0)
    }
}

impl AsFd for Changes {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.told.as_fd()
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::Relaxed);
    }
}

/// What the thread works with.
struct Waiter {
    master: Computer,
    known: Arc<Known>,
    deadline: Instant,
    interruption: Interruption,
}

impl Waiter {
    /// Waits as long as the master does, and again after it has failed; what else it fails at is the
    /// matter of the next pass.
    fn sees_change(&self) -> bool {
        let mut pause = LEAST;
        loop {
            let asked = Instant::now();
            let left = self.deadline.saturating_duration_since(asked);
            if left < LEAST {
                return false;
            }
            match self.known.await_change(&self.master, left.min(LONGEST)) {
                Ok(Awaited::Change) => return true,
                Ok(Awaited::Nothing) => pause = LEAST,
                Ok(Awaited::Refusal) => return false,
                Err(error) => {
                    let reason = error_chain(&error);
                    log::debug!("the master cannot be waited for: {reason}");
                    if !is_transient(&error) || self.interruption.wait(pause) {
                        return false;
                    }
                    pause = (pause * 2).min(LONGEST);
                }
            }
            if asked.elapsed() < LEAST && self.interruption.wait(LEAST) {
                return false;
            }
        }
    }
}
