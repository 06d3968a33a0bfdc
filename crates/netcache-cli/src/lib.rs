//! The command lines of the tools for the network cache. The binaries only call them.

pub mod generate_signature_key;
pub mod slapcache_lookup;
