//! How long the user waits.

use std::time::{Duration, Instant};

/// What a call may take beyond the time, so that a time of nothing is enough for one request.
const GRACE: Duration = Duration::from_secs(1);

/// When the waiting is over; never, if it has no end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    /// So long after now. What is longer than a clock can tell has no end.
    pub(super) fn after(limit: Option<Duration>) -> Self {
        Self(limit.and_then(|limit| Instant::now().checked_add(limit)))
    }

    /// The time that is left; `None`: there is no end.
    pub(super) fn left(self) -> Option<Duration> {
        self.0
            .map(|end| end.saturating_duration_since(Instant::now()))
    }

    /// The most that what is begun now may take.
    pub(super) fn left_for_a_call(self) -> Option<Duration> {
        let end = self.0.and_then(|end| end.checked_add(GRACE))?;
        Some(end.saturating_duration_since(Instant::now()))
    }

    /// Whether what is under way shall be given up.
    pub(super) fn is_past(self) -> bool {
        self.left_for_a_call() == Some(Duration::ZERO)
    }
}
