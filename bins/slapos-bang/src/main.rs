//! `slapos-bang`: asks the master to have every instance of a computer processed again.

use std::process::ExitCode;

fn main() -> ExitCode {
    slapos_user::bang::main()
}
