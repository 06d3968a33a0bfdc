//! Timestamps of two masters can be compared only by whether they moved.

use std::collections::HashMap;

/// The timestamps seen so far, by where they were seen.
#[derive(Debug, Default)]
pub(super) struct Clock(HashMap<String, String>);

impl Clock {
    /// What became of the timestamp of a place since it was last looked at there.
    pub(super) fn token(&mut self, place: &str, timestamp: &str) -> &'static str {
        if timestamp.is_empty() {
            return "none";
        }
        match self.0.insert(place.to_owned(), timestamp.to_owned()) {
            None => "new",
            Some(before) if before == timestamp => "unmoved",
            Some(_) => "moved",
        }
    }
}
