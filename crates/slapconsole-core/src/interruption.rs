//! Ctrl-C while something runs.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::SIGINT;

/// What ran was asked to end.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

impl From<Interrupted> for starlark::Error {
    fn from(error: Interrupted) -> Self {
        Self::new_native(error)
    }
}

/// Whether what runs shall end. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interruption(Arc<AtomicBool>);

impl Interruption {
    /// Has SIGINT ask for the end of what runs, instead of ending the process.
    pub(crate) fn by_signal(&self) -> io::Result<()> {
        signal_hook::flag::register(SIGINT, self.0.clone()).map(drop)
    }

    pub(crate) fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Ends what runs, if it shall end.
    pub(crate) fn check(&self) -> Result<(), Interrupted> {
        if self.is_requested() {
            Err(Interrupted)
        } else {
            Ok(())
        }
    }

    #[cfg(test)]
    pub(crate) fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Forgets what was asked for before.
    pub(crate) fn forget(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
