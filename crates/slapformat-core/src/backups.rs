//! The files beside `computer_xml`: its versions of before, the plan of an unfinished run, the lock.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use slapos_fs::{FileAttributes, WriteError, write_file};

/// How many versions are kept beside the present one.
const VERSIONS: usize = 10;
/// Mode of the backups: that of the file itself.
const MODE: u32 = 0o644;

/// A version of before could not be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The present version cannot be read, or one of before not renamed.
    #[error("cannot keep the present version of {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The copy cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// The file that holds what an unfinished run was about to do; it is gone after a finished one.
pub(crate) fn unfinished(computer_xml: &Path) -> PathBuf {
    beside(computer_xml, "unfinished")
}

/// The file whose lock keeps other runs away.
pub(crate) fn lock(computer_xml: &Path) -> PathBuf {
    beside(computer_xml, "lock")
}

fn beside(path: &Path, suffix: impl std::fmt::Display) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{suffix}"));
    name.into()
}

/// What can be done about a corrupt file.
pub(crate) fn hint(path: &Path) -> String {
    let present = (1..=VERSIONS)
        .map(|number| beside(path, number))
        .filter(|backup| backup.exists());
    let names: Vec<_> = present.map(|backup| backup.display().to_string()).collect();
    match names.as_slice() {
        [] => "restore it from a backup, or move it away to begin anew".to_owned(),
        [only] => format!("its version of before is {only}"),
        [newest, .., oldest] => {
            format!("its versions of before are {newest} (the newest) to {oldest}")
        }
    }
}

/// Keeps the present version as number 1, that of before as number 2, and so on. Killed in
/// between, it loses none: only the numbers up to the first free one move.
pub(crate) fn keep(path: &Path) -> Result<(), BackupError> {
    let failed = |source| BackupError::Io {
        path: path.to_owned(),
        source,
    };
    let present = fs::read(path).map_err(failed)?;
    if fs::read(beside(path, 1)).is_ok_and(|newest| newest == present) {
        return Ok(());
    }
    let numbered = |number: usize| beside(path, number);
    let free = (1..VERSIONS).find(|number| !numbered(*number).exists());
    for number in (1..free.unwrap_or(VERSIONS)).rev() {
        fs::rename(numbered(number), numbered(number + 1)).map_err(failed)?;
    }
    let attributes = FileAttributes {
        mode: MODE,
        owner: None,
    };
    Ok(write_file(&numbered(1), &present, attributes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(path: &Path, number: usize) -> Option<String> {
        fs::read_to_string(beside(path, number)).ok()
    }

    #[test]
    fn ten_versions_are_kept_and_the_same_is_not_kept_twice() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("computer.xml");
        for number in 0..13 {
            fs::write(&path, number.to_string()).unwrap();
            keep(&path).unwrap();
            keep(&path).unwrap();
        }
        assert_eq!(version(&path, 1).as_deref(), Some("12"));
        assert_eq!(version(&path, 10).as_deref(), Some("3"));
        assert_eq!(version(&path, 11), None);
        let hint = hint(&path);
        assert!(hint.contains("computer.xml.1 (the newest)") && hint.contains("computer.xml.10"));
    }

    #[test]
    fn a_gap_that_a_killed_run_left_is_filled_and_nothing_is_lost() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("computer.xml");
        for (number, text) in [(1, "b"), (3, "a")] {
            fs::write(beside(&path, number), text).unwrap();
        }
        fs::write(&path, "c").unwrap();
        keep(&path).unwrap();
        let versions: Vec<_> = (1..=4).map(|number| version(&path, number)).collect();
        assert_eq!(
            versions,
            [Some("c"), Some("b"), Some("a"), None].map(|v| v.map(str::to_owned))
        );
    }
}
