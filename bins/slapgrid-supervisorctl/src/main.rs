//! `slapgrid-supervisorctl`: runs supervisorctl for the supervisord of a SlapOS node.

use std::process::ExitCode;

fn main() -> ExitCode {
    slapgrid_cli::control_supervisord()
}
