//! Who sends a request, as far as the connection tells.

use std::net::IpAddr;
use std::sync::Arc;

/// Who sends a request. The server puts it into the extensions of each.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Where the request comes from; `None` for a Unix socket.
    pub(crate) address: Option<IpAddr>,
    /// Whether the connection is encrypted.
    pub(crate) is_tls: bool,
    /// Whom the sender may speak for.
    pub(crate) speaker: Speaker,
    /// The name on the sender's certificate, if it has one.
    pub(crate) name: Option<Arc<str>>,
}

/// Whom a sender may speak for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// For everyone: a user with a certificate, or anyone where none are asked for.
    User,
    /// For a computer and its partitions.
    Computer(String),
    /// For one partition.
    Partition {
        /// Reference of its computer.
        computer: String,
        /// Its own reference.
        partition: String,
    },
    /// For nobody: certificates are asked for, and this sender's names nobody.
    Nobody,
}

/// The sender may not say that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{speaker} may not {deed}")]
pub struct NotAllowed {
    speaker: String,
    deed: String,
}

/// Between computer and partition in the name of a partition's certificate. A dash would leave
/// open where the computer's reference ends.
const SEPARATOR: char = ':';

impl Speaker {
    /// By the name (CN) of a certificate: that of a user, `COMPUTER:PARTITION`, or `COMPUTER`.
    /// Other names that could be read in two ways are nobody's.
    pub(crate) fn named(name: &str, users: &[String]) -> Self {
        if users.iter().any(|user| user == name) {
            return Self::User;
        }
        match name.split_once(SEPARATOR) {
            Some((_, rest)) if rest.contains(SEPARATOR) => Self::Nobody,
            Some((computer, partition)) => Self::Partition {
                computer: computer.to_owned(),
                partition: partition.to_owned(),
            },
            None => Self::Computer(name.to_owned()),
        }
    }

    /// Whether it may do what only users do: supply, request roots, look at everything.
    pub(crate) fn check_user(&self) -> Result<(), NotAllowed> {
        self.check(false, || "do what only users may".to_owned())
    }

    /// Whether it may read what is for everyone with a certificate.
    pub(crate) fn check_known(&self) -> Result<(), NotAllowed> {
        self.check(*self != Self::Nobody, || "look at this".to_owned())
    }

    /// Whether it may add to the network cache: partitions are not trusted with it.
    pub(crate) fn check_upload(&self) -> Result<(), NotAllowed> {
        let allowed = matches!(self, Self::Computer(_));
        self.check(allowed, || "upload to the network cache".to_owned())
    }

    /// Whether it may speak for a computer.
    pub(crate) fn check_computer(&self, computer: &str) -> Result<(), NotAllowed> {
        let allowed = matches!(self, Self::Computer(own) if own == computer);
        self.check(allowed, || format!("speak for computer {computer}"))
    }

    /// Whether it may speak for a partition.
    pub(crate) fn check_partition(
        &self,
        computer: &str,
        partition: &str,
    ) -> Result<(), NotAllowed> {
        let allowed = match self {
            Self::Computer(own) => own == computer,
            Self::Partition {
                computer: own_computer,
                partition: own,
            } => own_computer == computer && own == partition,
            Self::User | Self::Nobody => false,
        };
        self.check(allowed, || {
            format!("speak for partition {partition} of {computer}")
        })
    }

    fn check(&self, allowed: bool, deed: impl FnOnce() -> String) -> Result<(), NotAllowed> {
        if allowed || *self == Self::User {
            return Ok(());
        }
        Err(NotAllowed {
            speaker: self.to_string(),
            deed: deed(),
        })
    }
}

impl std::fmt::Display for Speaker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User => formatter.write_str("a user"),
            Self::Computer(computer) => write!(formatter, "the certificate of {computer}"),
            Self::Partition {
                computer,
                partition,
            } => write!(
                formatter,
                "the certificate of {computer}{SEPARATOR}{partition}"
            ),
            Self::Nobody => formatter.write_str("a sender whose certificate names nobody"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speaker(name: &str) -> Speaker {
        Speaker::named(name, &["alice".to_owned()])
    }

    #[test]
    fn everyone_speaks_for_its_own() {
        assert_eq!(speaker("alice").check_user(), Ok(()));
        assert_eq!(speaker("alice").check_partition("C", "p"), Ok(()));
        assert_eq!(speaker("C-1").check_computer("C-1"), Ok(()));
        assert_eq!(speaker("C-1").check_partition("C-1", "p"), Ok(()));
        assert_eq!(speaker("C-1:p").check_partition("C-1", "p"), Ok(()));
    }

    #[test]
    fn nobody_speaks_for_others() {
        for denied in [
            speaker("C-1").check_user(),
            speaker("C-1").check_computer("C-2"),
            speaker("C-1").check_partition("C-2", "p"),
            speaker("C-1").check_partition("C", "1"),
            speaker("C-1:p").check_user(),
            speaker("C-1:p").check_computer("C-1"),
            speaker("C-1:p").check_computer("C-1:p"),
            speaker("C-1:p").check_partition("C-1", "q"),
            speaker("C-1:p").check_partition("C-2", "p"),
            speaker("Alice").check_user(),
            speaker("").check_user(),
            speaker("C-1:p:q").check_partition("C-1", "p:q"),
            speaker("C-1:p:q").check_partition("C-1:p", "q"),
            Speaker::Nobody.check_partition("", ""),
        ] {
            assert!(denied.is_err());
        }
        let error = speaker("C-1:p").check_computer("C-2").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the certificate of C-1:p may not speak for computer C-2"
        );
    }
}
