//! What is kept of promises in the partition, where the monitoring stack, the user and the tools of
//! the Python generation read it: `.slapgrid/promise/result`, `log` and `cache`.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use slapos_fs::{FileAttributes, Owner};
use time::UtcOffset;
use time::macros::format_description;

use super::history::ends_with_failures;
use super::listing::{Kind, Promise};
use super::schedule::Schedule;
use super::verdict::{self, Verdict};
use crate::partition::confined::{ConfinedDirectory, ConfinedError};
use crate::partition::log::rotate;
use crate::process::Account;

const DIRECTORY: [&str; 2] = [".slapgrid", "promise"];
const STATUS_SUFFIX: &str = ".status.json";
/// Ours have at most some 40 kB: every byte of a message may need six.
const STATUS_LIMIT: u64 = 1 << 17;
/// Longest file of the cache, in bytes: it names one path.
const SCHEDULE_LIMIT: u64 = 1 << 14;
/// After that many bytes a promise's log gets a successor.
const LOG_LIMIT: u64 = 1 << 20;
/// How much of a log's end is looked at, in bytes. An entry of ours has at most some 20 kB.
const HISTORY_LIMIT: u64 = 1 << 17;

/// What earlier runs have left of a promise.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) schedule: Option<Schedule>,
    status: Option<Status>,
}

/// The last result of a promise.
#[derive(Debug, Deserialize)]
struct StandingResult {
    failed: bool,
    #[serde(default)]
    message: Option<String>,
}

/// What is read of a status file.
#[derive(Debug, Deserialize)]
struct Status {
    result: StandingResult,
    #[serde(rename = "execution-time", default)]
    execution_time: Option<f64>,
}

impl Recorded {
    /// Whether the promise was kept when it was checked last, and else what it said; `None` if it
    /// was not checked yet.
    pub(crate) fn last_result(&self) -> Option<Result<(), String>> {
        let result = &self.status.as_ref()?.result;
        let message = || verdict::clip(result.message.as_deref().unwrap_or_default());
        Some(if result.failed {
            Err(message())
        } else {
            Ok(())
        })
    }

    /// How many seconds its last check took, if that was written down.
    pub(crate) fn seconds(&self) -> Option<f64> {
        let seconds = self.status.as_ref()?.execution_time?;
        (seconds.is_finite() && seconds >= 0.0).then_some(seconds)
    }

    /// What a promise that was not kept said. The result of one that is only checked when the
    /// instance is deployed does not stand for what is now.
    pub(crate) fn failure(&self) -> Option<String> {
        let schedule = self.schedule.as_ref();
        let stands = schedule.is_none_or(|schedule| schedule.facts.is_anomaly_detected);
        stands.then(|| self.last_result()?.err()).flatten()
    }
}

/// The records as earlier runs have left them; nothing is made or changed.
#[derive(Debug)]
pub(crate) struct EarlierRecords {
    results: Option<ConfinedDirectory>,
    cache: Option<ConfinedDirectory>,
}

impl EarlierRecords {
    pub(crate) fn open(partition: &ConfinedDirectory) -> Result<Self, ConfinedError> {
        let [outer, inner] = DIRECTORY;
        Ok(EarlierRecords {
            results: partition.below(&[outer, inner, "result"])?,
            cache: partition.below(&[outer, inner, "cache"])?,
        })
    }

    /// What is known of a promise. What cannot be read is not known.
    pub(crate) fn read(&self, promise: &Promise) -> Recorded {
        let read = |directory: &Option<ConfinedDirectory>, file: &str, limit| {
            let text = directory.as_ref()?.read(OsStr::new(file), limit);
            text.ok().flatten()
        };
        let schedule = read(&self.cache, &promise.title, SCHEDULE_LIMIT);
        let status = read(&self.results, &status_file(&promise.title), STATUS_LIMIT);
        Recorded {
            schedule: schedule.and_then(|text| serde_json::from_slice(&text).ok()),
            status: status.and_then(|text| serde_json::from_slice(&text).ok()),
        }
    }

    /// Whether there is a result of a promise that is no more.
    pub(crate) fn has_stale(&self, present: &[Promise]) -> Result<bool, ConfinedError> {
        let names = self
            .results
            .as_ref()
            .map_or_else(|| Ok(Vec::new()), ConfinedDirectory::names)?;
        Ok(names.iter().any(|file| is_stale(file, present)))
    }
}

