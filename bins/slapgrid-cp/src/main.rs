//! `slapgrid-cp`: runs the computer partitions of a SlapOS node.

use std::process::ExitCode;

use slapgrid_core::Phase;

fn main() -> ExitCode {
    slapgrid_cli::main(
        "slapgrid-cp",
        "Installs, starts and stops the instances in the partitions of this computer, and checks their promises",
        &[Phase::Instances],
    )
}
