//! Starts the supervisord of a SlapOS node.
fn main() {}
