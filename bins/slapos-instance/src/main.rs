//! `slapos-instance`: reads the parameters of an instance, and publishes its connection parameters.

use std::process::ExitCode;

fn main() -> ExitCode {
    slapos_user::instance::main()
}
