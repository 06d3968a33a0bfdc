//! What happened to an instance, for its user: `.slapgrid/log/instance.log`.
//!
//! Everything that is said of a partition goes to slapgrid's own log too, under the partition's name.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::Write;
use std::sync::Mutex;

use log::Level;
use slapos_fs::{FileAttributes, Owner};
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

use super::confined::{ConfinedDirectory, ConfinedError};
use crate::process::{Account, Line};

const FILE: &str = "instance.log";
/// After that many bytes the log gets a successor.
const LIMIT: u64 = 20_000_000;

/// The log of one partition.
pub(crate) struct InstanceLog<'a> {
    reference: &'a str,
    utc_offset: UtcOffset,
    file: Mutex<Option<LogFile>>,
}

struct LogFile {
    directory: ConfinedDirectory,
    attributes: FileAttributes,
    file: File,
    length: u64,
}

impl<'a> InstanceLog<'a> {
    /// Opens the log of a partition. Where its user made that impossible, the partition is still worked on, and
    /// only slapgrid's log tells of it.
    pub(crate) fn open(
        reference: &'a str,
        partition: &ConfinedDirectory,
        account: &Account,
        utc_offset: UtcOffset,
    ) -> Self {
        let file = LogFile::open(partition, account);
        let file = file.inspect_err(|error| {
            let error = crate::outcome::error_chain(error);
            log::warn!(target: reference, "there will be no {FILE}: {error}");
        });
        InstanceLog {
            reference,
            utc_offset,
            file: Mutex::new(file.ok()),
        }
    }

    pub(crate) fn info(&self, message: impl fmt::Display) {
        self.write(Level::Info, &message);
    }

    pub(crate) fn warn(&self, message: impl fmt::Display) {
        self.write(Level::Warn, &message);
    }

    pub(crate) fn error(&self, message: impl fmt::Display) {
        self.write(Level::Error, &message);
    }

    /// Writes what a program prints.
    pub(crate) fn output(&self, line: Line<'_>) {
        self.info(line.text);
    }

    fn write(&self, level: Level, message: &dyn fmt::Display) {
        log::log!(target: self.reference, level, "{message}");
        self.record(level, message);
    }

    /// Writes what slapgrid's own log gets elsewhere.
    pub(crate) fn record(&self, level: Level, message: &dyn fmt::Display) {
        let now = OffsetDateTime::now_utc().to_offset(self.utc_offset);
        let line = entry(now, level, message);
        // A thread that panicked while it held the lock has at worst cut a line.
        let mut file = self
            .file
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(open) = file.as_mut()
            && let Err(error) = open.append(line.as_bytes())
        {
            let error = crate::outcome::error_chain(&error);
            log::warn!(target: self.reference, "{FILE} ends here: {error}");
            *file = None;
        }
    }
}

impl LogFile {
    fn open(partition: &ConfinedDirectory, account: &Account) -> Result<Self, ConfinedError> {
        let (uid, gid) = account.ids();
        let owned = |mode| FileAttributes {
            mode,
            owner: Some(Owner { uid, gid }),
        };
        let directory = partition.ensure(".slapgrid", owned(0o755))?;
        let directory = directory.ensure("log", owned(0o700))?;
        let attributes = owned(0o644);
        let (file, length) = open(&directory, attributes)?;
        Ok(LogFile {
            directory,
            attributes,
            file,
            length,
        })
    }

    fn append(&mut self, line: &[u8]) -> Result<(), ConfinedError> {
        if self.length >= LIMIT {
            (self.file, self.length) = open(&self.directory, self.attributes)?;
        }
        self.file
            .write_all(line)
            .map_err(|source| ConfinedError::Io {
                action: "write",
                path: self.directory.path().join(FILE),
                source,
            })?;
        self.length += line.len() as u64;
        Ok(())
    }
}

fn open(
    directory: &ConfinedDirectory,
    attributes: FileAttributes,
) -> Result<(File, u64), ConfinedError> {
    rotate(directory, FILE, LIMIT)?;
    let file = directory.append(FILE, attributes)?;
    let length = directory
        .metadata(OsStr::new(FILE))?
        .map_or(0, |metadata| metadata.len());
    Ok((file, length))
}