/// The records, open to be written.
pub(crate) struct PromiseRecords {
    results: ConfinedDirectory,
    logs: ConfinedDirectory,
    cache: ConfinedDirectory,
    owner: Owner,
    utc_offset: UtcOffset,
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
        let [outer, inner] = DIRECTORY;
        let records = partition.ensure(outer, open(0o755))?;
        let records = records.ensure(inner, open(0o755))?;
        Ok(PromiseRecords {
            results: records.ensure("result", open(0o700))?,
            logs: records.ensure("log", open(0o700))?,
            cache: records.ensure("cache", open(0o700))?,
            owner,
            utc_offset,
        })
    }

    /// Whether the latest so many results in the promise's log are all failures.
    pub(crate) fn failed_lately(&self, promise: &Promise, count: usize) -> bool {
        let file = log_file(&promise.title);
        let end = |file: &str| self.logs.read_end(OsStr::new(file), HISTORY_LIMIT);
        let Ok(Some(mut text)) = end(&file) else {
            return false;
        };
        if (text.len() as u64) < HISTORY_LIMIT
            && let Ok(Some(mut before)) = end(&format!("{file}.1"))
        {
            before.append(&mut text);
            text = before;
        }
        ends_with_failures(&String::from_utf8_lossy(&text), count)
    }

    /// Adds to the log of a promise. Plugins write their own.
    pub(crate) fn log(&self, verdict: &Verdict) -> Result<(), ConfinedError> {
        if verdict.promise.kind == Kind::Plugin {
            return Ok(());
        }
        let file = log_file(&verdict.promise.title);
        rotate(&self.logs, &file, LOG_LIMIT)?;
        let mut log = self.logs.append(&file, self.attributes())?;
        log.write_all(self.log_entry(verdict).as_bytes())
            .map_err(|source| ConfinedError::Io {
                action: "write",
                path: self.logs.path().join(&file),
                source,
            })
    }

    /// Writes the result of a promise, if it gave one, and when it is checked next.
    pub(crate) fn write(&self, verdict: &Verdict) -> Result<(), ConfinedError> {
        let title = &verdict.promise.title;
        // Texts, numbers and the path, which is UTF-8 as the name is, can all be written as JSON.
        if verdict.has_result()
            && let Ok(status) = verdict.to_status()
        {
            let file = status_file(title);
            self.results
                .write(&file, status.as_bytes(), self.attributes())?;
        }
        if let Some(schedule) = &verdict.schedule
            && let Ok(text) = serde_json::to_string(schedule)
        {
            self.cache
                .write(title, text.as_bytes(), self.attributes())?;
        }
        Ok(())
    }

    fn attributes(&self) -> FileAttributes {
        FileAttributes {
            mode: 0o644,
            owner: Some(self.owner),
        }
    }

    /// `2026-11-23 21:49:55 - ERROR - 1795470595-042 - what it printed`.
    fn log_entry(&self, verdict: &Verdict) -> String {
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
        let local = verdict.ended_at.to_offset(self.utc_offset);
        let level = if verdict.is_kept() { "INFO" } else { "ERROR" };
        let (unix, number) = (
            verdict.ended_at.unix_timestamp(),
            verdict.ended_at.millisecond(),
        );
        let date = local.format(format).unwrap_or_default();
        let message = verdict.status_message();
        format!("{date} - {level} - {unix}-{number:03} - {message}\n")
    }

    /// Removes what is left of promises that are no more, but for their logs.
    pub(crate) fn forget_others(&self, present: &[Promise]) -> Result<(), ConfinedError> {
        for file in self.results.names()? {
            if is_stale(&file, present) {
                self.results.remove(&file)?;
            }
        }
        for file in self.cache.names()? {
            if !file
                .to_str()
                .is_some_and(|title| is_present(title, present))
            {
                self.cache.remove(&file)?;
            }
        }
        Ok(())
    }
}

/// Where the logs of a partition's promises are.
pub(crate) fn log_directory(partition: &Path) -> PathBuf {
    let [outer, inner] = DIRECTORY;
    partition.join(outer).join(inner).join("log")
}

fn status_file(title: &str) -> String {
    format!("{title}{STATUS_SUFFIX}")
}

fn log_file(title: &str) -> String {
    format!("{title}.log")
}

/// Whether a file of the results is about a promise that is no more.
fn is_stale(file: &OsString, present: &[Promise]) -> bool {
    let title = file
        .to_str()
        .and_then(|file| file.strip_suffix(STATUS_SUFFIX));
    title.is_some_and(|title| !is_present(title, present))
}

fn is_present(title: &str, present: &[Promise]) -> bool {
    present.iter().any(|promise| promise.title == title)
}
