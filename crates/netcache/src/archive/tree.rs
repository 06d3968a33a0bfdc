//! Making files below an open directory, and nowhere else: every directory on the way is opened relative
//! to the one before, and a symbolic link is never followed.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::sys::stat::{Mode, SFlag, UtimensatFlags, fstatat, futimens, mkdirat, utimensat};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, fchownat, linkat, symlinkat};
use slapos_fs::Owner;

/// Most directories that may lie in each other.
pub(super) const DEEPEST: usize = 128;
/// Of directories that an archive has no entry of.
const IMPLICIT: Attributes = Attributes {
    mode: 0o755,
    modified: None,
};

/// Something could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The kernel refused.
    #[error("cannot make {path}")]
    Io {
        /// What, below the directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The path leads through something that is no directory, such as a symbolic link.
    #[error("{} leads through {}, which is no directory", path.display(), through.display())]
    Through {
        /// The path.
        path: PathBuf,
        /// What is no directory.
        through: PathBuf,
    },
    /// Something of this name was made before.
    #[error("{} comes twice", path.display())]
    Twice {
        /// The path.
        path: PathBuf,
    },
    /// A hard link to something else than a file of the same archive.
    #[error("{} is a hard link to {}, which is no file", path.display(), target.display())]
    HardLink {
        /// The link.
        path: PathBuf,
        /// What it shall be.
        target: PathBuf,
    },
    /// Directories are nested too deeply.
    #[error("{} lies deeper than {DEEPEST} directories", path.display())]
    TooDeep {
        /// The path.
        path: PathBuf,
    },
}

/// What files and directories get once they are whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attributes {
    pub(super) mode: u32,
    /// Seconds since 1970.
    pub(super) modified: Option<i64>,
}

/// A directory that is being filled.
pub(super) struct Tree {
    root: OwnedFd,
    owner: Option<Owner>,
    /// The directory that was used last: entries of one directory come in a row.
    last: Option<(PathBuf, OwnedFd)>,
    /// Attributes of the directories, which would hinder or be changed by what is put there.
    directories: BTreeMap<PathBuf, Attributes>,
}

impl Tree {
    /// Fills an empty directory.
    pub(super) fn new(root: OwnedFd, owner: Option<Owner>) -> Self {
        let directories = BTreeMap::from([(PathBuf::new(), IMPLICIT)]);
        Self {
            root,
            owner,
            last: None,
            directories,
        }
    }

    /// How many directories there are.
    pub(super) fn directories(&self) -> u64 {
        self.directories.len() as u64
    }

    /// Makes a directory, and those on the way; the empty path is the directory itself.
    pub(super) fn directory(
        &mut self,
        path: &Path,
        attributes: Attributes,
    ) -> Result<(), TreeError> {
        self.open(path)?;
        self.directories.insert(path.to_owned(), attributes);
        Ok(())
    }

    /// Makes an empty file.
    pub(super) fn file(&mut self, path: &Path) -> Result<File, TreeError> {
        let flags =
            OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let (parent, name) = self.parent(path)?;
        let made = openat(parent, name, flags, Mode::S_IRUSR | Mode::S_IWUSR);
        made.map(File::from).map_err(|errno| failed(path, errno))
    }

    /// Gives a file its attributes, after its contents.
    pub(super) fn finish_file(
        &self,
        path: &Path,
        file: &File,
        attributes: Attributes,
    ) -> Result<(), TreeError> {
        apply(file, self.owner, attributes).map_err(|source| io_error(path, source))
    }

    /// Makes a symbolic link, wherever it leads.
    pub(super) fn symbolic_link(
        &mut self,
        path: &Path,
        target: &Path,
        modified: i64,
    ) -> Result<(), TreeError> {
        let owner = self.owner;
        let (parent, name) = self.parent(path)?;
        let time = TimeSpec::new(modified, 0);
        let made = symlinkat(target, parent, name).and_then(|()| {
            if let Some(Owner { uid, gid }) = owner {
                let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
                fchownat(
                    parent,
                    name,
                    Some(uid),
                    Some(gid),
                    AtFlags::AT_SYMLINK_NOFOLLOW,
                )?;
            }
            utimensat(parent, name, &time, &time, UtimensatFlags::NoFollowSymlink)
        });
        made.map_err(|errno| failed(path, errno))
    }

