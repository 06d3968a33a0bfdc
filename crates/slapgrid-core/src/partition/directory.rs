//! The directory of a partition, as slapformat makes it.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::confined::{ConfinedDirectory, ConfinedError};
use crate::process::{Account, AccountError};

/// The only mode that keeps partitions from each other and lets their groups read.
const MODE: u32 = 0o750;

/// A partition's directory is not one in which an instance may be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum DirectoryError {
    /// slapformat did not make it.
    #[error("the partition's directory {} does not exist", path.display())]
    Missing {
        /// The directory.
        path: PathBuf,
    },
    /// Its name leads elsewhere.
    #[error("{} is a symbolic link and not the partition's directory", path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// It cannot be used.
    #[error("cannot use the partition's directory")]
    Unusable {
        /// Why.
        source: ConfinedError,
    },
    /// Others could read or write in it, or its group cannot read.
    #[error("{} has the mode {mode:04o} instead of {MODE:04o}", path.display())]
    WrongMode {
        /// The directory.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It belongs to root, as whom no instance runs.
    #[error("{} belongs to root and not to a user of its own", path.display())]
    OwnedByRoot {
        /// The directory.
        path: PathBuf,
    },
    /// Its owner is not in the user database, where supervisord looks it up.
    #[error("{} belongs to user {uid}, whom the user database does not know", path.display())]
    UnknownUser {
        /// The directory.
        path: PathBuf,
        /// Its owner.
        uid: u32,
    },
    /// The user database could not be asked.
    #[error("cannot tell as whom the partition's programs run")]
    Account {
        /// Why.
        source: AccountError,
    },
}

/// Opens a partition's directory and finds its user, if the directory is as slapformat makes it.
pub(crate) fn open(path: &Path) -> Result<(ConfinedDirectory, Account), DirectoryError> {
    let directory = ConfinedDirectory::open(path).map_err(|source| match source {
        ConfinedError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
            DirectoryError::Missing {
                path: path.to_owned(),
            }
        }
        // What the kernel says of a link is misleading ("not a directory").
        _ if path.is_symlink() => DirectoryError::Link {
            path: path.to_owned(),
        },
        source => DirectoryError::Unusable { source },
    })?;
    let metadata = directory
        .own_metadata()
        .map_err(|source| DirectoryError::Unusable { source })?;
    check_mode(path, metadata.mode() & 0o7777)?;
    let account = Account::owner_of(path).map_err(|source| DirectoryError::Account { source })?;
    check_account(path, &account)?;
    Ok((directory, account))
}

fn check_mode(path: &Path, mode: u32) -> Result<(), DirectoryError> {
    if mode == MODE {
        return Ok(());
    }
    Err(DirectoryError::WrongMode {
        path: path.to_owned(),
        mode,
    })
}

fn check_account(path: &Path, account: &Account) -> Result<(), DirectoryError> {
    let (uid, gid) = account.ids();
    if uid == 0 || gid == 0 {
        return Err(DirectoryError::OwnedByRoot {
            path: path.to_owned(),
        });
    }
    if account.name == uid.to_string() {
        return Err(DirectoryError::UnknownUser {
            path: path.to_owned(),
            uid,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    /// A directory of mode 0750 of a user who is not root (`nobody` where the tests run as root).
    fn partition() -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("slappart0");
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o750)).unwrap();
        if nix::unistd::geteuid().is_root() {
            chown(&path, Some(65534), Some(65534)).unwrap();
        }
        (root, path)
    }

    #[test]
    fn a_directory_of_slapformat_is_opened() {
        let (_root, path) = partition();
        let (directory, account) = open(&path).unwrap();
        assert_eq!(directory.path(), path);
        assert_ne!(account.ids().0, 0);
    }

    #[test]
    fn a_missing_directory_is_named() {
        let (root, _) = partition();
        let error = open(&root.path().join("slappart1")).unwrap_err();
        assert!(matches!(error, DirectoryError::Missing { path } if path.ends_with("slappart1")));
    }

    #[test]
    fn other_modes_are_refused() {
        for mode in [0o755, 0o700, 0o770, 0o1750] {
            let (_root, path) = partition();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = open(&path).unwrap_err();
            assert!(
                matches!(error, DirectoryError::WrongMode { mode: found, .. } if found == mode)
            );
        }
    }

    #[test]
    fn links_and_files_are_refused() {
        let (root, path) = partition();
        let link = root.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(matches!(open(&link), Err(DirectoryError::Link { .. })));
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(open(&file), Err(DirectoryError::Unusable { .. })));
    }

    // Only root can give directories away.
    #[cfg(feature = "root-tests")]
    #[test]
    fn root_and_unknown_users_are_refused() {
        let (_root, path) = partition();
        chown(&path, Some(0), Some(0)).unwrap();
        assert!(matches!(
            open(&path),
            Err(DirectoryError::OwnedByRoot { .. })
        ));
        let stranger = 1_999_999_999;
        chown(&path, Some(stranger), Some(stranger)).unwrap();
        let error = open(&path).unwrap_err();
        assert!(matches!(error, DirectoryError::UnknownUser { uid, .. } if uid == stranger));
    }
}
