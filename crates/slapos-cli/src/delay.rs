//! The random delay of runs that nobody watches: nodes whose cron starts them at the same minute
//! shall not all ask their master at once.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::IsTerminal;
use std::time::Duration;

/// How long to wait before a run, in whole seconds below `maximal`; nothing at a terminal.
pub fn random_delay(maximal: Duration) -> Option<Duration> {
    if std::io::stdin().is_terminal() {
        return None;
    }
    // How good the random number is does not matter; the standard library seeds its hash maps by such.
    let number = RandomState::new().build_hasher().finish();
    let seconds = number.checked_rem(maximal.as_secs())?;
    Some(Duration::from_secs(seconds))
}
