//! Files inside a partition, which belongs to a user who is not trusted.
//!
//! Root writes logs, results and records below directories that the user of the partition may replace by
//! symbolic links at any moment. Here each directory is opened once, component by component and without
//! following links, and everything else happens relative to that descriptor.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat, renameat};
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::{UnlinkatFlags, geteuid, symlinkat, unlinkat};
use slapos_fs::{FileAttributes, Owner, step};

/// A file of a partition could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ConfinedError {
    /// The kernel refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A device, a pipe, a directory or a link lies where a file is expected.
    #[error("{} is not a regular file", path.display())]
    NotRegular {
        /// What lies there.
        path: PathBuf,
    },
    /// The file is longer than such a file may be.
    #[error("{} has more than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read, in bytes.
        limit: u64,
    },
}

/// An open directory of a partition.
#[derive(Debug)]
pub(crate) struct ConfinedDirectory {
    handle: OwnedFd,
    /// Where it was when it was opened: for messages only.
    path: PathBuf,
}

impl ConfinedDirectory {
    /// Opens the directory of a partition itself. Its parents are trusted, the last component must not be a link.
    pub(crate) fn open(path: &Path) -> Result<Self, ConfinedError> {
        let handle = open(path, directory_flags(), Mode::empty())
            .map_err(|errno| io_error("open the directory", path, errno))?;
        Ok(Self {
            handle,
            path: path.to_owned(),
        })
    }

    /// The path that it was opened by.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a directory below, given by its components; `None` if one of them is missing.
    pub(crate) fn below(&self, components: &[&str]) -> Result<Option<Self>, ConfinedError> {
        let mut directory = self.duplicate()?;
        for name in components {
            match directory.child(name) {
                Ok(child) => directory = child,
                Err(ConfinedError::Io { source, .. })
                    if source.kind() == io::ErrorKind::NotFound =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Some(directory))
    }

    /// Opens a directory right below, which is made, and given `attributes`, where it is missing. One
    /// that is ours and empty was made by a run that was cut off before it gave it away.
    pub(crate) fn ensure(
        &self,
        name: &str,
        attributes: FileAttributes,
    ) -> Result<Self, ConfinedError> {
        let path = self.path.join(name);
        let mode = Mode::from_bits_truncate(attributes.mode);
        let is_new = match mkdirat(&self.handle, name, mode) {
            Ok(()) => true,
            Err(Errno::EEXIST) => false,
            Err(errno) => return Err(io_error("make the directory", &path, errno)),
        };
        let child = self.child(name)?;
        if is_new {
            step("made", &path);
        } else if child.is_given_to(attributes.owner)? {
            return Ok(child);
        }
        let made = File::from(child.duplicate()?.handle);
        apply(&made, attributes).map_err(|source| ConfinedError::Io {
            action: "give away",
            path,
            source,
        })?;
        Ok(child)
    }

    /// Whether the directory has this owner already, or another one than us, or something in it.
    fn is_given_to(&self, owner: Option<Owner>) -> Result<bool, ConfinedError> {
        let metadata = self.own_metadata()?;
        let is_ours = metadata.uid() == geteuid().as_raw();
        let is_right = owner.is_none_or(|owner| owner.uid == metadata.uid());
        Ok(is_right || !is_ours || !self.names()?.is_empty())
    }

    /// Mode, owner and times of the directory itself.
    pub(crate) fn own_metadata(&self) -> Result<Metadata, ConfinedError> {
        fs::metadata(self.entry(OsStr::new("."))).map_err(|source| ConfinedError::Io {
            action: "examine",
            path: self.path.clone(),
            source,
        })
    }

    /// The names in the directory, sorted.
    pub(crate) fn names(&self) -> Result<Vec<OsString>, ConfinedError> {
        let list = || -> io::Result<Vec<OsString>> {
            let entries = fs::read_dir(self.entry(OsStr::new(".")))?;
            entries.map(|entry| Ok(entry?.file_name())).collect()
        };
        let mut names = list().map_err(|source| ConfinedError::Io {
            action: "list",
            path: self.path.clone(),
            source,
        })?;
        names.sort();
        Ok(names)
    }

    /// What lies under a name, links not followed; `None` if nothing does.
    pub(crate) fn metadata(&self, name: &OsStr) -> Result<Option<Metadata>, ConfinedError> {
        match fs::symlink_metadata(self.entry(name)) {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ConfinedError::Io {
                action: "examine",
                path: self.path.join(name),
                source,
            }),
        }
    }

