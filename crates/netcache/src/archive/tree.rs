//! Making files below an open directory, and nowhere else: every directory on the way is opened relative
//! to the one before, and a symbolic link is never followed.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::sys::stat::{
    Mode, SFlag, UtimensatFlags, fchmod, fstat, fstatat, futimens, mkdirat, utimensat,
};
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

/// A directory that is being filled. However many directories there are, only those on the way to the
/// one that was used last are remembered.
pub(super) struct Tree {
    top: Directory,
    /// From below the top to the directory that was used last: entries of one directory come in a row.
    way: Vec<Directory>,
    owner: Option<Owner>,
    /// How many directories were made.
    directories: u64,
}

/// An open directory. Its attributes would hinder or be changed by what is put there, so it has them only
/// while it is not open.
struct Directory {
    name: OsString,
    handle: OwnedFd,
    attributes: Attributes,
}

impl Tree {
    /// Fills an empty directory.
    pub(super) fn new(top: OwnedFd, owner: Option<Owner>) -> Self {
        let top = Directory {
            name: OsString::new(),
            handle: top,
            attributes: IMPLICIT,
        };
        Self {
            top,
            way: Vec::new(),
            owner,
            directories: 1,
        }
    }

    /// How many directories there are.
    pub(super) fn directories(&self) -> u64 {
        self.directories
    }

    /// Makes a directory, and those on the way; the empty path is the directory itself.
    pub(super) fn directory(
        &mut self,
        path: &Path,
        attributes: Attributes,
    ) -> Result<(), TreeError> {
        self.enter(path)?.attributes = attributes;
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
        let target_name = target.file_name().ok_or_else(no_file)?;
        let target_parent = self.find(target.parent().unwrap_or(Path::new("")), no_file)?;
        let status = fstatat(&target_parent, target_name, AtFlags::AT_SYMLINK_NOFOLLOW);
        let status = status.map_err(|_| no_file())?;
        if SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
            return Err(no_file());
        }
        let (parent, name) = self.parent(path)?;
        let linked = linkat(&target_parent, target_name, parent, name, AtFlags::empty());
        linked.map_err(|errno| failed(path, errno))
    }

    /// Gives the directories that are open their attributes.
    pub(super) fn finish(mut self) -> Result<(), TreeError> {
        self.leave(0)?;
        self.top.close(self.owner, Path::new("."))
    }

    fn parent<'a>(&mut self, path: &'a Path) -> Result<(&OwnedFd, &'a OsStr), TreeError> {
        let twice = || TreeError::Twice {
            path: path.to_owned(),
        };
        let name = path.file_name().ok_or_else(twice)?;
        let parent = path.parent().unwrap_or(Path::new(""));
        Ok((&self.enter(parent)?.handle, name))
    }

    /// Opens a directory, which is made if it is missing. The path must consist of names.
    fn enter(&mut self, path: &Path) -> Result<&mut Directory, TreeError> {
        let common = self.way.iter().zip(path);
        let common = common.take_while(|(directory, name)| directory.name == *name);
        let common = common.count();
        self.leave(common)?;
        for name in path.iter().skip(common) {
            self.step(name, path)?;
        }
        Ok(self.way.last_mut().unwrap_or(&mut self.top))
    }

    /// Goes back until so many directories are open below the top.
    fn leave(&mut self, depth: usize) -> Result<(), TreeError> {
        while self.way.len() > depth
            && let Some(directory) = self.way.pop()
        {
            let path = self.walked(&directory.name);
            directory.close(self.owner, &path)?;
        }
        Ok(())
    }

    /// Opens, or makes, what lies in the directory that was used last.
    fn step(&mut self, name: &OsStr, path: &Path) -> Result<(), TreeError> {
        if self.way.len() == DEEPEST {
            return Err(TreeError::TooDeep {
                path: path.to_owned(),
            });
        }
        let parent = &self.way.last().unwrap_or(&self.top).handle;
        let io_failed = |errno: nix::Error| io_error(path, errno.into());
        let made = match mkdirat(parent, name, Mode::S_IRWXU) {
            Ok(()) => true,
            Err(nix::Error::EEXIST) => false,
            Err(errno) => return Err(io_failed(errno)),
        };
        let opened = openat(parent, name, DIRECTORY, Mode::empty());
        let handle = opened.map_err(|errno| self.no_directory(name, path, errno))?;
        let attributes = match made {
            true => IMPLICIT,
            false => reopen(&handle).map_err(io_failed)?,
        };
        self.directories += u64::from(made);
        self.way.push(Directory {
            name: name.to_owned(),
            handle,
            attributes,
        });
        Ok(())
    }

    /// Opens a directory that was made before, only to find what is in it.
    fn find(&self, path: &Path, missing: impl Fn() -> TreeError) -> Result<OwnedFd, TreeError> {
        let flags = DIRECTORY | OFlag::O_PATH;
        let found = self.top.handle.try_clone();
        let mut found = found.map_err(|source| io_error(path, source))?;
        let mut walked = PathBuf::new();
        for name in path {
            walked.push(name);
            found = match openat(&found, name, flags, Mode::empty()) {
                Err(nix::Error::ENOENT) => return Err(missing()),
                opened => opened.map_err(|errno| through(path, &walked, errno))?,
            };
        }
        Ok(found)
    }

    fn no_directory(&self, name: &OsStr, path: &Path, errno: nix::Error) -> TreeError {
        through(path, &self.walked(name), errno)
    }

    /// The path of something in the directory that was used last.
    fn walked(&self, name: &OsStr) -> PathBuf {
        let names = self.way.iter().map(|directory| directory.name.as_os_str());
        names.chain([name]).collect()
    }
}

impl Directory {
    fn close(self, owner: Option<Owner>, path: &Path) -> Result<(), TreeError> {
        let file = File::from(self.handle);
        apply(&file, owner, self.attributes).map_err(|source| io_error(path, source))
    }
}

/// Makes a directory writable again, and tells what it had been given.
fn reopen(handle: &OwnedFd) -> nix::Result<Attributes> {
    let status = fstat(handle)?;
    fchmod(handle, Mode::S_IRWXU)?;
    Ok(Attributes {
        mode: status.st_mode & 0o777,
        modified: Some(status.st_mtime),
    })
}

fn through(path: &Path, through: &Path, errno: nix::Error) -> TreeError {
    match errno {
        nix::Error::ENOTDIR | nix::Error::ELOOP => TreeError::Through {
            path: path.to_owned(),
            through: through.to_owned(),
        },
        errno => io_error(path, errno.into()),
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
