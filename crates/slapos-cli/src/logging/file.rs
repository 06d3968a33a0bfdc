//! A log file that may be renamed, by logrotate for example, while it is written.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::LogError;

/// What has the name of the log file.
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
}

impl LogFile {
    /// Opens it, or makes it.
    pub(super) fn open(path: &Path) -> Result<Self, LogError> {
        let file = open(path).map_err(|source| LogError {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Looks whether the name denotes another file by now. One that cannot be opened is no reason to
    /// lose a line: the file of before is still there.
    fn follow(&mut self) {
        if !self.is_named()
            && let Ok(file) = open(&self.path)
        {
            self.file = file;
        }
    }

    fn is_named(&self) -> bool {
        match (self.path.metadata(), self.file.metadata()) {
            (Ok(named), Ok(open)) => (named.dev(), named.ino()) == (open.dev(), open.ino()),
            _ => false,
        }
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.follow();
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_follow_the_name() {
        let directory = tempfile::tempdir().unwrap();
        let (path, old) = (directory.path().join("log"), directory.path().join("log.1"));
        let mut log = LogFile::open(&path).unwrap();
        log.write_all(b"one\n").unwrap();
        fs::rename(&path, &old).unwrap();
        log.write_all(b"two\n").unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "made by logrotate\n").unwrap();
        log.write_all(b"three\n").unwrap();
        assert_eq!(fs::read_to_string(&old).unwrap(), "one\n");
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "made by logrotate\nthree\n");
    }

    #[test]
    fn no_line_is_lost_where_no_other_file_can_be_made() {
        let directory = tempfile::tempdir().unwrap();
        let (place, moved) = (directory.path().join("var"), directory.path().join("old"));
        fs::create_dir(&place).unwrap();
        let mut log = LogFile::open(&place.join("log")).unwrap();
        fs::rename(&place, &moved).unwrap();
        log.write_all(b"one\n").unwrap();
        assert_eq!(fs::read_to_string(moved.join("log")).unwrap(), "one\n");
    }
}
