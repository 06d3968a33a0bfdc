//! Timestamps of two masters can be compared only by whether they moved.

use std::collections::HashMap;

/// The timestamps of partitions as a database last had them, by computer and partition.
#[derive(Debug, Default)]
pub(super) struct Clock(HashMap<String, String>);

impl Clock {
    /// What became of a partition's timestamp since the database was last looked at.
    pub(super) fn look(&mut self, partition: &str, timestamp: &str) -> &'static str {
        if timestamp.is_empty() {
            return "none";
        }
        match self.0.insert(partition.to_owned(), timestamp.to_owned()) {
            None => "new",
            Some(before) if before == timestamp => "unmoved",
            Some(_) => "moved",
        }
    }

    /// A timestamp that an answer tells: whether it is the stored one, whose fraction may be
    /// left out.
    pub(super) fn told(&self, partition: &str, timestamp: &str) -> String {
        let whole = |text: &str| text.split('.').next().map(str::to_owned);
        match self.0.get(partition) {
            Some(stored) if whole(stored) == whole(timestamp) => "the stored one".to_owned(),
            stored => format!("{timestamp}, stored is {stored:?}"),
        }
    }
}
