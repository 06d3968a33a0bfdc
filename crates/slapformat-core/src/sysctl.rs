//! The kernel parameter that lets programs bind to addresses of a routed range.

use std::fs;
use std::io;

const NONLOCAL_BIND: &str = "/proc/sys/net/ipv6/ip_nonlocal_bind";

/// Whether it is set; a kernel without IPv6 has none.
pub(crate) fn nonlocal_bind() -> bool {
    fs::read_to_string(NONLOCAL_BIND).is_ok_and(|text| text.trim() == "1")
}

/// Sets it.
pub(crate) fn set_nonlocal_bind() -> io::Result<()> {
    // Files of /proc are written in place: there is nothing to replace.
    fs::write(NONLOCAL_BIND, "1\n")
}
