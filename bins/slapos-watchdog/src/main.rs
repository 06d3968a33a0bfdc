//! `slapos-watchdog`: has instances processed again when their services end.

use std::process::ExitCode;

fn main() -> ExitCode {
    slapgrid_cli::watch()
}
