//! How a run gets on, for whoever watches it.

use crate::run::Phase;

/// Is told how a run gets on, by several threads.
pub trait Observer: Sync {
    /// A phase begins that has so many releases or partitions to work on.
    fn begin_phase(&self, phase: Phase, subjects: usize);
    /// Work on a release or partition begins.
    fn begin(&self, subject: &str);
    /// That work has ended.
    fn end(&self, subject: &str);
    /// The phase has ended.
    fn end_phase(&self);
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn begin_phase(&self, _: Phase, _: usize) {}
    fn begin(&self, _: &str) {}
    fn end(&self, _: &str) {}
    fn end_phase(&self) {}
}
