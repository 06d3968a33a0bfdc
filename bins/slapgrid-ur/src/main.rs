//! Reports usage and destroys unwanted partitions of a SlapOS node.
fn main() {}
