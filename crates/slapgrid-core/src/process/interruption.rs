//! Being told to end: SIGINT and SIGTERM, as a descriptor that every wait can watch.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGINT, SIGTERM};

/// Exit code of what a signal ended, as shells give it, less the signal's number.
const KILLED_BY: i32 = 128;

/// Whether slapgrid was told to end. Once told, it stays so. Clones share it.
#[derive(Clone, Debug)]
pub struct Interruption {
    /// Readable once the order has come; nobody reads from it.
    told: Arc<UnixStream>,
    /// Kept open, since the end of a stream is readable too.
    order: Arc<UnixStream>,
}

impl Interruption {
    /// One that only [`Interruption::interrupt`] brings about.
    ///
    /// # Errors
    /// No more descriptors can be opened.
    pub fn new() -> io::Result<Self> {
        let (told, order) = UnixStream::pair()?;
        order.set_nonblocking(true)?;
        Ok(Interruption {
            told: Arc::new(told),
            order: Arc::new(order),
        })
    }

    /// One that SIGINT and SIGTERM bring about: the first of them ends the process no more by
    /// itself; the next does, since a call to a master that does not answer may last.
    ///
    /// # Errors
    /// No more descriptors can be opened, or the handlers cannot be set.
    pub fn by_signals() -> io::Result<Self> {
        let interruption = Interruption::new()?;
        let told_before = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            let status = KILLED_BY + signal;
            signal_hook::flag::register_conditional_shutdown(signal, status, told_before.clone())?;
            signal_hook::flag::register(signal, told_before.clone())?;
            signal_hook::low_level::pipe::register(signal, interruption.order.try_clone()?)?;
        }
        Ok(interruption)
    }

    /// Tells everyone to end.
    pub fn interrupt(&self) {
        // A full buffer says it already.
        let _ = (&*self.order).write(&[0]);
    }

    /// Whether the order has come.
    pub fn is_requested(&self) -> bool {
        self.wait(Duration::ZERO)
    }

    /// Waits for that long, or until the order comes: whether it came.
    pub fn wait(&self, duration: Duration) -> bool {
        let timeout = Timespec::try_from(duration).ok();
        let mut watched = [PollFd::new(&self.told, PollFlags::IN)];
        match poll(&mut watched, timeout.as_ref()) {
            Ok(_) => !watched[0].revents().is_empty(),
            // A signal that arrived at this thread: the order is there if it was one of ours.
            Err(_) => self.is_requested(),
        }
    }
}

impl AsFd for Interruption {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.told.as_fd()
    }
}
