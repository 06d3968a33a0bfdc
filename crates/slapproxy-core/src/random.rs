//! Numbers that nobody can foresee.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Each `RandomState` is seeded by the operating system.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
