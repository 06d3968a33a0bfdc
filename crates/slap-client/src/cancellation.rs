//! Calls that are given up before their time is over.

use std::fmt;
use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// How often it is asked whether a call shall be given up.
const GLANCE: Duration = Duration::from_millis(100);

/// Says whether calls shall be given up.
#[derive(Clone)]
pub(crate) struct Cancellation(Arc<dyn Fn() -> bool + Send + Sync>);

impl Cancellation {
    pub(crate) fn new(is_requested: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_requested))
    }

    /// Works on a thread of its own, and waits for it no longer than until it shall be given up: `None`
    /// then. The thread is left to the timeouts of what it does: nothing else ends a look-up of a name,
    /// or a connection that is being made.
    ///
    /// # Errors
    /// There can be no thread.
    pub(crate) fn unless_requested<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<Option<T>> {
        if (self.0)() {
            return Ok(None);
        }
        let (sender, receiver) = mpsc::channel();
        // Whoever gave up does not listen any more.
        let worker = thread::Builder::new().spawn(move || drop(sender.send(work())))?;
        loop {
            match receiver.recv_timeout(GLANCE) {
                Ok(result) => return Ok(Some(result)),
                Err(RecvTimeoutError::Timeout) if (self.0)() => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return worker
                        .join()
                        .map_or_else(|panic| resume_unwind(panic), |()| Ok(None));
                }
            }
        }
    }
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Cancellation")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Instant;

    use super::*;

    #[test]
    fn work_is_waited_for_until_it_shall_be_given_up() {
        let requested = Arc::new(AtomicBool::new(false));
        let asked = requested.clone();
        let cancellation = Cancellation::new(move || asked.load(Ordering::Relaxed));
        assert_eq!(cancellation.unless_requested(|| 7).unwrap(), Some(7));
        let started = Instant::now();
        let (order, silence) = (requested.clone(), Duration::from_secs(60));
        let given_up = cancellation.unless_requested(move || {
            order.store(true, Ordering::Relaxed);
            thread::sleep(silence);
        });
        assert_eq!(given_up.unwrap(), None);
        assert!(started.elapsed() < silence / 2);
        assert_eq!(cancellation.unless_requested(|| 7).unwrap(), None, "begun");
    }
}
