//! The users and groups that there are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{Group, User};
use slapos_fs::Owner;

/// Where passwords are; only root may read it.
const SHADOW: &str = "/etc/shadow";
/// Largest password file that is read, in bytes.
const LARGEST_SHADOW: u64 = 64 << 20;

/// What the system knows of the users of interest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Accounts {
    pub(crate) users: BTreeMap<String, Owner>,
    pub(crate) groups: BTreeMap<String, PresentGroup>,
    /// Users who can log in with a password, as far as we may know.
    pub(crate) with_password: BTreeSet<String>,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PresentGroup {
    pub(crate) gid: u32,
    pub(crate) members: BTreeSet<String>,
}

impl Accounts {
    /// Looks up users, and groups of the same names.
    pub(crate) fn look_up<'a>(
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, (String, Errno)> {
        let mut accounts = Self::default();
        let names: BTreeSet<_> = names.into_iter().collect();
        for name in &names {
            let failed = |errno| ((*name).to_owned(), errno);
            if let Some(user) = User::from_name(name).map_err(failed)? {
                let owner = Owner {
                    uid: user.uid.as_raw(),
                    gid: user.gid.as_raw(),
                };
                accounts.users.insert((*name).to_owned(), owner);
            }
            if let Some(group) = Group::from_name(name).map_err(failed)? {
                let present = PresentGroup {
                    gid: group.gid.as_raw(),
                    members: group.mem.into_iter().collect(),
                };
                accounts.groups.insert((*name).to_owned(), present);
            }
        }
        let shadow = slapos_fs::read_bounded(Path::new(SHADOW), LARGEST_SHADOW).unwrap_or_default();
        accounts.with_password = with_password(&String::from_utf8_lossy(&shadow), &names);
        Ok(accounts)
    }

    /// Whether it is another name of root's.
    pub(crate) fn is_root(&self, user: &str) -> bool {
        self.users.get(user).is_some_and(|owner| owner.uid == 0)
    }

    /// Whether the user belongs to the group, by its own entry or by that of the group.
    pub(crate) fn is_member(&self, user: &str, group: &str) -> bool {
        let (Some(owner), Some(group)) = (self.users.get(user), self.groups.get(group)) else {
            return false;
        };
        owner.gid == group.gid || group.members.contains(user)
    }
}

/// The users of a password file whose passwords are not locked.
fn with_password(shadow: &str, names: &BTreeSet<&str>) -> BTreeSet<String> {
    let open = shadow.lines().filter_map(|line| {
        let (name, rest) = line.split_once(':')?;
        let password = rest.split(':').next()?;
        let locked = password.starts_with(['!', '*']);
        (!locked && names.contains(name)).then(|| name.to_owned())
    });
    open.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_locked_by_a_mark_and_an_empty_one_is_not() {
        let shadow = "a:$y$hash:1::::::\nb:!:1\nc:*:1\nd::1\ne:$y$other:1\n";
        let open = with_password(shadow, &["a", "b", "c", "d"].into());
        assert_eq!(open, ["a".to_owned(), "d".to_owned()].into());
    }

    #[test]
    fn root_is_known_and_nonsense_is_not() {
        let accounts = Accounts::look_up(["root", "no such user"]).unwrap();
        assert_eq!(accounts.users.len(), 1);
        assert!(accounts.is_member("root", "root"));
        assert!(!accounts.is_member("no such user", "root"));
    }
}
