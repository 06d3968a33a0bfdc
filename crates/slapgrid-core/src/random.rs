//! Numbers that nobody foresees, where nothing depends on how well: the standard library seeds its
//! hash maps by such.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Any number.
pub(crate) fn number() -> u64 {
    RandomState::new().build_hasher().finish()
}
