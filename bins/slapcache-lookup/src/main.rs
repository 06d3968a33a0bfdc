//! `slapcache-lookup`: shows what the network cache has of a software release or a file.

use std::process::ExitCode;

fn main() -> ExitCode {
    netcache_cli::slapcache_lookup::main()
}
