//! Runs the computer partitions of a SlapOS node.
fn main() {}
