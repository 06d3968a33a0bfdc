//! Installs the software releases of a SlapOS node.
fn main() {}
