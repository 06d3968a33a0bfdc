//! The one way to write a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::libc;

use crate::new_file::{self, NewFile};

/// User and group of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// What a file shall be like beside its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileAttributes {
    /// Permission bits.
    pub mode: u32,
    /// Owner; `None` leaves it to the process, as always without root.
    pub owner: Option<Owner>,
}

/// A file could not be written. The file of before is untouched.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}")]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// A file could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}")]
pub struct ReadError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Replaces a file, or makes it: after a kill at any moment, the old or the new one is there.
/// A symbolic link of this name is replaced, not followed.
///
/// # Errors
/// The directory does not exist or cannot be written, or the owner cannot be set.
pub fn write_file(
    path: &Path,
    contents: &[u8],
    attributes: FileAttributes,
) -> Result<(), WriteError> {
    replace(path, contents, attributes).map_err(|source| WriteError {
        path: path.to_owned(),
        source,
    })
}

/// Makes a file of a name that nothing has; it has its mode from the first byte on.
///
/// # Errors
/// Something of this name exists, which is left alone, or as [`write_file`].
pub fn write_new_file(
    path: &Path,
    contents: &[u8],
    attributes: FileAttributes,
) -> Result<(), WriteError> {
    let written = prepare(path, contents, attributes).and_then(|file| file.keep_new_at(path));
    written.map_err(|source| WriteError {
        path: path.to_owned(),
        source,
    })
}

fn replace(path: &Path, contents: &[u8], attributes: FileAttributes) -> io::Result<()> {
    prepare(path, contents, attributes)?.keep_at(path)
}

fn prepare(path: &Path, contents: &[u8], attributes: FileAttributes) -> io::Result<NewFile> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let mut file = new_file::create(directory, attributes)?;
    file.write_all(contents)?;
    Ok(file)
}

/// Writes a file unless its contents, mode and owner are as wanted already; says whether it wrote.
///
/// # Errors
/// As [`write_file`].
pub fn write_if_changed(
    path: &Path,
    contents: &[u8],
    attributes: FileAttributes,
) -> Result<bool, WriteError> {
    if is_as_wanted(path, contents, attributes) {
        return Ok(false);
    }
    write_file(path, contents, attributes).map(|()| true)
}

/// A file that cannot be looked at counts as one to write: writing then says what is wrong.
fn is_as_wanted(path: &Path, contents: &[u8], attributes: FileAttributes) -> bool {
    let Ok(file) = open_plain(path) else {
        return false;
    };
    let Ok(metadata) = file.metadata() else {
        return false;
    };
    let owner = Owner {
        uid: metadata.uid(),
        gid: metadata.gid(),
    };
    if metadata.len() != contents.len() as u64
        || metadata.mode() & 0o7777 != attributes.mode
        || attributes.owner.is_some_and(|wanted| wanted != owner)
    {
        return false;
    }
    let mut present = Vec::with_capacity(contents.len() + 1);
    // Its owner may make it longer while it is read.
    let mut file = file.take(contents.len() as u64 + 1);
    file.read_to_end(&mut present).is_ok() && present == contents
}

/// Reads a file that others may have put there: at most `limit` bytes of a regular file, no
/// symbolic link, no waiting for a FIFO.
///
/// # Errors
/// It does not exist, is something else than a file, or is larger.
pub fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    let contents = open_plain(path).and_then(|file| contents(file, limit));
    contents.map_err(|source| read_error(path, source))
}

/// Reads a file of at most `limit` bytes that a user put there, links followed: only what belongs to that
/// user, lest a link have us read what the user cannot.
///
/// # Errors
/// It does not exist, is something else than a file, belongs to another user, or is larger.
pub fn read_bounded_of(path: &Path, user: u32, limit: u64) -> Result<Vec<u8>, ReadError> {
    let read = || {
        let file = open_regular(path)?;
        if file.metadata()?.uid() != user {
            let message = format!("it leads to a file that does not belong to user {user}");
            return Err(io::Error::other(message));
        }
        contents(file, limit)
    };
    read().map_err(|source| read_error(path, source))
}

fn read_error(path: &Path, source: io::Error) -> ReadError {
    let path = path.to_owned();
    ReadError { path, source }
}