/// Renames a file of at least `limit` bytes to `NAME.1`.
pub(crate) fn rotate(
    directory: &ConfinedDirectory,
    name: &str,
    limit: u64,
) -> Result<(), ConfinedError> {
    let metadata = directory.metadata(OsStr::new(name))?;
    if metadata.is_some_and(|metadata| metadata.is_file() && metadata.len() >= limit) {
        directory.rename(name, &format!("{name}.1"))?;
    }
    Ok(())
}

/// `[2026-11-23 21:48:56,097] INFO     slapos MESSAGE`.
fn entry(now: OffsetDateTime, level: Level, message: &dyn fmt::Display) -> String {
    let format =
        format_description!("[year]-[month]-[day] [hour]:[minute]:[second],[subsecond digits:3]");
    let date = now.format(format).unwrap_or_default();
    let level = match level {
        Level::Error => "ERROR",
        Level::Warn => "WARNING",
        Level::Info => "INFO",
        Level::Debug | Level::Trace => "DEBUG",
    };
    format!("[{date}] {level:<8} slapos {message}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;
    use time::macros::datetime;

    fn partition() -> (tempfile::TempDir, ConfinedDirectory, Account) {
        let directory = tempfile::tempdir().unwrap();
        let opened = ConfinedDirectory::open(directory.path()).unwrap();
        let account = Account::owner_of(directory.path()).unwrap();
        (directory, opened, account)
    }

    #[test]
    fn entries_have_the_layout_that_users_know() {
        let date = datetime!(2026-11-23 21:48:56.097_4 +1);
        assert_eq!(
            entry(date, Level::Info, &"x"),
            "[2026-11-23 21:48:56,097] INFO     slapos x\n"
        );
        assert_eq!(
            entry(date, Level::Warn, &"x"),
            "[2026-11-23 21:48:56,097] WARNING  slapos x\n"
        );
    }

    #[test]
    fn lines_are_added_to_those_of_before() {
        let (directory, partition, account) = partition();
        for line in ["one", "two"] {
            InstanceLog::open("slappart0", &partition, &account, UtcOffset::UTC).info(line);
        }
        let text = fs::read_to_string(directory.path().join(".slapgrid/log/instance.log")).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.ends_with("slapos two\n"), "{text}");
    }

    #[test]
    fn a_long_log_gets_a_successor() {
        let (directory, partition, account) = partition();
        let log = InstanceLog::open("slappart0", &partition, &account, UtcOffset::UTC);
        let logs = directory.path().join(".slapgrid/log");
        for _ in 0..=LIMIT / (1 << 20) + 1 {
            log.info("x".repeat(1 << 20));
        }
        assert!(fs::metadata(logs.join("instance.log.1")).unwrap().len() >= LIMIT);
        assert!(fs::metadata(logs.join("instance.log")).unwrap().len() < LIMIT);
    }

    #[test]
    fn a_link_in_place_of_the_log_is_not_followed() {
        let (directory, partition, account) = partition();
        let victim = directory.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        fs::create_dir_all(directory.path().join(".slapgrid/log")).unwrap();
        symlink(&victim, directory.path().join(".slapgrid/log/instance.log")).unwrap();
        InstanceLog::open("slappart0", &partition, &account, UtcOffset::UTC).info("one");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    }

    #[test]
    fn another_name_of_a_foreign_file_is_not_written_to() {
        let (directory, partition, account) = partition();
        let victim = directory.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        fs::create_dir_all(directory.path().join(".slapgrid/log")).unwrap();
        fs::hard_link(&victim, directory.path().join(".slapgrid/log/instance.log")).unwrap();
        InstanceLog::open("slappart0", &partition, &account, UtcOffset::UTC).info("one");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    }

    #[test]
    fn a_link_in_place_of_a_directory_only_costs_the_file() {
        let (directory, partition, account) = partition();
        let elsewhere = tempfile::tempdir().unwrap();
        symlink(elsewhere.path(), directory.path().join(".slapgrid")).unwrap();
        InstanceLog::open("slappart0", &partition, &account, UtcOffset::UTC).info("one");
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }
}
