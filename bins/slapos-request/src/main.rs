//! `slapos-request`: requests an instance of a software release and shows what it published.

use std::process::ExitCode;

fn main() -> ExitCode {
    slapos_user::request::main()
}
