//! `slapgrid-sr`: installs the software releases of a SlapOS node.

use std::process::ExitCode;

fn main() -> ExitCode {
    slapgrid_cli::main(&slapgrid_cli::SLAPGRID_SR)
}
