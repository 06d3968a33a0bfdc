//! `slapproxy`: a small SlapOS master on SQLite or PostgreSQL.

use std::process::ExitCode;

fn main() -> ExitCode {
    slapproxy_cli::main()
}
