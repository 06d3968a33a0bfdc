//! Archiving a directory, whose owner may still change it: everything is opened relative to a
//! directory that is open, and no link is followed.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use tar::{Builder, EntryType, Header};

use super::encode::Encoder;
use super::links::stays_inside;
use super::{Format, UNPACKED_MARK, tree};
use crate::Cancelled;
use crate::digest::Digest;
use crate::interruptible::{Interruptible, is_interruption};

/// Bits that an archive cannot have.
const SPECIAL_BITS: u32 = 0o6000;
/// The name that owners have in archives. Readers that look names up give files to the user that
/// installs software, as it is called on nodes.
const OWNER: &str = "slapsoft";
/// Right below the directory, and of no use or not for others: credentials, and the marks of a node
/// that the release is installed there.
const LEFT_OUT: [&str; 3] = [".netrc", ".completed", UNPACKED_MARK];

/// A finished archive, in a file without a name.
#[derive(Debug)]
pub struct Packed {
    /// The file, open at its end.
    pub file: File,
    /// Of the file.
    pub digest: Digest,
    /// Its length in bytes.
    pub length: u64,
}

/// A directory cannot be archived.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// Something in it cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The archive cannot be written.
    #[error("cannot write an archive of {path}")]
    Write {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds what no reader should accept.
    #[error("{path} {problem}")]
    Unsafe {
        /// What.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// It was to stop.
    #[error("interrupted")]
    Cancelled,
}

/// Archives a directory under its own name, into a file without a name beside it. The same contents
/// make the same bytes: entries are sorted, and owners are left out.
///
/// # Errors
/// Something cannot be read or written, or must not be in an archive: setuid files, and symbolic links
/// that lead out of the directory.
pub fn pack(
    directory: &Path,
    format: Format,
    cancelled: Cancelled<'_>,
) -> Result<Packed, PackError> {
    let failed = |source| PackError::Write {
        path: directory.to_owned(),
        source,
    };
    let parent = directory.parent().unwrap_or(Path::new("/"));
    let name = directory.file_name().unwrap_or_default();
    let file = tempfile::tempfile_in(parent).map_err(failed)?;
    let encoder = Encoder::new(file, format).map_err(failed)?;
    let mut packer = Packer {
        builder: Builder::new(encoder),
        top: directory,
        linked: HashMap::new(),
        cancelled,
    };
    let handle = tree::open_directory(directory).map_err(|source| PackError::Read {
        path: directory.to_owned(),
        source,
    })?;
    packer.add_directory(&handle, Path::new(name), 0)?;
    let encoder = packer.builder.into_inner().map_err(failed)?;
    let (file, digest, length) = encoder.finish().map_err(failed)?;
    Ok(Packed {
        file,
        digest,
        length,
    })
}

struct Packer<'a> {
    builder: Builder<Encoder>,
    top: &'a Path,
    /// Names that files with several were archived under, by device and inode.
    linked: HashMap<(u64, u64), PathBuf>,
    cancelled: Cancelled<'a>,
}

