//! Asks a computer to install or remove a software release.
fn main() {}
