//! `slapos`: the tools of SlapOS by the name and the commands of slapos.core.

use std::process::ExitCode;

fn main() -> ExitCode {
    slapos_commands::main()
}