impl Packer<'_> {
    /// Adds an open directory, and what is in it. `path` is its path in the archive.
    fn add_directory(
        &mut self,
        handle: &OwnedFd,
        path: &Path,
        depth: usize,
    ) -> Result<(), PackError> {
        let metadata = fs::metadata(entry(handle, OsStr::new("."))).map_err(self.reading(path))?;
        if depth > tree::DEEPEST {
            return Err(self.refuse(path, "lies too deep"));
        }
        let mut header = header(&metadata, EntryType::Directory);
        self.append(&mut header, path, io::empty())?;
        for name in names(handle).map_err(self.reading(path))? {
            let left_out = LEFT_OUT.iter().any(|left_out| name == *left_out);
            if depth > 0 || !left_out {
                self.add(handle, &name, &path.join(&name), depth)?;
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        parent: &OwnedFd,
        name: &OsStr,
        path: &Path,
        depth: usize,
    ) -> Result<(), PackError> {
        if (self.cancelled)() {
            return Err(PackError::Cancelled);
        }
        let metadata = fs::symlink_metadata(entry(parent, name)).map_err(self.reading(path))?;
        let kind = metadata.file_type();
        if kind.is_dir() {
            let child = open(parent, name, OFlag::O_DIRECTORY).map_err(self.reading(path))?;
            return self.add_directory(&child, path, depth + 1);
        }
        if kind.is_symlink() {
            return self.add_link(parent, name, path, depth, &metadata);
        }
        if kind.is_file() {
            return self.add_file(parent, name, path);
        }
        let what = if kind.is_socket() {
            "socket"
        } else {
            "device or pipe"
        };
        log::info!("{}: a {what} is not archived", path.display());
        Ok(())
    }

    fn add_link(
        &mut self,
        parent: &OwnedFd,
        name: &OsStr,
        path: &Path,
        depth: usize,
        metadata: &Metadata,
    ) -> Result<(), PackError> {
        let target = fs::read_link(entry(parent, name)).map_err(self.reading(path))?;
        if !stays_inside(&target, depth, self.top) {
            return Err(self.refuse(path, "is a symbolic link that leads out of the release"));
        }
        let mut header = header(metadata, EntryType::Symlink);
        self.append_link(&mut header, path, &target)
    }

    fn add_file(&mut self, parent: &OwnedFd, name: &OsStr, path: &Path) -> Result<(), PackError> {
        let file = open(parent, name, OFlag::O_NONBLOCK).map_err(self.reading(path))?;
        let file = File::from(file);
        let metadata = file.metadata().map_err(self.reading(path))?;
        if !metadata.is_file() {
            return Err(self.refuse(path, "has changed meanwhile"));
        }
        if metadata.mode() & SPECIAL_BITS != 0 {
            return Err(self.refuse(path, "is setuid or setgid"));
        }
        let inode = (metadata.dev(), metadata.ino());
        if let Some(first) = self.linked.get(&inode).cloned() {
            let mut header = header(&metadata, EntryType::Link);
            return self.append_link(&mut header, path, &first);
        }
        if metadata.nlink() > 1 {
            self.linked.insert(inode, path.to_owned());
        }
        let mut header = header(&metadata, EntryType::Regular);
        header.set_size(metadata.len());
        let mut contents = Interruptible {
            reader: file.take(metadata.len()),
            cancelled: self.cancelled,
        };
        self.append(&mut header, path, &mut contents)?;
        if contents.reader.limit() > 0 {
            return Err(self.refuse(path, "has become shorter meanwhile"));
        }
        Ok(())
    }

    fn append(
        &mut self,
        header: &mut Header,
        path: &Path,
        contents: impl Read,
    ) -> Result<(), PackError> {
        let appended = self.builder.append_data(header, path, contents);
        appended.map_err(|source| match is_interruption(&source) {
            true => PackError::Cancelled,
            false => self.writing(source),
        })
    }

    fn append_link(
        &mut self,
        header: &mut Header,
        path: &Path,
        target: &Path,
    ) -> Result<(), PackError> {
        let appended = self.builder.append_link(header, path, target);
        appended.map_err(|source| self.writing(source))
    }

    fn writing(&self, source: io::Error) -> PackError {
        PackError::Write {
            path: self.top.to_owned(),
            source,
        }
    }

    /// `path` begins with the name of the directory.
    fn reading(&self, path: &Path) -> impl FnOnce(io::Error) -> PackError + use<> {
        let path = self.place(path);
        |source| PackError::Read { path, source }
    }

    fn refuse(&self, path: &Path, problem: &'static str) -> PackError {
        let path = self.place(path);
        PackError::Unsafe { path, problem }
    }

    fn place(&self, path: &Path) -> PathBuf {
        let parent = self.top.parent().unwrap_or(Path::new("/"));
        parent.join(path)
    }
}

fn header(metadata: &Metadata, kind: EntryType) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(metadata.mode() & 0o777);
    header.set_mtime(u64::try_from(metadata.mtime()).unwrap_or(0));
    header.set_size(0);
    header.set_uid(0);
    header.set_gid(0);
    // Both are short enough for their fields.
    let _ = header.set_username(OWNER);
    let _ = header.set_groupname(OWNER);
    header
}

/// A path by which the kernel finds an entry of exactly this directory.
fn entry(directory: &OwnedFd, name: &OsStr) -> PathBuf {
    let directory = directory.as_raw_fd().to_string();
    Path::new("/proc/self/fd").join(directory).join(name)
}

fn names(directory: &OwnedFd) -> io::Result<Vec<OsString>> {
    let entries = fs::read_dir(entry(directory, OsStr::new(".")))?;
    let names: io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.file_name())).collect();
    let mut names = names?;
    names.sort();
    Ok(names)
}

fn open(parent: &OwnedFd, name: &OsStr, flags: OFlag) -> io::Result<OwnedFd> {
    let flags = flags | OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    Ok(openat(parent, name, flags, Mode::empty())?)
}
