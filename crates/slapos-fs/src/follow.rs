//! Symbolic links that an admin put there.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use nix::unistd::geteuid;

/// Most links that are followed, as many as the kernel would.
const MOST_LINKS: usize = 40;

/// A path that is not followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// Something on the way is missing or cannot be looked at.
    #[error("{path}")]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another user could lead the path elsewhere.
    #[error("{path} belongs to another user, or others may write to it")]
    Untrusted {
        /// A link or directory on the way.
        path: PathBuf,
    },
    /// More links than anyone means.
    #[error("too many symbolic links")]
    TooMany,
}

/// The directory that an absolute path leads to, if nobody else could lead it elsewhere: every
/// link and directory on the way is root's or the caller's, and no directory on the way can be
/// changed by others. What the directory at the end is like does not matter.
///
/// # Errors
/// It leads nowhere, or others could change where to.
pub fn follow_trusted(path: &Path) -> Result<PathBuf, FollowError> {
    let mut place = PathBuf::from("/");
    let mut links = 0;
    let mut ahead = components(path);
    while let Some(component) = ahead.pop_front() {
        let next = match Path::new(&component).components().next() {
            Some(Component::Normal(_)) => place.join(&component),
            Some(Component::ParentDir) => place.parent().unwrap_or(Path::new("/")).to_owned(),
            Some(Component::RootDir) => PathBuf::from("/"),
            _ => continue,
        };
        let metadata = look(&next)?;
        if metadata.is_symlink() {
            check(trusts_owner(&metadata), &next)?;
            links += 1;
            if links > MOST_LINKS {
                return Err(FollowError::TooMany);
            }
            let target = fs::read_link(&next).map_err(|source| failed(&next, source))?;
            let mut target = components(&target);
            target.append(&mut ahead);
            ahead = target;
        } else {
            let on_the_way = !ahead.is_empty();
            check(!on_the_way || trusts_directory(&metadata), &next)?;
            place = next;
        }
    }
    Ok(place)
}

fn components(path: &Path) -> VecDeque<OsString> {
    let components = path.components();
    components
        .map(|component| component.as_os_str().to_owned())
        .collect()
}

fn look(path: &Path) -> Result<Metadata, FollowError> {
    fs::symlink_metadata(path).map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: io::Error) -> FollowError {
    FollowError::Io {
        path: path.to_owned(),
        source,
    }
}

fn check(trusted: bool, path: &Path) -> Result<(), FollowError> {
    let untrusted = || FollowError::Untrusted {
        path: path.to_owned(),
    };
    trusted.then_some(()).ok_or_else(untrusted)
}

fn trusts_owner(metadata: &Metadata) -> bool {
    metadata.uid() == 0 || metadata.uid() == geteuid().as_raw()
}

/// In a directory with the sticky bit, others cannot replace what is not theirs.
fn trusts_directory(metadata: &Metadata) -> bool {
    const OTHERS_WRITE: u32 = 0o022;
    const STICKY: u32 = 0o1000;
    let mode = metadata.mode();
    trusts_owner(metadata) && (mode & OTHERS_WRITE == 0 || mode & STICKY != 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A directory with `data/grid`, and what it is called by the system.
    fn place() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().canonicalize().unwrap();
        fs::create_dir_all(path.join("data/grid")).unwrap();
        (directory, path)
    }

    #[test]
    fn links_of_an_admin_are_followed_over_any_detour() {
        let (_directory, path) = place();
        symlink(path.join("data"), path.join("disk")).unwrap();
        symlink("../disk/./grid", path.join("data/link")).unwrap();
        let found = follow_trusted(&path.join("data/link")).unwrap();
        assert_eq!(found, path.join("data/grid"));
        assert_eq!(follow_trusted(&found).unwrap(), found);
    }

    #[test]
    fn a_link_through_a_directory_that_others_may_change_is_refused() {
        let (_directory, path) = place();
        symlink(path.join("data/grid"), path.join("link")).unwrap();
        let mode = |mode| fs::set_permissions(path.join("data"), fs::Permissions::from_mode(mode));
        for (bits, trusted) in [
            (0o777, false),
            (0o775, false),
            (0o1777, true),
            (0o755, true),
        ] {
            mode(bits).unwrap();
            let followed = follow_trusted(&path.join("link"));
            assert_eq!(followed.is_ok(), trusted, "{bits:o}: {followed:?}");
        }
        fs::set_permissions(path.join("data/grid"), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(follow_trusted(&path.join("link")).is_ok());
    }

    #[test]
    fn links_that_lead_nowhere_are_refused() {
        let (_directory, path) = place();
        symlink(path.join("missing"), path.join("dangling")).unwrap();
        symlink(path.join("loop"), path.join("loop")).unwrap();
        let error = follow_trusted(&path.join("dangling")).unwrap_err();
        assert!(error.to_string().ends_with("/missing"), "{error}");
        let error = follow_trusted(&path.join("loop")).unwrap_err();
        assert!(matches!(error, FollowError::TooMany), "{error}");
    }
}