    /// Reads a regular file of at most `limit` bytes; `None` if there is none of that name.
    pub(crate) fn read(&self, name: &OsStr, limit: u64) -> Result<Option<Vec<u8>>, ConfinedError> {
        let Some((file, _)) = self.open_regular(name)? else {
            return Ok(None);
        };
        let contents = self.read_from(file, name, limit.saturating_add(1))?;
        if contents.len() as u64 > limit {
            let path = self.path.join(name);
            return Err(ConfinedError::TooLarge { path, limit });
        }
        Ok(Some(contents))
    }

    /// Reads the last `limit` bytes of a regular file; `None` if there is none of that name.
    pub(crate) fn read_end(
        &self,
        name: &OsStr,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, ConfinedError> {
        let Some((mut file, length)) = self.open_regular(name)? else {
            return Ok(None);
        };
        file.seek(SeekFrom::Start(length.saturating_sub(limit)))
            .map_err(|source| self.error("read", name, source))?;
        self.read_from(file, name, limit).map(Some)
    }

    /// A regular file and its length.
    fn open_regular(&self, name: &OsStr) -> Result<Option<(File, u64)>, ConfinedError> {
        let path = self.path.join(name);
        let file = match self.open_file(name, OFlag::O_RDONLY, 0) {
            Ok(file) => file,
            Err(Errno::ENOENT) => return Ok(None),
            Err(Errno::ELOOP) => return Err(ConfinedError::NotRegular { path }),
            Err(errno) => return Err(io_error("open", &path, errno)),
        };
        let metadata = file
            .metadata()
            .map_err(|source| self.error("read", name, source))?;
        if !metadata.is_file() {
            return Err(ConfinedError::NotRegular { path });
        }
        Ok(Some((file, metadata.len())))
    }

    fn read_from(&self, file: File, name: &OsStr, limit: u64) -> Result<Vec<u8>, ConfinedError> {
        let mut contents = Vec::new();
        file.take(limit)
            .read_to_end(&mut contents)
            .map_err(|source| self.error("read", name, source))?;
        Ok(contents)
    }

    /// Opens a file to append to. What else lies there (a link, a pipe, a name of a file that has others) is replaced.
    pub(crate) fn append(
        &self,
        name: &str,
        attributes: FileAttributes,
    ) -> Result<File, ConfinedError> {
        let name_os = OsStr::new(name);
        let file = match self.open_own_file(name_os, attributes.mode, OFlag::empty()) {
            Ok(Some(file)) => file,
            Ok(None) => {
                self.remove(name_os)?;
                self.open_own_file(name_os, attributes.mode, OFlag::O_EXCL)
                    .map_err(|source| self.error("open", name_os, source))?
                    .ok_or_else(|| ConfinedError::NotRegular {
                        path: self.path.join(name),
                    })?
            }
            Err(source) => return Err(self.error("open", name_os, source)),
        };
        apply(&file, attributes).map_err(|source| self.error("give away", name_os, source))?;
        Ok(file)
    }

    /// Replaces a whole file, unless it is as it shall be. Says whether it wrote.
    pub(crate) fn write(
        &self,
        name: &str,
        contents: &[u8],
        attributes: FileAttributes,
    ) -> Result<bool, ConfinedError> {
        slapos_fs::write_if_changed(&self.entry(OsStr::new(name)), contents, attributes)
            .map_err(|error| self.error("write", OsStr::new(name), error.source))
    }

    /// Removes what killed runs have left of files that they were writing.
    pub(crate) fn remove_abandoned(&self) {
        slapos_fs::remove_abandoned(&self.entry(OsStr::new(".")));
    }

    /// Gives a file another name in the same directory.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<(), ConfinedError> {
        renameat(&self.handle, from, &self.handle, to)
            .map_err(|errno| io_error("rename", &self.path.join(from), errno))
    }

