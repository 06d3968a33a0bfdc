//! Files that are written piece by piece and have their name only when they are whole.

use std::fs::{self, DirEntry, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::{FileAttributes, WriteError, step};

/// How names of unfinished files begin.
const PREFIX: &str = ".slapos-new-";
/// Nobody writes one of the files of [`remove_abandoned`] for that long.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// A file that is being written. Dropping it removes it; a kill leaves it to
/// [`remove_unfinished`] and [`remove_abandoned`].
#[derive(Debug)]
pub struct NewFile {
    file: NamedTempFile,
    directory: PathBuf,
}

impl NewFile {
    /// Begins a file in a directory, under a name of its own.
    ///
    /// # Errors
    /// The directory does not exist or cannot be written, or the owner cannot be set.
    pub fn create_in(directory: &Path, attributes: FileAttributes) -> Result<Self, WriteError> {
        create(directory, attributes).map_err(|source| WriteError {
            path: directory.to_owned(),
            source,
        })
    }

    /// Gives the file its name in its directory, on the disk with all that was written. A file or
    /// link of this name is replaced.
    ///
    /// # Errors
    /// The disk is full or fails; nothing of this name has changed then.
    pub fn keep_as(self, name: &str) -> Result<(), WriteError> {
        let path = self.directory.join(name);
        self.keep_at(&path)
            .map_err(|source| WriteError { path, source })
    }

    /// As [`NewFile::keep_as`]; the path is in the same directory.
    pub(crate) fn keep_at(self, path: &Path) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        step("wrote, without its name,", path);
        self.file.persist(path).map_err(|error| error.error)?;
        step("wrote", path);
        File::open(&self.directory)?.sync_all()
    }

    /// As [`NewFile::keep_at`], unless something has that name.
    pub(crate) fn keep_new_at(self, path: &Path) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        let kept = self.file.persist_noclobber(path);
        kept.map_err(|error| error.error)?;
        File::open(&self.directory)?.sync_all()
    }
}

pub(crate) fn create(directory: &Path, attributes: FileAttributes) -> io::Result<NewFile> {
    let file = tempfile::Builder::new()
        .prefix(PREFIX)
        .make_in(directory, unnamed)?;
    if let Some(owner) = attributes.owner {
        std::os::unix::fs::fchown(file.as_file(), Some(owner.uid), Some(owner.gid))?;
    }
    let mode = Permissions::from_mode(attributes.mode);
    file.as_file().set_permissions(mode)?;
    Ok(NewFile {
        file,
        directory: directory.to_owned(),
    })
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file().flush()
    }
}

/// Removes what a kill left of unfinished files in a directory that only the caller writes to;
/// says how many there were.
///
/// # Errors
/// The directory cannot be read, or a file cannot be removed.
pub fn remove_unfinished(directory: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if is_unfinished(&entry) {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Removes what kills left of unfinished files in a directory that others write to as well: what
/// nobody can be writing any more, by its age. It only takes space, so that nothing depends on it.
pub fn remove_abandoned(directory: &Path) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries.filter(is_unfinished) {
        if is_abandoned(&entry) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_unfinished(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

fn is_abandoned(entry: &DirEntry) -> bool {
    let modified = entry.metadata().and_then(|metadata| metadata.modified());
    modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age >= ABANDONED))
}

/// As `tempfile` opens its files, whose errors would add the name that nobody knows.
fn unnamed(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(true).mode(0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const READABLE: FileAttributes = FileAttributes {
        mode: 0o644,
        owner: None,
    };

    #[test]
    fn a_file_has_its_name_only_when_it_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("whole");
        let mut file = NewFile::create_in(directory.path(), READABLE).unwrap();
        file.write_all(b"one ").unwrap();
        file.write_all(b"two").unwrap();
        assert!(!path.exists());
        file.keep_as("whole").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one two");
        assert_eq!(
            path.metadata().unwrap().permissions().mode() & 0o7777,
            0o644
        );
    }

    #[test]
    fn what_was_given_up_or_left_by_a_kill_goes() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("kept"), "").unwrap();
        drop(NewFile::create_in(directory.path(), READABLE).unwrap());
        assert_eq!(remove_unfinished(directory.path()).unwrap(), 0);
        let unfinished = NewFile::create_in(directory.path(), READABLE).unwrap();
        unfinished.file.keep().unwrap();
        assert_eq!(remove_unfinished(directory.path()).unwrap(), 1);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_may_be_written_still_is_not_abandoned() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(format!("{PREFIX}{name}"));
        let old = std::time::SystemTime::now() - 2 * ABANDONED;
        for name in ["old", "new"] {
            let file = File::create(path(name)).unwrap();
            if name == "old" {
                file.set_modified(old).unwrap();
            }
        }
        remove_abandoned(directory.path());
        assert!(path("new").exists() && !path("old").exists());
        remove_abandoned(Path::new("/no/such"));
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let error = NewFile::create_in(Path::new("/no/such"), READABLE).unwrap_err();
        assert_eq!(error.to_string(), "cannot write /no/such");
        let expected = io::Error::from_raw_os_error(2).to_string();
        assert_eq!(error.source.to_string(), expected);
    }
}
