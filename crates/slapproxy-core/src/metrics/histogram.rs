//! How long things took.

use std::time::Duration;

use prometheus_text::Page;

/// Upper bounds of the buckets, in seconds, as they are printed.
const BOUNDS: [(f64, &str); 12] = [
    (0.0005, "0.0005"),
    (0.001, "0.001"),
    (0.0025, "0.0025"),
    (0.005, "0.005"),
    (0.01, "0.01"),
    (0.025, "0.025"),
    (0.05, "0.05"),
    (0.1, "0.1"),
    (0.25, "0.25"),
    (1.0, "1"),
    (5.0, "5"),
    (30.0, "30"),
];

/// Durations, counted in buckets.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    /// How many were at most the bound of the same place and above the one before.
    buckets: [u64; BOUNDS.len()],
    count: u64,
    sum: Duration,
}

impl Histogram {
    pub(super) fn observe(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let bucket = BOUNDS.iter().position(|(bound, _)| seconds <= *bound);
        if let Some(bucket) = bucket.and_then(|place| self.buckets.get_mut(place)) {
            *bucket += 1;
        }
        self.count += 1;
        self.sum += duration;
    }

    pub(super) fn write(&self, page: &mut Page, name: &str, label: (&str, &str)) {
        let bucket = format!("{name}_bucket");
        let mut below = 0;
        for ((_, bound), count) in BOUNDS.iter().zip(self.buckets) {
            below += count;
            page.sample(&bucket, &[label, ("le", bound)], below);
        }
        page.sample(&bucket, &[label, ("le", "+Inf")], self.count);
        page.sample(&format!("{name}_sum"), &[label], self.sum.as_secs_f64());
        page.sample(&format!("{name}_count"), &[label], self.count);
    }
}
