//! Directories that must be there.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::libc;

use crate::{FileAttributes, Owner, step};

/// A directory could not be made as wanted.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the directory {path}")]
pub struct DirectoryError {
    /// The directory.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Makes a directory, or corrects mode and owner of the present one; says whether it changed
/// anything. The parent must exist. A symbolic link of this name is refused.
///
/// # Errors
/// Something else of this name exists, or the directory cannot be made or changed.
pub fn ensure_directory(path: &Path, attributes: FileAttributes) -> Result<bool, DirectoryError> {
    ensure(path, attributes).map_err(|source| DirectoryError {
        path: path.to_owned(),
        source,
    })
}

fn ensure(path: &Path, attributes: FileAttributes) -> io::Result<bool> {
    let made = match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {
            step("made", path);
            true
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
        Err(error) => return Err(error),
    };
    let directory = open(path)?;
    let metadata = directory.metadata()?;
    let present = Owner {
        uid: metadata.uid(),
        gid: metadata.gid(),
    };
    let owner = attributes.owner.filter(|wanted| *wanted != present);
    if let Some(owner) = owner {
        std::os::unix::fs::fchown(&directory, Some(owner.uid), Some(owner.gid))?;
    }
    let wrong_mode = metadata.mode() & 0o7777 != attributes.mode;
    if wrong_mode {
        directory.set_permissions(Permissions::from_mode(attributes.mode))?;
    }
    Ok(made || owner.is_some() || wrong_mode)
}

fn open(path: &Path) -> io::Result<File> {
    let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    match opened {
        // What the kernel says of a link is misleading ("not a directory").
        Err(_) if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) => {
            Err(io::Error::other("a symbolic link is there"))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const MODE: FileAttributes = FileAttributes {
        mode: 0o750,
        owner: None,
    };

    #[test]
    fn a_directory_is_made_once_and_its_mode_is_corrected() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new");
        assert!(ensure_directory(&path, MODE).unwrap());
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o750);
        assert!(!ensure_directory(&path, MODE).unwrap());
        fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
        assert!(ensure_directory(&path, MODE).unwrap());
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o750);
    }

    #[test]
    fn a_link_a_file_and_a_missing_parent_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let in_directory = |name: &str| directory.path().join(name);
        fs::create_dir(in_directory("target")).unwrap();
        symlink(in_directory("target"), in_directory("link")).unwrap();
        fs::write(in_directory("file"), "").unwrap();
        for name in ["link", "file", "missing/child"] {
            let error = ensure_directory(&in_directory(name), MODE).unwrap_err();
            assert!(error.to_string().ends_with(name), "{error}");
        }
    }
}
