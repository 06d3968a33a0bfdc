//! Waiting for something that another process does.

use std::time::{Duration, Instant};

/// Polls until the condition holds; fails the test after `limit`.
pub fn until(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !condition() {
        assert!(
            Instant::now() < deadline,
            "waited {limit:?} in vain until {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