    /// Gives a file that was made before another name. Links to symbolic links are refused: at
    /// another place they may lead elsewhere.
    pub(super) fn hard_link(&mut self, path: &Path, target: &Path) -> Result<(), TreeError> {
        let no_file = || TreeError::HardLink {
            path: path.to_owned(),
            target: target.to_owned(),
        };
        let (parent, name) = self.parent(target)?;
        let status = fstatat(parent, name, AtFlags::AT_SYMLINK_NOFOLLOW).map_err(|_| no_file())?;
        if SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
            return Err(no_file());
        }
        let source = parent.as_fd().try_clone_to_owned();
        let source = source.map_err(|error| io_error(path, error))?;
        let source_name = name.to_owned();
        let (parent, name) = self.parent(path)?;
        let linked = linkat(
            &source,
            source_name.as_os_str(),
            parent,
            name,
            AtFlags::empty(),
        );
        linked.map_err(|errno| failed(path, errno))
    }

    /// Gives the directories their attributes, inner ones first.
    pub(super) fn finish(mut self) -> Result<(), TreeError> {
        // The last one in order has no others below that are left.
        while let Some((path, attributes)) = self.directories.last_key_value() {
            let (path, attributes) = (path.clone(), *attributes);
            let handle = self.open(&path)?.as_fd().try_clone_to_owned();
            let file = File::from(handle.map_err(|source| io_error(&path, source))?);
            apply(&file, self.owner, attributes).map_err(|source| io_error(&path, source))?;
            self.directories.pop_last();
        }
        Ok(())
    }

    fn parent<'a>(&mut self, path: &'a Path) -> Result<(&OwnedFd, &'a OsStr), TreeError> {
        let twice = || TreeError::Twice {
            path: path.to_owned(),
        };
        let name = path.file_name().ok_or_else(twice)?;
        let parent = path.parent().unwrap_or(Path::new(""));
        Ok((self.open(parent)?, name))
    }

    /// Opens a directory, which is made if it is missing. The path must consist of names.
    fn open(&mut self, path: &Path) -> Result<&OwnedFd, TreeError> {
        if self.last.as_ref().is_none_or(|(last, _)| last != path) {
            let handle = self.walk(path)?;
            self.last = Some((path.to_owned(), handle));
        }
        Ok(self.last.as_ref().map_or(&self.root, |(_, handle)| handle))
    }

    fn walk(&mut self, path: &Path) -> Result<OwnedFd, TreeError> {
        if path.components().count() > DEEPEST {
            return Err(TreeError::TooDeep {
                path: path.to_owned(),
            });
        }
        let root = self.root.as_fd().try_clone_to_owned();
        let mut handle = root.map_err(|source| io_error(path, source))?;
        let mut walked = PathBuf::new();
        for name in path {
            walked.push(name);
            handle = self.step(&handle, name, &walked, path)?;
        }
        Ok(handle)
    }

    fn step(
        &mut self,
        handle: &OwnedFd,
        name: &OsStr,
        walked: &Path,
        path: &Path,
    ) -> Result<OwnedFd, TreeError> {
        if !self.directories.contains_key(walked) {
            match mkdirat(handle, name, Mode::S_IRWXU) {
                Ok(()) => {
                    self.directories.insert(walked.to_owned(), IMPLICIT);
                }
                Err(nix::Error::EEXIST) => {
                    return Err(TreeError::Through {
                        path: path.to_owned(),
                        through: walked.to_owned(),
                    });
                }
                Err(errno) => return Err(failed(walked, errno)),
            }
        }
        openat(handle, name, DIRECTORY, Mode::empty()).map_err(|errno| failed(walked, errno))
    }
}

const DIRECTORY: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// Opens a directory, which must not be a symbolic link.
pub(super) fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    Ok(open(path, DIRECTORY, Mode::empty())?)
}

fn apply(file: &File, owner: Option<Owner>, attributes: Attributes) -> io::Result<()> {
    if let Some(Owner { uid, gid }) = owner {
        fchown(file, Some(uid), Some(gid))?;
    }
    file.set_permissions(Permissions::from_mode(attributes.mode))?;
    if let Some(modified) = attributes.modified {
        let time = TimeSpec::new(modified, 0);
        futimens(file, &time, &time)?;
    }
    Ok(())
}

fn failed(path: &Path, errno: nix::Error) -> TreeError {
    match errno {
        nix::Error::EEXIST => TreeError::Twice {
            path: path.to_owned(),
        },
        errno => io_error(path, errno.into()),
    }
}

fn io_error(path: &Path, source: io::Error) -> TreeError {
    TreeError::Io {
        path: path.to_owned(),
        source,
    }
}
