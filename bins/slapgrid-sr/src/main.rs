//! `slapgrid-sr`: installs the software releases of a SlapOS node.

use std::process::ExitCode;

use slapgrid_core::Phase;

fn main() -> ExitCode {
    slapgrid_cli::main(
        "slapgrid-sr",
        "Installs and removes the software releases of this computer, as its master wants",
        &[Phase::Software],
    )
}
