//! Ctrl-C while the user waits.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

/// Which signal has come: 0 for none.
#[derive(Debug, Clone, Default)]
pub(super) struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// From now on, the signals that end a program are noted only.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn on_signals(&self) -> io::Result<()> {
        for (signal, number) in [(SIGINT, SIGINT as usize), (SIGTERM, SIGTERM as usize)] {
            flag::register_usize(signal, Arc::clone(&self.0), number)?;
        }
        Ok(())
    }

    /// Whether one has come.
    pub(super) fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// As [`Interrupt::is_requested`], for others to ask.
    pub(super) fn flag(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let own = self.clone();
        move || own.is_requested()
    }

    /// Ends the process by the signal, as if it had not been noted, so that a shell that runs a script
    /// knows; comes back if there was none.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn end(&self) -> io::Result<()> {
        match i32::try_from(self.0.load(Ordering::Relaxed)) {
            Ok(signal @ 1..) => low_level::emulate_default_handler(signal),
            _ => Ok(()),
        }
    }
}
