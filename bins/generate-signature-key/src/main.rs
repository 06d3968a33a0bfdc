//! `generate-signature-key`: makes a key that signs what is uploaded to the network cache.

use std::process::ExitCode;

fn main() -> ExitCode {
    netcache_cli::generate_signature_key::main()
}
