//! Archives: what is packed is what is unpacked, and what should not be unpacked is not.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

mod entries;
mod hostile;
mod kept;
mod root;
