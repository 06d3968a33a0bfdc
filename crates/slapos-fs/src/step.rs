//! The steps of a tool that another process can see, for tests that kill it after one of them.
//!
//! With the feature `fault-injection`, which only builds for tests have, the process kills itself
//! after the step whose number the environment gives. Everywhere else nothing is done here.

use std::path::Path;

/// The variable that holds the number; the first step is 1.
#[cfg(feature = "fault-injection")]
const VARIABLE: &str = "SLAPOS_KILL_AFTER_STEP";

/// A step is done: what was done, as a verb in the past, and to what.
#[cfg(not(feature = "fault-injection"))]
#[inline]
pub fn step(_done: &str, _path: &Path) {}

/// A step is done: what was done, as a verb in the past, and to what.
#[cfg(feature = "fault-injection")]
pub fn step(done: &str, path: &Path) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    static LAST: OnceLock<Option<usize>> = OnceLock::new();
    static STEPS: AtomicUsize = AtomicUsize::new(0);
    let last = LAST.get_or_init(|| std::env::var(VARIABLE).ok()?.parse().ok());
    let number = STEPS.fetch_add(1, Ordering::SeqCst) + 1;
    if *last == Some(number) {
        let name = path.file_name().unwrap_or(path.as_os_str());
        eprintln!("killed after step {number}: {done} {}", name.display());
        // As whoever kills it: nothing is cleaned up.
        let _ = nix::sys::signal::kill(nix::unistd::getpid(), nix::sys::signal::Signal::SIGKILL);
    }
}
