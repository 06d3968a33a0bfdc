//! `slapos-remove`: asks a computer to remove a software release.

use std::process::ExitCode;

fn main() -> ExitCode {
    slapos_user::supply::remove_main()
}
