//! Being told to end: SIGINT and SIGTERM, as a descriptor that every wait can watch.
//!
//! Ten seconds after the order slapgrid has ended, whatever hangs. Programs are told to end at once
//! and killed after five seconds (`run.rs`); calls that are under way may come to their end within
//! [`CALL_GRACE`]; then failures are reported, all of them within [`LAST_WORDS_GRACE`]; and what is
//! stuck elsewhere, in a removal on a slow disk or with a silent binary cache, is cut off after
//! [`LONGEST_END`]. It is as safe as a kill at any other moment: the next run goes on.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::process;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGINT, SIGTERM};

/// Exit code of what a signal ended, as shells give it, less the signal's number.
const KILLED_BY: i32 = 128;
/// Exit code of a run that had to be cut off: it failed.
const CUT_OFF: i32 = 1;
/// So long after the order calls to the master and to supervisord are given up: most are answered
/// by then, and what is known to both sides need not be told again.
pub(crate) const CALL_GRACE: Duration = Duration::from_secs(2);
/// So long after the order the last failure has been reported to the master, or never is.
pub(crate) const LAST_WORDS_GRACE: Duration = Duration::from_secs(8);
/// So long after the order the process ends, whatever it does.
const LONGEST_END: Duration = Duration::from_secs(9);
/// For the message about it, which must not hang either.
const FAREWELL: Duration = Duration::from_millis(200);

/// Whether slapgrid was told to end. Once told, it stays so. Clones share it.
#[derive(Clone, Debug)]
pub struct Interruption {
    /// Readable once the order has come; nobody reads from it.
    told: Arc<UnixStream>,
    /// Kept open, since the end of a stream is readable too.
    order: Arc<UnixStream>,
    /// When somebody saw it first.
    since: Arc<OnceLock<Instant>>,
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
            since: Arc::default(),
        })
    }

    /// One that SIGINT and SIGTERM bring about: the first of them no longer ends the process by
    /// itself, but within ten seconds; the next does at once.
    ///
    /// # Errors
    /// No more descriptors can be opened, or the handlers cannot be set.
    pub fn by_signals() -> io::Result<Self> {
        let interruption = Interruption::by_patient_signals()?;
        let awaited = interruption.clone();
        thread::Builder::new().spawn(move || awaited.insist())?;
        Ok(interruption)
    }

    /// As [`Interruption::by_signals`] for somebody who works with a program on the terminal, which
    /// gets these signals, too: the first has no limit of time.
    pub(crate) fn by_patient_signals() -> io::Result<Self> {
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

    /// Ends the process when the end takes too long.
    fn insist(&self) {
        while !self.wait(Duration::MAX) {}
        thread::sleep(LONGEST_END);
        thread::spawn(|| log::error!("cut off, since the end takes too long"));
        thread::sleep(FAREWELL);
        process::exit(CUT_OFF);
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
        let came = match poll(&mut watched, timeout.as_ref()) {
            Ok(_) => !watched[0].revents().is_empty(),
            // A signal that arrived at this thread: the order is there if it was one of ours.
            Err(_) => self.is_requested(),
        };
        if came {
            self.since.get_or_init(Instant::now);
        }
        came
    }

    /// Says, to whoever asks, whether the order has come so long ago.
    pub(crate) fn since(&self, grace: Duration) -> impl Fn() -> bool + Send + Sync + use<> {
        let interruption = self.clone();
        move || {
            interruption.is_requested()
                && interruption
                    .since
                    .get()
                    .is_some_and(|since| since.elapsed() >= grace)
        }
    }
}

impl AsFd for Interruption {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.told.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grace_begins_with_the_order() {
        let interruption = Interruption::new().unwrap();
        let (at_once, later) = (Duration::ZERO, Duration::from_secs(60));
        let asked = [at_once, later].map(|grace| interruption.since(grace));
        assert_eq!(asked.each_ref().map(|is_over| is_over()), [false, false]);
        interruption.interrupt();
        assert_eq!(asked.each_ref().map(|is_over| is_over()), [true, false]);
    }
}