    /// Makes a symbolic link, in place of what the name stood for.
    pub(crate) fn link(
        &self,
        name: &str,
        target: &Path,
        owner: Option<Owner>,
    ) -> Result<bool, ConfinedError> {
        if fs::read_link(self.entry(OsStr::new(name))).is_ok_and(|current| current == target) {
            return Ok(false);
        }
        let fresh = format!(".{name}.new");
        self.remove(OsStr::new(&fresh))?;
        symlinkat(target, &self.handle, fresh.as_str())
            .map_err(|errno| io_error("make the link", &self.path.join(&fresh), errno))?;
        if let Some(Owner { uid, gid }) = owner {
            std::os::unix::fs::lchown(self.entry(OsStr::new(&fresh)), Some(uid), Some(gid))
                .map_err(|source| self.error("give away", OsStr::new(&fresh), source))?;
        }
        self.rename(&fresh, name)?;
        step("linked", Path::new(name));
        Ok(true)
    }

    /// Removes a name that does not stand for a directory. Says whether there was one.
    pub(crate) fn remove(&self, name: &OsStr) -> Result<bool, ConfinedError> {
        match unlinkat(&self.handle, name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) => {
                step("removed", Path::new(name));
                Ok(true)
            }
            Err(Errno::ENOENT) => Ok(false),
            Err(errno) => Err(io_error("remove", &self.path.join(name), errno)),
        }
    }

    /// Removes a name with everything below it.
    pub(crate) fn remove_tree(&self, name: &OsStr) -> Result<(), ConfinedError> {
        slapos_fs::remove_tree(&self.entry(name))
            .map_err(|error| self.error("remove", name, error.source))
    }

    fn child(&self, name: &str) -> Result<Self, ConfinedError> {
        let path = self.path.join(name);
        let handle = openat(&self.handle, name, directory_flags(), Mode::empty())
            .map_err(|errno| io_error("open the directory", &path, errno))?;
        Ok(Self { handle, path })
    }

    fn duplicate(&self) -> Result<Self, ConfinedError> {
        let handle =
            self.handle
                .as_fd()
                .try_clone_to_owned()
                .map_err(|source| ConfinedError::Io {
                    action: "open the directory",
                    path: self.path.clone(),
                    source,
                })?;
        Ok(Self {
            handle,
            path: self.path.clone(),
        })
    }

    /// A path by which the kernel finds an entry of exactly this directory, wherever it was moved since.
    fn entry(&self, name: &OsStr) -> PathBuf {
        Path::new("/proc/self/fd")
            .join(self.handle.as_raw_fd().to_string())
            .join(name)
    }

    fn open_file(&self, name: &OsStr, flags: OFlag, mode: u32) -> Result<File, Errno> {
        // Opening a pipe without a writer must not block.
        let flags =
            flags | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC | OFlag::O_NOCTTY;
        openat(&self.handle, name, flags, Mode::from_bits_truncate(mode)).map(File::from)
    }

    /// `None` where something lies that others could read or have us write elsewhere.
    fn open_own_file(&self, name: &OsStr, mode: u32, extra: OFlag) -> io::Result<Option<File>> {
        let flags = OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_CREAT | extra;
        let file = match self.open_file(name, flags, mode) {
            Ok(file) => file,
            Err(Errno::ELOOP | Errno::ENXIO) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        };
        let metadata = file.metadata()?;
        Ok((metadata.is_file() && metadata.nlink() == 1).then_some(file))
    }

    fn error(&self, action: &'static str, name: &OsStr, source: io::Error) -> ConfinedError {
        ConfinedError::Io {
            action,
            path: self.path.join(name),
            source,
        }
    }
}

fn directory_flags() -> OFlag {
    OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC
}

fn io_error(action: &'static str, path: &Path, errno: Errno) -> ConfinedError {
    ConfinedError::Io {
        action,
        path: path.to_owned(),
        source: errno.into(),
    }
}

/// Sets mode and owner where they differ.
fn apply(file: &File, attributes: FileAttributes) -> io::Result<()> {
    let metadata = file.metadata()?;
    if let Some(Owner { uid, gid }) = attributes.owner
        && (metadata.uid(), metadata.gid()) != (uid, gid)
    {
        fchown(file, Some(uid), Some(gid))?;
    }
    if metadata.mode() & 0o7777 != attributes.mode {
        file.set_permissions(fs::Permissions::from_mode(attributes.mode))?;
    }
    Ok(())
}
