//! Unpacking an archive of which only the sender is known: into a directory of our own, and renamed once it
//! is whole.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use nix::sys::stat::fstat;
use nix::unistd::geteuid;
use slapos_fs::{Owner, RemoveError, remove_tree};

use super::decode::{DecodeError, Decoded, decoded};
use super::links::{below, stays_inside};
use super::tarball::{Item, Kind, TarError, Tarball};
use super::tree::{Attributes, Tree, TreeError, open_directory};
use crate::Cancelled;
use crate::interruptible::{Interruptible, is_interruption};

/// Lies in what was unpacked: it is whole, whatever happens before its user has taken note of it.
pub const UNPACKED_MARK: &str = ".slapos-unpacked";
/// Bytes that are copied at once; also the least that becomes a hole of a file when it is all zeros.
const BUFFER: usize = 64 << 10;

/// What an archive may grow to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes, decompressed.
    pub bytes: u64,
    /// Entries.
    pub entries: u64,
}

/// An archive cannot be unpacked. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnpackError {
    /// It cannot be decompressed.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It is not well-formed.
    #[error(transparent)]
    Tar(#[from] TarError),
    /// It holds what must not be made, or cannot be.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// An entry lies elsewhere.
    #[error("{} does not lie below {name}", path.display())]
    Outside {
        /// The entry, or the target of a hard link.
        path: PathBuf,
        /// The only directory that the archive may hold.
        name: String,
    },
    /// A symbolic link leads elsewhere.
    #[error("{} is a symbolic link to {}, out of the release", path.display(), target.display())]
    Link {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// An entry would run with rights of its owner.
    #[error("{} is setuid or setgid", path.display())]
    SpecialBits {
        /// The entry.
        path: PathBuf,
    },
    /// It is larger than it may be.
    #[error("the archive holds more than {0} bytes")]
    TooLarge(u64),
    /// It has more entries than it may have.
    #[error("the archive holds more than {0} entries")]
    TooMany(u64),
    /// It holds nothing.
    #[error("the archive is empty")]
    Empty,
    /// A file cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The file, below the directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The place for it cannot be prepared.
    #[error("cannot make {path}")]
    Place {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What was left of an interrupted attempt cannot be removed.
    #[error(transparent)]
    Remove(#[from] RemoveError),
    /// It was to stop.
    #[error("interrupted")]
    Cancelled,
}

/// Where a directory is while it is unpacked: beside its place. After a kill, it stays there until the next
/// attempt.
pub fn unfinished(directory: &Path) -> PathBuf {
    let mut name = OsString::from(".slapos-new-");
    name.push(directory.file_name().unwrap_or_default());
    directory.with_file_name(name)
}

/// Unpacks an archive of one directory, which must be called as `directory` is, to there, where nothing
/// may be yet. Files are made in another directory beside it, which is renamed when all is done; if an
/// earlier attempt was killed, its rest is removed first. Everything belongs to `owner`. In it lies
/// [`UNPACKED_MARK`].
///
/// # Errors
/// The archive is damaged, larger than `limits`, holds something that does not belong into a release,
/// or cannot be written.
pub fn unpack(
    archive: impl Read + Send,
    directory: &Path,
    limits: Limits,
    owner: Option<Owner>,
    cancelled: Cancelled<'_>,
) -> Result<(), UnpackError> {
    let unfinished = unfinished(directory);
    remove_tree(&unfinished)?;
    let unpacked = fill(archive, directory, &unfinished, limits, owner, cancelled);
    if unpacked.is_err() {
        // What is wrong with the archive is the news.
        let _ = remove_tree(&unfinished);
    }
    unpacked
}

fn fill(
    archive: impl Read + Send,
    directory: &Path,
    unfinished: &Path,
    limits: Limits,
    owner: Option<Owner>,
    cancelled: Cancelled<'_>,
) -> Result<(), UnpackError> {
    let place = |path: &Path| {
        let path = path.to_owned();
        |source| UnpackError::Place { path, source }
    };
    let made = std::fs::DirBuilder::new().mode(0o700).create(unfinished);
    made.map_err(place(unfinished))?;
    let root = open_directory(unfinished).and_then(own);
    let root = root.map_err(place(unfinished))?;
    decoded(archive, |decoded| {
        let mut unpacker = Unpacker {
            tarball: Tarball::new(Limited {
                reader: Interruptible {
                    reader: decoded,
                    cancelled,
                },
                left: limits.bytes,
            }),
            tree: Tree::new(root, owner),
            directory,
            entries: 0,
            limits,
        };
        unpacker.run().map_err(|error| match error {
            UnpackError::Tar(TarError::Read(error)) if is_limit(&error) => {
                UnpackError::TooLarge(limits.bytes)
            }
            UnpackError::Tar(TarError::Read(error)) if is_interruption(&error) => {
                UnpackError::Cancelled
            }
            error => error,
        })?;
        Ok::<_, UnpackError>(unpacker.tree.finish()?)
    })??;
    let flags = RenameFlags::RENAME_NOREPLACE;
    let renamed = renameat2(AT_FDCWD, unfinished, AT_FDCWD, directory, flags);
    renamed.map_err(|errno| place(directory)(errno.into()))
}

/// The owner of the directory above may have put another one in the place of what was made there.
fn own(directory: OwnedFd) -> io::Result<OwnedFd> {
    match fstat(&directory)?.st_uid == geteuid().as_raw() {
        true => Ok(directory),
        false => Err(io::Error::other("somebody has replaced it")),
    }
}

struct Unpacker<'a> {
    tarball: Tarball<Limited<'a>>,
    tree: Tree,
    /// Where it will lie.
    directory: &'a Path,
    entries: u64,
    limits: Limits,
}

impl Unpacker<'_> {
    fn run(&mut self) -> Result<(), UnpackError> {
        while let Some(item) = self.tarball.next()? {
            self.count()?;
            let path = self.below(&item.path)?;
            self.make(&item, &path)?;
        }
        match self.entries {
            0 => Err(UnpackError::Empty),
            _ => self.mark(),
        }
    }

    fn mark(&mut self) -> Result<(), UnpackError> {
        let path = Path::new(UNPACKED_MARK);
        let file = self.tree.file(path)?;
        let attributes = Attributes {
            mode: 0o644,
            modified: None,
        };
        Ok(self.tree.finish_file(path, &file, attributes)?)
    }

    fn count(&mut self) -> Result<(), UnpackError> {
        self.entries += 1;
        // Directories without entries of their own count as well.
        if self.entries.max(self.tree.directories()) > self.limits.entries {
            return Err(UnpackError::TooMany(self.limits.entries));
        }
        Ok(())
    }

    fn make(&mut self, item: &Item, path: &Path) -> Result<(), UnpackError> {
        if item.mode & 0o6000 != 0 && matches!(item.kind, Kind::File(_)) {
            let path = item.path.clone();
            return Err(UnpackError::SpecialBits { path });
        }
        let attributes = Attributes {
            mode: item.mode & 0o777,
            modified: Some(item.modified),
        };
        match &item.kind {
            Kind::Directory => self.tree.directory(path, attributes)?,
            Kind::File(_) => self.write(path, attributes)?,
            Kind::HardLink(target) => {
                let target = self.below(target)?;
                self.tree.hard_link(path, &target)?;
            }
            Kind::SymbolicLink(target) => {
                self.check_link(item, path, target)?;
                self.tree.symbolic_link(path, target, item.modified)?;
            }
        }
        Ok(())
    }

    fn below(&self, path: &Path) -> Result<PathBuf, UnpackError> {
        let name = self.directory.file_name().unwrap_or_default();
        let name = name.to_string_lossy();
        below(path, &name).ok_or_else(|| UnpackError::Outside {
            path: path.to_owned(),
            name: name.into_owned(),
        })
    }

    fn check_link(&self, item: &Item, path: &Path, target: &Path) -> Result<(), UnpackError> {
        let depth = path.components().count().saturating_sub(1);
        if stays_inside(target, depth, self.directory) {
            return Ok(());
        }
        Err(UnpackError::Link {
            path: item.path.clone(),
            target: target.to_owned(),
        })
    }

    fn write(&mut self, path: &Path, attributes: Attributes) -> Result<(), UnpackError> {
        let mut file = self.tree.file(path)?;
        self.copy(path, &mut file)?;
        Ok(self.tree.finish_file(path, &file, attributes)?)
    }

    /// Whole buffers of zeros become holes.
    fn copy(&mut self, path: &Path, file: &mut File) -> Result<(), UnpackError> {
        let failed = |source| UnpackError::Write {
            path: path.to_owned(),
            source,
        };
        let mut buffer = [0; BUFFER];
        let (mut length, mut hole) = (0, false);
        loop {
            let read = self.tarball.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            length += read as u64;
            hole = read == BUFFER && buffer.iter().all(|byte| *byte == 0);
            if hole {
                file.seek(SeekFrom::Current(BUFFER as i64))
                    .map_err(failed)?;
            } else {
                file.write_all(&buffer[..read]).map_err(failed)?;
            }
        }
        if hole {
            file.set_len(length).map_err(failed)?;
        }
        Ok(())
    }
}

/// Reads only so much.
struct Limited<'a> {
    reader: Interruptible<'a, &'a mut Decoded>,
    left: u64,
}

/// Marks the error of [`Limited`].
#[derive(Debug, thiserror::Error)]
#[error("too large")]
struct LimitReached;

fn is_limit(error: &io::Error) -> bool {
    error
        .get_ref()
        .is_some_and(|inner| inner.is::<LimitReached>())
}

impl Read for Limited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::other(LimitReached))?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::chown;

    use super::*;

    #[test]
    fn a_directory_of_somebody_else_is_not_filled() {
        let directory = tempfile::tempdir().unwrap();
        own(open_directory(directory.path()).unwrap()).unwrap();
        let foreign = match geteuid().is_root() {
            true => chown(directory.path(), Some(65534), None).map(|()| directory.path()),
            false => Ok(Path::new("/")),
        };
        let refused = own(open_directory(foreign.unwrap()).unwrap()).unwrap_err();
        assert!(refused.to_string().contains("replaced"), "{refused}");
    }
}
