//! Asks the master to have every instance of a computer processed again.
fn main() {}
