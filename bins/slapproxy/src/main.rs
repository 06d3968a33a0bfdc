//! `slapproxy`: a small SlapOS master with SQLite.

use std::process::ExitCode;

fn main() -> ExitCode {
    slapproxy_cli::main()
}
