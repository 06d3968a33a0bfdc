//! Promises: the executables of an instance that say whether it is healthy.

mod record;
mod verdict;

use std::ffi::OsString;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use time::{OffsetDateTime, UtcOffset};

use crate::environment::Environment;
use crate::outcome::error_chain;
use crate::partition::confined::{ConfinedDirectory, ConfinedError};
use crate::partition::log::InstanceLog;
use crate::process::{self, Account, Interruption, ProcessError, Program};
use record::PromiseRecords;
pub(crate) use verdict::{Conclusion, Verdict};

/// How many promises of one partition run at the same time: most of them wait for an answer.
const PARALLEL: usize = 8;
/// While nothing changes, a promise that was kept is not checked again sooner than after that time.
const PERIOD: Duration = Duration::from_secs(120);
/// Bits of a mode that let somebody execute a file.
const EXECUTABLE: u32 = 0o111;

/// Why a partition's promises are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// The instance was just installed and started: all are checked.
    Deployment,
    /// Nothing changed: those that were kept lately are not checked again.
    Watch,
}

/// The promises of a partition could not be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum PromiseError {
    /// The directory of the promises could not be listed.
    #[error("cannot list the promises")]
    List {
        /// Why.
        source: ConfinedError,
    },
    /// The results could not be written.
    #[error("cannot record the results of the promises")]
    Record {
        /// Why.
        source: ConfinedError,
    },
    /// slapgrid was told to end.
    #[error("the check of the promises was interrupted")]
    Interrupted,
}

/// The promises of one partition.
pub(crate) struct Promises<'a> {
    pub(crate) directory: &'a ConfinedDirectory,
    pub(crate) account: &'a Account,
    /// For each promise.
    pub(crate) timeout: Duration,
    pub(crate) interruption: &'a Interruption,
    pub(crate) log: &'a InstanceLog<'a>,
    pub(crate) utc_offset: UtcOffset,
    /// Told to promises as `SLAPGRID_INSTANCE_ROOT`.
    pub(crate) environment: &'a Environment,
}

impl Promises<'_> {
    /// Runs the promises that are due and returns those that are not kept, sorted by name.
    pub(crate) fn check(&self, occasion: Occasion) -> Result<Vec<Verdict>, PromiseError> {
        self.warn_of_plugins()?;
        let names = self.names()?;
        let record_error = |source| PromiseError::Record { source };
        let records = PromiseRecords::open(self.directory, self.account, self.utc_offset);
        let records = records.map_err(record_error)?;
        records.forget_others(&names).map_err(record_error)?;
        let now = SystemTime::now();
        let is_due = |name: &String| {
            occasion == Occasion::Deployment || !records.kept_lately(name, now, PERIOD)
        };
        let due = names.into_iter().filter(is_due).collect();
        let mut verdicts = self.run_all(due)?;
        for verdict in &verdicts {
            records.write(verdict).map_err(record_error)?;
        }
        verdicts.retain(|verdict| !verdict.is_kept());
        Ok(verdicts)
    }

    fn names(&self) -> Result<Vec<String>, PromiseError> {
        let list_error = |source| PromiseError::List { source };
        let directory = self
            .directory
            .below(&["etc", "promise"])
            .map_err(list_error)?;
        let Some(directory) = directory else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        for name in directory.names().map_err(list_error)? {
            if self.is_promise(&directory, &name).map_err(list_error)?
                && let Ok(name) = name.into_string()
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Whether a file is a promise; warns of what is there by mistake.
    fn is_promise(
        &self,
        directory: &ConfinedDirectory,
        name: &OsString,
    ) -> Result<bool, ConfinedError> {
        use std::os::unix::fs::PermissionsExt as _;
        let Some(found) = directory.metadata(name)? else {
            return Ok(false);
        };
        let can_run = found.is_file() && found.permissions().mode() & EXECUTABLE != 0;
        let is_promise = can_run || found.is_symlink();
        let problem = match (is_promise, name.to_str()) {
            (false, _) => "it is not executable",
            (true, None) => "its name is not UTF-8",
            (true, Some(_)) => return Ok(true),
        };
        self.log.warn(format_args!(
            "{name:?} in etc/promise is no promise: {problem}"
        ));
        Ok(false)
    }

    fn warn_of_plugins(&self) -> Result<(), PromiseError> {
        let list_error = |source| PromiseError::List { source };
        let directory = self
            .directory
            .below(&["etc", "plugin"])
            .map_err(list_error)?;
        let Some(directory) = directory else {
            return Ok(());
        };
        let names = directory.names().map_err(list_error)?;
        let is_plugin = |name: &&OsString| {
            let name = name.to_string_lossy();
            name.ends_with(".py") && !name.starts_with("__init__")
        };
        let count = names.iter().filter(is_plugin).count();
        if count > 0 {
            self.log.warn(format_args!(
                "this version does not run promises written as Python plugins: \
                 {count} in etc/plugin are not checked"
            ));
        }
        Ok(())
    }

    fn run_all(&self, names: Vec<String>) -> Result<Vec<Verdict>, PromiseError> {
        let workers = names.len().min(PARALLEL);
        let queue = Mutex::new(names.into_iter());
        let work = || {
            let mut verdicts = Vec::new();
            while let Some(name) = next(&queue) {
                verdicts.push(self.run(name)?);
            }
            Ok(verdicts)
        };
        let mut verdicts = Vec::new();
        thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                let result = worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                verdicts.extend(result?);
            }
            Ok(())
        })?;
        verdicts.sort_by(|left: &Verdict, right: &Verdict| left.name.cmp(&right.name));
        Ok(verdicts)
    }

    fn run(&self, name: String) -> Result<Verdict, PromiseError> {
        let path = self.directory.path().join("etc/promise").join(&name);
        let mut program = Program::new(
            &path,
            [] as [&str; 0],
            self.directory.path(),
            self.environment.clone(),
        );
        program.account = Some(self.account.clone());
        program.timeout = Some(self.timeout);
        let started_at = OffsetDateTime::now_utc();
        let clock = Instant::now();
        let result = process::run(&program, self.interruption, &mut |_| {});
        let elapsed = clock.elapsed();
        let (conclusion, message) = conclude(result)?;
        let verdict = Verdict {
            name,
            path,
            conclusion,
            message,
            started_at,
            elapsed,
        };
        self.tell(&verdict);
        Ok(verdict)
    }

    fn tell(&self, verdict: &Verdict) {
        if verdict.is_kept() {
            self.log.info(verdict.describe());
        } else {
            self.log.error(verdict.describe());
        }
    }
}

fn next(queue: &Mutex<std::vec::IntoIter<String>>) -> Option<String> {
    // The iterator is whole whatever happened to a thread that held the lock.
    queue
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
        .next()
}

/// What the end of a promise means, and what it said.
fn conclude(
    result: Result<process::Finished, ProcessError>,
) -> Result<(Conclusion, String), PromiseError> {
    let clip = |output: &process::Excerpt| verdict::clip(output.to_string().as_bytes());
    match result {
        Ok(finished) if finished.is_success() => Ok((Conclusion::Kept, clip(&finished.output))),
        Ok(finished) => Ok((Conclusion::Broken(finished.ending), clip(&finished.output))),
        Err(ProcessError::TimedOut {
            timeout, output, ..
        }) => Ok((Conclusion::TimedOut(timeout), clip(&output))),
        Err(ProcessError::Interrupted { .. }) => Err(PromiseError::Interrupted),
        Err(error) => Ok((Conclusion::NotStarted, error_chain(&error))),
    }
}
