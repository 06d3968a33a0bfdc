//! Installs releases, runs partitions and reports usage of a SlapOS node.
fn main() {}
