//! `slapconsole`: a prompt to speak to a master.

use std::process::ExitCode;

fn main() -> ExitCode {
    slapconsole_cli::main()
}
