//! Commands of slapos.core that are not there: whoever calls one reads what to do instead.

use std::ffi::OsString;
use std::process::ExitCode;

/// What slapos.core's command takes, which is not read.
#[derive(Debug, clap::Args)]
pub(crate) struct Unread {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    arguments: Vec<OsString>,
}

/// Exit code of slapos.core for commands that do not exist.
const NO_COMMAND: u8 = 5;

/// Says that a command is not there, and what to do instead.
pub(crate) fn say(command: &str, instead: &str) -> ExitCode {
    let message = format!("there is no `slapos {command}` here: {instead}");
    slapos_cli::tell("slapos", &message);
    ExitCode::from(NO_COMMAND)
}
