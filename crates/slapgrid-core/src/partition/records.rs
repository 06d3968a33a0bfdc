//! The small files by which one run of slapgrid tells the next one what it did in a partition.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use slapos_fs::FileAttributes;

use super::confined::{ConfinedDirectory, ConfinedError};

/// The master's timestamp of what was processed last, written only after success.
const TIMESTAMP: &str = ".timestamp";
/// The timestamp of the run of which the master was told that a service ended.
const LATEST_BANG: &str = ".slapos_latest_bang_timestamp";
/// A master's timestamp is a number as text.
const TIMESTAMP_LIMIT: u64 = 256;
/// The most that is read of the references that an instance requested.
const TRANSACTION_LIMIT: u64 = 1 << 20;
/// The most that is kept of the last error, in bytes.
const ERROR_LIMIT: usize = 1 << 16;
/// Full names of programs that must have ended before the partition is emptied.
const REPORT_WAIT_LIST: &str = ".slapos-report-wait-service-list";
const READABLE: FileAttributes = FileAttributes {
    mode: 0o644,
    owner: None,
};

/// The timestamp that was processed last; `None` also where the file cannot be one.
pub(crate) fn timestamp(partition: &ConfinedDirectory) -> Result<Option<String>, ConfinedError> {
    match partition.read(OsStr::new(TIMESTAMP), TIMESTAMP_LIMIT) {
        Ok(text) => Ok(text.and_then(|text| String::from_utf8(text).ok())),
        Err(ConfinedError::NotRegular { .. } | ConfinedError::TooLarge { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// When the last success was, as Unix time.
pub(crate) fn processed_at(partition: &ConfinedDirectory) -> Result<Option<i64>, ConfinedError> {
    use std::os::unix::fs::MetadataExt as _;
    Ok(partition
        .metadata(OsStr::new(TIMESTAMP))?
        .map(|metadata| metadata.mtime()))
}

/// Records success.
pub(crate) fn record_timestamp(
    partition: &ConfinedDirectory,
    timestamp: &str,
) -> Result<(), ConfinedError> {
    partition.write(TIMESTAMP, timestamp.as_bytes(), READABLE)?;
    Ok(())
}

/// Forgets the last success: from now on the partition counts as not processed.
pub(crate) fn forget_timestamp(partition: &ConfinedDirectory) -> Result<bool, ConfinedError> {
    partition.remove(OsStr::new(TIMESTAMP))
}

/// Whether the master was told already that a service ended since the last success. It is not told
/// twice: what it can do about it is the run that follows.
pub(crate) fn has_banged(partition: &ConfinedDirectory) -> Result<bool, ConfinedError> {
    let bang = match partition.read(OsStr::new(LATEST_BANG), TIMESTAMP_LIMIT) {
        Ok(Some(text)) => String::from_utf8_lossy(&text).into_owned(),
        Ok(None) | Err(ConfinedError::NotRegular { .. } | ConfinedError::TooLarge { .. }) => {
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    let Some(success) = timestamp(partition)? else {
        return Ok(true);
    };
    let number = |text: &str| text.trim().parse::<f64>().ok();
    Ok(match (number(&success), number(&bang)) {
        (Some(success), Some(bang)) => success <= bang,
        _ => success == bang,
    })
}

/// Records that the master was told.
pub(crate) fn record_bang(partition: &ConfinedDirectory) -> Result<(), ConfinedError> {
    let timestamp = timestamp(partition)?.unwrap_or_else(|| "0".to_owned());
    partition.write(LATEST_BANG, timestamp.as_bytes(), READABLE)?;
    Ok(())
}

/// Keeps the end of the error of an installation for the user of the partition.
pub(crate) fn record_error(
    partition: &ConfinedDirectory,
    name: &str,
    error: &str,
) -> Result<(), ConfinedError> {
    let start = error.len().saturating_sub(ERROR_LIMIT);
    partition.write(&error_file(name), &error.as_bytes()[start..], READABLE)?;
    Ok(())
}

/// Removes the error of the last installation.
pub(crate) fn forget_error(
    partition: &ConfinedDirectory,
    name: &str,
) -> Result<bool, ConfinedError> {
    partition.remove(OsStr::new(&error_file(name)))
}

/// The references that the instance requested in this run, in order and each once; `None` if it requested nothing
/// through a library that writes them down.
pub(crate) fn requested_references(
    partition: &ConfinedDirectory,
    name: &str,
) -> Result<Option<Vec<String>>, ConfinedError> {
    let Some(text) = partition.read(OsStr::new(&transaction_file(name)), TRANSACTION_LIMIT)? else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&text);
    let mut seen = BTreeSet::new();
    let references = text
        .lines()
        .filter(|line| !line.is_empty() && seen.insert(*line));
    Ok(Some(references.map(str::to_owned).collect()))
}

/// Forgets what earlier runs requested.
pub(crate) fn forget_requested_references(
    partition: &ConfinedDirectory,
    name: &str,
) -> Result<bool, ConfinedError> {
    partition.remove(OsStr::new(&transaction_file(name)))
}

/// Adds names of programs to those that destruction waits for.
pub(crate) fn record_wait_list(
    partition: &ConfinedDirectory,
    names: &[String],
) -> Result<(), ConfinedError> {
    let mut list = report_wait_list(partition)?;
    list.extend(names.iter().cloned());
    list.sort();
    list.dedup();
    let text = list.join("\n") + "\n";
    partition.write(REPORT_WAIT_LIST, text.as_bytes(), READABLE)?;
    Ok(())
}

/// Full names (`GROUP:PROGRAM`) of the programs that destruction waits for.
pub(crate) fn report_wait_list(
    partition: &ConfinedDirectory,
) -> Result<Vec<String>, ConfinedError> {
    let text = partition
        .read(OsStr::new(REPORT_WAIT_LIST), TRANSACTION_LIMIT)?
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    Ok(text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect())
}

fn error_file(name: &str) -> String {
    format!(".slapgrid-{name}-error.log")
}

/// Written by the slap libraries of the instance.
fn transaction_file(name: &str) -> String {
    format!(".slapos-request-transaction-{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn partition() -> (tempfile::TempDir, ConfinedDirectory) {
        let directory = tempfile::tempdir().unwrap();
        let opened = ConfinedDirectory::open(directory.path()).unwrap();
        (directory, opened)
    }

    #[test]
    fn one_bang_for_each_success() {
        let (directory, partition) = partition();
        assert!(!has_banged(&partition).unwrap());
        record_bang(&partition).unwrap();
        assert!(has_banged(&partition).unwrap());
        for timestamp in ["1700000000", "1700000001.5"] {
            record_timestamp(&partition, timestamp).unwrap();
            assert!(!has_banged(&partition).unwrap(), "{timestamp}");
            record_bang(&partition).unwrap();
            assert!(has_banged(&partition).unwrap(), "{timestamp}");
        }
        forget_timestamp(&partition).unwrap();
        assert!(has_banged(&partition).unwrap(), "during the run");
        fs::remove_file(directory.path().join(LATEST_BANG)).unwrap();
        symlink("/etc/passwd", directory.path().join(LATEST_BANG)).unwrap();
        assert!(!has_banged(&partition).unwrap(), "a link is no record");
    }

    #[test]
    fn timestamps_are_kept_exactly() {
        let (_directory, partition) = partition();
        assert_eq!(timestamp(&partition).unwrap(), None);
        record_timestamp(&partition, "1795470535.3040676").unwrap();
        assert_eq!(
            timestamp(&partition).unwrap().as_deref(),
            Some("1795470535.3040676")
        );
        assert!(processed_at(&partition).unwrap().is_some());
        assert!(forget_timestamp(&partition).unwrap());
        assert!(!forget_timestamp(&partition).unwrap());
    }

    #[test]
    fn what_cannot_be_a_timestamp_is_none() {
        let (directory, partition) = partition();
        let path = directory.path().join(TIMESTAMP);
        fs::write(&path, "1".repeat(10_000)).unwrap();
        assert_eq!(timestamp(&partition).unwrap(), None);
        fs::remove_file(&path).unwrap();
        symlink("/etc/hostname", &path).unwrap();
        assert_eq!(timestamp(&partition).unwrap(), None);
        nix::unistd::unlink(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(timestamp(&partition).unwrap(), None);
    }

    #[test]
    fn recording_replaces_a_link_and_not_its_target() {
        let (directory, partition) = partition();
        let target = directory.path().join("target");
        fs::write(&target, "precious").unwrap();
        symlink(&target, directory.path().join(TIMESTAMP)).unwrap();
        record_timestamp(&partition, "1").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
        assert_eq!(timestamp(&partition).unwrap().as_deref(), Some("1"));
    }

    #[test]
    fn the_end_of_the_error_is_kept() {
        let (directory, partition) = partition();
        record_error(
            &partition,
            "slappart0",
            &format!("{}the cause", "x".repeat(ERROR_LIMIT)),
        )
        .unwrap();
        let text =
            fs::read_to_string(directory.path().join(".slapgrid-slappart0-error.log")).unwrap();
        assert_eq!(text.len(), ERROR_LIMIT);
        assert!(text.ends_with("the cause"));
        assert!(forget_error(&partition, "slappart0").unwrap());
    }

    #[test]
    fn references_are_read_once_each() {
        let (directory, partition) = partition();
        assert_eq!(requested_references(&partition, "slappart0").unwrap(), None);
        let path = directory
            .path()
            .join(".slapos-request-transaction-slappart0");
        fs::write(&path, "").unwrap();
        assert_eq!(
            requested_references(&partition, "slappart0").unwrap(),
            Some(vec![])
        );
        fs::write(&path, "b\na\nb\n\n").unwrap();
        let expected = Some(vec!["b".to_owned(), "a".to_owned()]);
        assert_eq!(
            requested_references(&partition, "slappart0").unwrap(),
            expected
        );
    }

    #[test]
    fn references_are_not_read_through_a_link() {
        let (directory, partition) = partition();
        symlink(
            "/etc/passwd",
            directory
                .path()
                .join(".slapos-request-transaction-slappart0"),
        )
        .unwrap();
        let error = requested_references(&partition, "slappart0").unwrap_err();
        assert!(matches!(error, ConfinedError::NotRegular { .. }), "{error}");
    }
}
