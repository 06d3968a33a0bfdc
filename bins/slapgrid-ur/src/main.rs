//! `slapgrid-ur`: reports usage and destroys unwanted partitions of a SlapOS node.

use std::process::ExitCode;

use slapgrid_core::Phase;

fn main() -> ExitCode {
    slapgrid_cli::main("slapgrid-ur", &[Phase::Usage])
}
