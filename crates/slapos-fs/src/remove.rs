//! Removing directories whose contents belong to someone else.

use std::cell::Cell;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{Mode, SFlag, fchmod, fstat, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::step;

/// A file or directory could not be removed as a whole.
#[derive(Debug, thiserror::Error)]
#[error("cannot remove {path}")]
pub struct RemoveError {
    /// The file or directory, or the part of it that stayed.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Levels that are walked at once; each holds a descriptor open. What lies deeper is brought up first.
const MAX_DEPTH: usize = 400;

/// Most names that are tried for what is brought up: who fills a directory may take some.
const MAX_TRIES: usize = 10_000;

/// Removes a file, or a link without what it points to; says whether there was one.
///
/// # Errors
/// It is a directory, or cannot be removed.
pub fn remove_file(path: &Path) -> Result<bool, RemoveError> {
    match std::fs::remove_file(path) {
        Ok(()) => {
            step("removed", path);
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(RemoveError {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Removes a directory with all that is in it, read-only directories too. Symbolic links are
/// removed, never followed. A directory that is not there is fine.
///
/// # Errors
/// Something in it cannot be removed.
pub fn remove_tree(path: &Path) -> Result<(), RemoveError> {
    clear_directory(path)?;
    match std::fs::remove_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(RemoveError {
            path: path.to_owned(),
            source: error,
        }),
        _ => {
            step("removed", path);
            Ok(())
        }
    }
}

/// Removes all that is in a directory, as [`remove_tree`] does, and keeps the directory.
///
/// # Errors
/// It is no directory, or something in it cannot be removed.
pub fn clear_directory(path: &Path) -> Result<(), RemoveError> {
    match open_directory(nix::fcntl::AT_FDCWD, path) {
        Err(Errno::ENOENT) => Ok(()),
        Err(errno) => Err(failure(path, errno)),
        Ok(directory) => clear_all(&directory, path),
    }
}

/// Removes the entries of the top directory, until nothing is left that was brought up to it.
fn clear_all(top: &OwnedFd, path: &Path) -> Result<(), RemoveError> {
    let mut raised = 1;
    while raised > 0 {
        let walk = Walk {
            top,
            raised: Cell::new(0),
        };
        walk.clear(top, path, 0)?;
        raised = walk.raised.get();
    }
    Ok(())
}

fn open_directory<Fd: AsFd, P: ?Sized + nix::NixPath>(
    parent: Fd,
    name: &P,
) -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(parent, name, flags, Mode::empty())
}

/// Entries of a read-only directory cannot be removed; whoever owns it may change that. The modes
/// of others stay: the top directory is kept.
fn make_writable(directory: &OwnedFd) -> Result<(), Errno> {
    let mode = Mode::from_bits_truncate(fstat(directory)?.st_mode);
    if !mode.contains(Mode::S_IRWXU) {
        let _ = fchmod(directory, mode | Mode::S_IRWXU);
    }
    Ok(())
}

/// A walk through what is below a directory.
struct Walk<'a> {
    top: &'a OwnedFd,
    /// How many directories were brought up to the top, which the next walk removes.
    raised: Cell<usize>,
}

impl Walk<'_> {
    /// Removes the entries of an open directory. `path` is only for messages.
    fn clear(&self, directory: &OwnedFd, path: &Path, depth: usize) -> Result<(), RemoveError> {
        let failed = |errno| failure(path, errno);
        make_writable(directory).map_err(failed)?;
        for name in entries(directory).map_err(failed)? {
            let child = path.join(name.to_string_lossy().as_ref());
            self.remove_entry(directory, &name, &child, depth)?;
        }
        Ok(())
    }

    fn remove_entry(
        &self,
        directory: &OwnedFd,
        name: &CStr,
        path: &Path,
        depth: usize,
    ) -> Result<(), RemoveError> {
        let failed = |errno| failure(path, errno);
        let kind = match fstatat(directory, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Err(Errno::ENOENT) => return Ok(()),
            status => SFlag::from_bits_truncate(status.map_err(failed)?.st_mode) & SFlag::S_IFMT,
        };
        let removed = if kind == SFlag::S_IFDIR {
            let child = open_unreadable(directory, name).map_err(failed)?;
            if depth == MAX_DEPTH {
                return self.raise(directory, name, &child).map_err(failed);
            }
            self.clear(&child, path, depth + 1)?;
            unlinkat(directory, name, UnlinkatFlags::RemoveDir)
        } else {
            unlinkat(directory, name, UnlinkatFlags::NoRemoveDir)
        };
        match removed {
            Err(Errno::ENOENT) | Ok(()) => {
                step("removed", path);
                Ok(())
            }
            Err(errno) => Err(failed(errno)),
        }
    }

    /// Moves a directory to the top, so that no depth keeps anything from being removed.
    fn raise(&self, parent: &OwnedFd, name: &CStr, child: &OwnedFd) -> Result<(), Errno> {
        // Its entry `..` changes, which its owner needs the right to write for.
        make_writable(child)?;
        for number in 0..MAX_TRIES {
            let raised = format!(".slapos-deep-{number}");
            match renameat(parent, name, self.top, raised.as_str()) {
                Err(Errno::EEXIST | Errno::ENOTEMPTY | Errno::ENOTDIR) => {}
                result => {
                    self.raised.set(self.raised.get() + 1);
                    return result;
                }
            }
        }
        Err(Errno::ELOOP)
    }
}

fn failure(path: &Path, errno: Errno) -> RemoveError {
    RemoveError {
        path: path.to_owned(),
        source: errno.into(),
    }
}

/// Opens a directory even if its mode forbids reading, as its owner may.
fn open_unreadable(parent: &OwnedFd, name: &CStr) -> Result<OwnedFd, Errno> {
    match open_directory(parent, name) {
        Err(Errno::EACCES) => {
            let flags = nix::sys::stat::FchmodatFlags::NoFollowSymlink;
            nix::sys::stat::fchmodat(parent, name, Mode::S_IRWXU, flags)?;
            open_directory(parent, name)
        }
        other => other,
    }
}

fn entries(directory: &OwnedFd) -> Result<Vec<CString>, Errno> {
    let copy = openat(
        directory,
        ".",
        OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )?;
    let mut directory = Dir::from_fd(copy)?;
    directory
        .iter()
        .map(|entry| entry.map(|entry| entry.file_name().to_owned()))
        .filter(|name| !matches!(name.as_deref(), Ok(name) if name == c"." || name == c".."))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn everything_goes_and_what_links_point_to_stays() {
        let root = tempfile::tempdir().unwrap();
        let victim = root.path().join("victim");
        fs::create_dir(&victim).unwrap();
        fs::write(victim.join("precious"), "").unwrap();
        let tree = root.path().join("tree");
        fs::create_dir_all(tree.join("a/b")).unwrap();
        fs::write(tree.join("a/b/file"), "").unwrap();
        symlink(&victim, tree.join("a/link")).unwrap();
        symlink("/nowhere", tree.join("dangling")).unwrap();
        fs::set_permissions(tree.join("a/b"), Permissions::from_mode(0o000)).unwrap();
        fs::set_permissions(tree.join("a"), Permissions::from_mode(0o500)).unwrap();
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
        assert!(victim.join("precious").exists());
    }

    #[test]
    fn no_depth_keeps_anything_from_being_removed() {
        let root = tempfile::tempdir().unwrap();
        let tree = root.path().join("tree");
        let deep: PathBuf = std::iter::repeat_n("d", 3 * MAX_DEPTH / 2).collect();
        fs::create_dir_all(tree.join(".slapos-deep-0/taken")).unwrap();
        fs::create_dir_all(tree.join(&deep).join("side")).unwrap();
        // What is brought up goes as deep again: beyond what one path can name.
        for name in ["one", "two"] {
            fs::rename(tree.join("d"), root.path().join(name)).unwrap();
            fs::create_dir_all(tree.join(&deep)).unwrap();
            let below = fs::File::open(tree.join(&deep)).unwrap();
            renameat(nix::fcntl::AT_FDCWD, &root.path().join(name), &below, "d").unwrap();
        }
        fs::set_permissions(tree.join("d"), Permissions::from_mode(0o500)).unwrap();
        clear_directory(&tree).unwrap();
        assert_eq!(fs::read_dir(&tree).unwrap().count(), 0);
    }

    #[test]
    fn clearing_keeps_the_directory_and_nothing_is_fine() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        fs::set_permissions(root.path(), Permissions::from_mode(0o750)).unwrap();
        clear_directory(root.path()).unwrap();
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
        let mode = root.path().metadata().unwrap().permissions().mode();
        assert_eq!(
            mode & 0o7777,
            0o750,
            "slapgrid refuses partitions of other modes"
        );
        remove_tree(&root.path().join("missing")).unwrap();
    }

    #[test]
    fn a_file_is_removed_once() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(remove_file(&file).unwrap());
        assert!(!remove_file(&file).unwrap());
        assert!(remove_file(root.path()).is_err());
    }

    #[test]
    fn a_link_in_place_of_the_directory_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let (victim, link) = (root.path().join("victim"), root.path().join("link"));
        fs::create_dir(&victim).unwrap();
        fs::write(victim.join("precious"), "").unwrap();
        symlink(&victim, &link).unwrap();
        assert!(remove_tree(&link).is_err());
        assert!(victim.join("precious").exists());
    }
}
