//! Prepares a machine as a SlapOS node.
fn main() {}
