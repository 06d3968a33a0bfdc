//! `slapgrid-cp`: runs the computer partitions of a SlapOS node.

use std::process::ExitCode;

use slapgrid_core::Phase;

fn main() -> ExitCode {
    slapgrid_cli::main("slapgrid-cp", &[Phase::Instances])
}
