//! `slapformat`: prepares a machine as a SlapOS node.

use std::process::ExitCode;

fn main() -> ExitCode {
    slapformat_cli::main()
}
