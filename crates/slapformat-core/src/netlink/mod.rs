//! The kernel's network configuration by netlink, in two layers: a small socket for typed messages
//! ([`socket`]), and one short method for each operation ([`kernel`]).

mod datagram;
mod duplicates;
mod kernel;
mod read;
mod socket;

pub(crate) use duplicates::{DuplicateWatch, Verdict};
pub(crate) use kernel::Kernel;

/// The kernel did not do or tell something.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation}")]
pub struct NetlinkError {
    /// What it was asked.
    pub operation: String,
    /// Why not.
    pub source: std::io::Error,
}

impl NetlinkError {
    fn new(operation: impl Into<String>, source: std::io::Error) -> Self {
        Self {
            operation: operation.into(),
            source,
        }
    }

    /// Whether what was to be made is there already.
    pub(crate) fn is_present(&self) -> bool {
        self.source.kind() == std::io::ErrorKind::AlreadyExists
    }

    /// Whether the subject takes nothing of the kind.
    pub(crate) fn is_refused(&self) -> bool {
        self.source.raw_os_error() == Some(nix::libc::EACCES)
    }

    /// Whether what was to be removed is gone already.
    pub(crate) fn is_absent(&self) -> bool {
        let absent = [nix::libc::EADDRNOTAVAIL, nix::libc::ESRCH];
        let code = self.source.raw_os_error();
        code.is_some_and(|code| absent.contains(&code))
    }
}