fn contents(file: File, limit: u64) -> io::Result<Vec<u8>> {
    let mut contents = Vec::new();
    file.take(limit + 1).read_to_end(&mut contents)?;
    if contents.len() as u64 > limit {
        return Err(io::Error::other(format!("larger than {limit} bytes")));
    }
    Ok(contents)
}

/// Opens a regular file for reading, links followed, and nothing else for a moment even: whoever may write
/// in the directory could have put a pipe there, which is waited for, or a link to a device that acts when
/// it is opened.
///
/// # Errors
/// It does not exist, cannot be read, or is something else than a file.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let place = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_PATH)
        .open(path)?;
    if !place.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    File::open(format!("/proc/self/fd/{}", place.as_raw_fd()))
}

/// Opens a regular file for reading, without following a link and without blocking.
fn open_plain(path: &Path) -> io::Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("not a regular file"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    const PRIVATE: FileAttributes = FileAttributes {
        mode: 0o640,
        owner: None,
    };

    #[test]
    fn a_file_is_written_with_its_mode_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        write_file(&path, b"one", PRIVATE).unwrap();
        write_file(&path, b"two", PRIVATE).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o640);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn links_lead_to_files_of_their_user_only() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "text").unwrap();
        symlink("file", &link).unwrap();
        let user = file.metadata().unwrap().uid();
        assert_eq!(read_bounded_of(&link, user, 4).unwrap(), b"text");
        assert!(read_bounded_of(&link, user, 3).is_err());
        let error = read_bounded_of(&link, user + 1, 4).unwrap_err();
        let message = error.source.to_string();
        assert!(message.contains("does not belong to user"), "{message}");
    }

    #[test]
    fn pipes_devices_and_directories_are_not_opened() {
        let directory = tempfile::tempdir().unwrap();
        let (pipe, link) = (directory.path().join("pipe"), directory.path().join("link"));
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        symlink("/dev/tty", &link).unwrap();
        for path in [&pipe, &link, directory.path()] {
            let error = open_regular(path).unwrap_err();
            assert_eq!(error.to_string(), "it is not a regular file");
        }
    }

    #[test]
    fn only_a_difference_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        assert!(write_if_changed(&path, b"one", PRIVATE).unwrap());
        let inode = path.metadata().unwrap().ino();
        assert!(!write_if_changed(&path, b"one", PRIVATE).unwrap());
        assert_eq!(path.metadata().unwrap().ino(), inode);
        assert!(write_if_changed(&path, b"two", PRIVATE).unwrap());
        assert!(
            write_if_changed(
                &path,
                b"two",
                FileAttributes {
                    mode: 0o600,
                    owner: None
                }
            )
            .unwrap()
        );
    }

    #[test]
    fn a_link_is_replaced_and_what_it_points_to_stays() {
        let directory = tempfile::tempdir().unwrap();
        let (victim, path) = (
            directory.path().join("victim"),
            directory.path().join("file"),
        );
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, &path).unwrap();
        assert!(write_if_changed(&path, b"precious", PRIVATE).unwrap());
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
        assert!(path.symlink_metadata().unwrap().is_file());
    }

    #[test]
    fn a_new_file_does_not_replace_another() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        write_new_file(&path, b"one", PRIVATE).unwrap();
        let error = write_new_file(&path, b"two", PRIVATE).unwrap_err();
        assert_eq!(error.source.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o640);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_error_names_the_file() {
        let error = write_file(Path::new("/no/such/directory/file"), b"", PRIVATE).unwrap_err();
        assert_eq!(error.to_string(), "cannot write /no/such/directory/file");
    }

    #[test]
    fn reading_refuses_links_fifos_and_floods() {
        let directory = tempfile::tempdir().unwrap();
        let in_directory = |name: &str| directory.path().join(name);
        fs::write(in_directory("file"), "12345").unwrap();
        assert_eq!(read_bounded(&in_directory("file"), 5).unwrap(), b"12345");
        assert!(read_bounded(&in_directory("file"), 4).is_err());
        symlink(in_directory("file"), in_directory("link")).unwrap();
        assert!(read_bounded(&in_directory("link"), 5).is_err());
        nix::unistd::mkfifo(&in_directory("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(read_bounded(&in_directory("fifo"), 5).is_err());
        assert!(read_bounded(directory.path(), 5).is_err());
        assert!(read_bounded(&in_directory("missing"), 5).is_err());
    }
}
