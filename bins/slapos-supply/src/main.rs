//! `slapos-supply`: asks a computer to install a software release, or to remove it.

use std::process::ExitCode;

fn main() -> ExitCode {
    slapos_user::supply::supply_main()
}
