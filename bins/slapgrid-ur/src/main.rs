//! `slapgrid-ur`: reports usage and destroys unwanted partitions of a SlapOS node.

use std::process::ExitCode;

use slapgrid_core::Phase;

fn main() -> ExitCode {
    slapgrid_cli::main(
        "slapgrid-ur",
        "Reports the usage of instances to the master, and empties the partitions of those no longer wanted",
        &[Phase::Usage],
    )
}
