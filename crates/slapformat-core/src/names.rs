//! Names that the system takes for users and interfaces.

/// Longest name of an interface, in bytes (`IFNAMSIZ` of `linux/if.h`, without the final zero).
const LONGEST_INTERFACE: usize = 15;
/// Longest name of a user, in bytes (useradd's own limit).
const LONGEST_USER: usize = 32;

/// A name that the system would not take, or would take for something else: useradd reads
/// commas as separators, the kernel replaces `%d` by a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} cannot be the name of {kind} ({rule})")]
pub struct InvalidName {
    /// The name.
    pub name: String,
    /// What it would name.
    pub kind: &'static str,
    /// What such names are like.
    pub rule: &'static str,
}

/// Accepts names of users and groups.
pub(crate) fn check_user(name: &str) -> Result<(), InvalidName> {
    let mut letters = name.bytes();
    let first = letters.next();
    let usable = first.is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && letters.all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        && name.len() <= LONGEST_USER;
    let invalid = || InvalidName {
        name: name.to_owned(),
        kind: "a user",
        rule: "at most 32 of a-z, A-Z, 0-9, _, - and dots, beginning with a-z or _",
    };
    usable.then_some(()).ok_or_else(invalid)
}

/// Accepts names of interfaces.
pub(crate) fn check_interface(name: &str) -> Result<(), InvalidName> {
    let usable = !matches!(name, "" | "." | "..")
        && name.len() <= LONGEST_INTERFACE
        && name
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"/:%".contains(&byte));
    let invalid = || InvalidName {
        name: name.to_owned(),
        kind: "an interface",
        rule: "1 to 15 printable characters other than / : %",
    };
    usable.then_some(()).ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_be_read_as_something_else_are_refused() {
        for name in ["slapuser0", "_x", "a.b-C"] {
            assert_eq!(check_user(name), Ok(()), "{name}");
        }
        for name in ["", "-x", "a,sudo", "a:b", "a b", "Ä", &"x".repeat(33)] {
            assert!(check_user(name).is_err(), "{name}");
        }
        for name in ["slaptap0", "br-0", "Ethernet.1"] {
            assert_eq!(check_interface(name), Ok(()), "{name}");
        }
        for name in ["", "..", "tap%d", "a/b", "a:1", "a b", "a-name-of-sixteen"] {
            assert!(check_interface(name).is_err(), "{name}");
        }
    }
}
