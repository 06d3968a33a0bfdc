//! `slapgrid-cp`: runs the computer partitions of a SlapOS node.

use std::process::ExitCode;

fn main() -> ExitCode {
    slapgrid_cli::main(&slapgrid_cli::SLAPGRID_CP)
}
