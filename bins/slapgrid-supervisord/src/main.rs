//! `slapgrid-supervisord`: starts the supervisord of a SlapOS node.

use std::process::ExitCode;

fn main() -> ExitCode {
    slapgrid_cli::start_supervisord()
}
