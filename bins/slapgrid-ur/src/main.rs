//! `slapgrid-ur`: reports usage and destroys unwanted partitions of a SlapOS node.

use std::process::ExitCode;

fn main() -> ExitCode {
    slapgrid_cli::main(&slapgrid_cli::SLAPGRID_UR)
}
