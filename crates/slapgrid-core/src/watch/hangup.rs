//! SIGHUP, which wakes a process that waits for its next pass.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::SIGHUP;

use super::changes::Changes;
use crate::process::Interruption;

/// Why a wait has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Woken {
    /// Its time is over.
    TimeIsOver,
    /// By SIGHUP, which may have come before the wait.
    HungUp,
    /// The master tells of a change.
    Changed,
    /// slapgrid was told to end.
    Interrupted,
}

/// Where SIGHUP arrives.
#[derive(Debug)]
pub(super) struct Hangup {
    told: UnixStream,
}

impl Hangup {
    /// From now on SIGHUP no longer ends the process.
    pub(super) fn by_signal() -> io::Result<Self> {
        let (told, order) = UnixStream::pair()?;
        told.set_nonblocking(true)?;
        signal_hook::low_level::pipe::register(SIGHUP, order)?;
        Ok(Self { told })
    }

    /// Waits for that long, or until a signal or a change comes. Several SIGHUP may count as one.
    pub(super) fn wait(
        &self,
        interruption: &Interruption,
        changes: Option<&Changes>,
        duration: Duration,
    ) -> Woken {
        let timeout = Timespec::try_from(duration).ok();
        let mut watched = vec![
            PollFd::new(interruption, PollFlags::IN),
            PollFd::new(&self.told, PollFlags::IN),
        ];
        watched.extend(changes.map(|changes| PollFd::new(changes, PollFlags::IN)));
        // A signal that arrives at this thread ends the wait with an error: the streams tell which.
        let _ = poll(&mut watched, timeout.as_ref());
        if interruption.is_requested() {
            Woken::Interrupted
        } else if self.take() {
            Woken::HungUp
        } else if changes.is_some_and(Changes::have_come) {
            Woken::Changed
        } else {
            Woken::TimeIsOver
        }
    }

    /// Whether the signal came since this was asked last.
    fn take(&self) -> bool {
        let mut bytes = [0; 64];
        let mut came = false;
        while (&self.told).read(&mut bytes).is_ok_and(|count| count > 0) {
            came = true;
        }
        came
    }
}
