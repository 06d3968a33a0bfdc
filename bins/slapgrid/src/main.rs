//! `slapgrid`: installs releases, runs partitions and reports usage of a SlapOS node.

use std::process::ExitCode;

fn main() -> ExitCode {
    slapgrid_cli::main(&slapgrid_cli::SLAPGRID)
}
