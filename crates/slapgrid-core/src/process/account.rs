//! As whom a foreign program runs: looked up before the fork.

use std::ffi::CString;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid, User, getgrouplist};

/// A user, with everything that dropping privileges to it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// The user's name; the number as text where there is none.
    pub name: String,
    /// User id.
    pub uid: Uid,
    /// Main group: that of the directory or, looked up by number, the user's.
    pub gid: Gid,
    /// All groups.
    pub groups: Vec<Gid>,
    /// Home directory.
    pub home: PathBuf,
}

/// A user could not be looked up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum AccountError {
    /// The path whose owner is asked for cannot be looked at.
    #[error("cannot tell who owns {}", path.display())]
    Owner {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database of users failed.
    #[error("cannot look up user {uid}")]
    User {
        /// The user.
        uid: Uid,
        /// Why.
        #[source]
        source: nix::Error,
    },
    /// The user's groups cannot be listed.
    #[error("cannot list the groups of user {name}")]
    Groups {
        /// The user.
        name: String,
        /// Why.
        #[source]
        source: nix::Error,
    },
}

impl Account {
    /// The owner of a file or directory. The group is that of the user, or of the file if the
    /// user has no entry in the database.
    ///
    /// # Errors
    /// The path does not exist or the database of users fails.
    pub(crate) fn owner_of(path: &Path) -> Result<Self, AccountError> {
        let metadata = path.metadata().map_err(|source| AccountError::Owner {
            path: path.to_owned(),
            source,
        })?;
        let uid = Uid::from_raw(metadata.uid());
        match User::from_uid(uid).map_err(|source| AccountError::User { uid, source })? {
            Some(user) => Account::of_user(user),
            None => Ok(Account::without_entry(
                uid,
                Gid::from_raw(metadata.gid()),
                path,
            )),
        }
    }

    fn of_user(user: User) -> Result<Self, AccountError> {
        let failed = |source| AccountError::Groups {
            name: user.name.clone(),
            source,
        };
        let name = CString::new(user.name.clone()).map_err(|_| failed(nix::Error::EINVAL))?;
        let groups = getgrouplist(&name, user.gid).map_err(failed)?;
        Ok(Account {
            uid: user.uid,
            gid: user.gid,
            groups,
            home: user.dir,
            name: user.name,
        })
    }

    /// Owners of mounted directories need not exist here: they have only what the file says.
    fn without_entry(uid: Uid, gid: Gid, path: &Path) -> Self {
        Account {
            name: uid.to_string(),
            uid,
            gid,
            groups: vec![gid],
            home: path.to_owned(),
        }
    }

    /// User and group as numbers, to own files with.
    pub(crate) fn ids(&self) -> (u32, u32) {
        (self.uid.as_raw(), self.gid.as_raw())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owner_of_a_missing_path_is_an_error_that_names_it() {
        let error = Account::owner_of(Path::new("/nonexistent/x")).unwrap_err();
        assert_eq!(error.to_string(), "cannot tell who owns /nonexistent/x");
    }

    #[test]
    fn own_account_has_its_main_group() {
        let directory = tempfile::tempdir().unwrap();
        let account = Account::owner_of(directory.path()).unwrap();
        assert_eq!(account.uid, nix::unistd::geteuid());
        assert!(account.groups.contains(&account.gid));
    }
}
