//! Requests an instance of a software release.
fn main() {}
