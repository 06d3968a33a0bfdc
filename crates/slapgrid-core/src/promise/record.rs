//! What is kept of promises in the partition, where the monitoring stack and the user read it.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use slapos_fs::{FileAttributes, Owner};
use time::UtcOffset;
use time::macros::format_description;

use super::verdict::Verdict;
use crate::partition::confined::{ConfinedDirectory, ConfinedError};
use crate::partition::log::rotate;
use crate::process::Account;

const STATUS_SUFFIX: &str = ".status.json";
/// Ours have at most some 40 kB: every byte of a message may need six.
const STATUS_LIMIT: u64 = 1 << 17;
/// After that many bytes a promise's log gets a successor.
const LOG_LIMIT: u64 = 1 << 20;

/// The results and logs of a partition's promises.
pub(crate) struct PromiseRecords {
    results: ConfinedDirectory,
    logs: ConfinedDirectory,
    owner: Owner,
    utc_offset: UtcOffset,
}

/// What is read of a status file.
#[derive(Deserialize)]
struct Status {
    result: StatusResult,
}

#[derive(Deserialize)]
struct StatusResult {
    failed: bool,
}

impl PromiseRecords {
    /// Opens the records, which are made where they are missing.
    pub(crate) fn open(
        partition: &ConfinedDirectory,
        account: &Account,
        utc_offset: UtcOffset,
    ) -> Result<Self, ConfinedError> {
        let (uid, gid) = account.ids();
        let owner = Owner { uid, gid };
        let open = |mode| FileAttributes {
            mode,
            owner: Some(owner),
        };
        let records = partition.ensure(".slapgrid", open(0o755))?;
        let records = records.ensure("promise", open(0o755))?;
        Ok(PromiseRecords {
            results: records.ensure("result", open(0o700))?,
            logs: records.ensure("log", open(0o700))?,
            owner,
            utc_offset,
        })
    }

    /// Whether the promise was kept when it was last checked, at most `age` before `now`.
    pub(crate) fn kept_lately(&self, name: &str, now: SystemTime, age: Duration) -> bool {
        let file = format!("{name}{STATUS_SUFFIX}");
        let file = OsStr::new(&file);
        let written = self.results.metadata(file).ok().flatten();
        let written = written.and_then(|metadata| metadata.modified().ok());
        // A time in the future is no reason to trust the result forever.
        let fresh = written.is_some_and(|at| now.duration_since(at).is_ok_and(|past| past < age));
        fresh && self.was_kept(file)
    }

    fn was_kept(&self, file: &OsStr) -> bool {
        let Ok(Some(text)) = self.results.read(file, STATUS_LIMIT) else {
            return false;
        };
        serde_json::from_slice::<Status>(&text).is_ok_and(|status| !status.result.failed)
    }

    /// Writes the result and adds to the log of the promise.
    pub(crate) fn write(&self, verdict: &Verdict) -> Result<(), ConfinedError> {
        let attributes = FileAttributes {
            mode: 0o644,
            owner: Some(self.owner),
        };
        // Texts, numbers and the path, which is UTF-8 as the name is, can all be written as JSON.
        if let Ok(status) = verdict.to_status() {
            let file = format!("{}{STATUS_SUFFIX}", verdict.name);
            self.results.write(&file, status.as_bytes(), attributes)?;
        }
        let file = format!("{}.log", verdict.name);
        rotate(&self.logs, &file, LOG_LIMIT)?;
        let mut log = self.logs.append(&file, attributes)?;
        log.write_all(self.log_entry(verdict).as_bytes())
            .map_err(|source| ConfinedError::Io {
                action: "write",
                path: self.logs.path().join(&file),
                source,
            })
    }

    /// `2026-11-23 21:49:55 - ERROR - 1795470595 - what it printed`.
    fn log_entry(&self, verdict: &Verdict) -> String {
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
        let local = verdict.started_at.to_offset(self.utc_offset);
        let level = if verdict.is_kept() { "INFO" } else { "ERROR" };
        let message = if verdict.is_kept() {
            verdict.message.clone()
        } else {
            verdict.describe()
        };
        let unix = verdict.started_at.unix_timestamp();
        let date = local.format(format).unwrap_or_default();
        format!("{date} - {level} - {unix} - {message}\n")
    }

    /// Removes the results of promises that are no more.
    pub(crate) fn forget_others(&self, present: &[String]) -> Result<(), ConfinedError> {
        for file in self.results.names()? {
            let is_present = |name: &str| present.iter().any(|present| present == name);
            if promise_of(&file).is_some_and(|name| !is_present(name)) {
                self.results.remove(&file)?;
            }
        }
        Ok(())
    }
}

/// The promise that a status file is about.
fn promise_of(file: &OsString) -> Option<&str> {
    file.to_str()?.strip_suffix(STATUS_SUFFIX)
}
