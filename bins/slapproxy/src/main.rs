//! A small SlapOS master with SQLite.
fn main() {}
