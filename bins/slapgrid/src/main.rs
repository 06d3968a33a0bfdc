//! `slapgrid`: installs releases, runs partitions and reports usage of a SlapOS node.

use std::process::ExitCode;

use slapgrid_core::Phase;

fn main() -> ExitCode {
    slapgrid_cli::main(
        "slapgrid",
        "Installs releases, runs partitions and reports usage, until all is as the master wants it",
        &[Phase::Software, Phase::Instances, Phase::Usage],
    )
}
