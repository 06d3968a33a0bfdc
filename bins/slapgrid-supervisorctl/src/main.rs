//! Runs supervisorctl for the supervisord of a SlapOS node.
fn main() {}
