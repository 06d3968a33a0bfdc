//! Promises that are Python plugins.
//!
//! They need the Python and the libraries of their instance. One interpreter is started for all
//! plugins of a partition that are due, with a program of ours that checks each in a process of its
//! own and writes a line about it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::listing::Promise;
use super::schedule::{Facts, Schedule};
use super::verdict::{Conclusion, MESSAGE_LIMIT, ResultKind, Verdict};
use super::{Occasion, PARALLEL, PromiseError, Promises, record};
use crate::outcome::error_chain;
use crate::process::{self, Channel, Ending, Errors, ProcessError, Program, ShebangError};

/// Runs on the instance's Python.
const RUNNER: &str = include_str!("runner.py");
/// Longest line about a promise, in bytes: two texts, of which a character may need twelve.
const LINE_LIMIT: usize = 2 * 12 * MESSAGE_LIMIT + (1 << 14);
/// What the interpreter may take to start and to load its libraries, besides the promises.
const START_TIME: Duration = Duration::from_secs(60);

/// What plugins are told and run with.
#[derive(Debug)]
pub(crate) struct PluginHost<'a> {
    /// The release's buildout, whose interpreter is the Python of the instance.
    pub(crate) buildout: PathBuf,
    pub(crate) master_url: &'a str,
    pub(crate) computer_id: &'a str,
    pub(crate) partition_id: &'a str,
    /// Certificate and key of the partition.
    pub(crate) certificate: Option<(PathBuf, PathBuf)>,
}

/// The Python of an instance cannot be told.
#[derive(Debug, thiserror::Error)]
enum PythonError {
    #[error("cannot tell the Python of the instance")]
    Script(#[from] ShebangError),
    #[error("cannot tell the Python of the instance: {} is no script", .0.display())]
    NoScript(PathBuf),
}

/// What the runner is to do.
#[derive(Serialize)]
struct Job<'a> {
    folder: &'a Path,
    names: Vec<&'a str>,
    /// For each promise, in seconds.
    timeout: f64,
    parallel: usize,
    anomaly: bool,
    config: Configuration<'a>,
}

/// What every plugin finds in its configuration.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Configuration<'a> {
    partition_folder: &'a Path,
    log_folder: PathBuf,
    promise_timeout: u64,
    debug: bool,
    slapgrid_version: &'a str,
    master_url: &'a str,
    computer_id: &'a str,
    partition_id: &'a str,
    partition_cert: Option<&'a Path>,
    partition_key: Option<&'a Path>,
}

/// What the runner tells of a promise.
#[derive(Deserialize)]
struct Told {
    name: String,
    seconds: f64,
    #[serde(default)]
    timed_out: bool,
    signal: Option<i32>,
    exit_status: Option<i32>,
    /// The end of what it printed.
    output: String,
    facts: Option<Facts>,
    result: Option<ToldResult>,
    bangs: Option<bool>,
}

#[derive(Deserialize)]
struct ToldResult {
    #[serde(rename = "type")]
    kind: ToldKind,
    failed: bool,
    message: String,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
enum ToldKind {
    #[serde(rename = "Anomaly Result")]
    Anomaly,
    #[serde(rename = "Empty Result")]
    Empty,
    #[serde(other)]
    Test,
}

impl Promises<'_> {
    /// Checks those of the plugins given, which must not be empty.
    pub(super) fn run_plugins(
        &self,
        plugins: &[&Promise],
        occasion: Occasion,
    ) -> Result<Vec<Verdict>, PromiseError> {
        let mut told = BTreeMap::new();
        let failure = match self.run_runner(plugins, occasion, &mut told) {
            Ok(()) => "nothing was told of it".to_owned(),
            Err(RunnerError::Process(error)) if error.is_interruption() => {
                return Err(PromiseError::Interrupted);
            }
            Err(error) => error_chain(&error),
        };
        let untold = Conclusion::NotStarted;
        let verdict = |plugin: &&Promise| {
            let told = told.remove(&plugin.name);
            told.unwrap_or_else(|| Verdict::new(plugin, occasion.kind(), untold, &failure))
        };
        Ok(plugins.iter().map(verdict).collect())
    }

    fn run_runner(
        &self,
        plugins: &[&Promise],
        occasion: Occasion,
        told: &mut BTreeMap<String, Verdict>,
    ) -> Result<(), RunnerError> {
        let mut program = self.runner(plugins, occasion)?;
        let rounds = u32::try_from(plugins.len().div_ceil(PARALLEL)).unwrap_or(u32::MAX);
        let longest = self.timeout.checked_mul(rounds);
        program.timeout = longest.and_then(|time| time.checked_add(START_TIME));
        let finished = process::run(&program, self.interruption, &mut |line| {
            if line.channel == Channel::Output
                && let Ok(about) = serde_json::from_str::<Told>(line.text)
                // The user of the partition may have written the line.
                && let Some(plugin) = plugins.iter().find(|plugin| plugin.name == about.name)
            {
                told.insert(about.name.clone(), self.verdict(plugin, occasion, about));
            }
        })?;
        finished.into_success()?;
        Ok(())
    }

    fn runner(&self, plugins: &[&Promise], occasion: Occasion) -> Result<Program, RunnerError> {
        let (python, argument) = python(&self.plugin_host.buildout)?;
        let job = serde_json::to_string(&self.job(plugins, occasion))?;
        let arguments = argument.into_iter().chain(["-".into(), job.into()]);
        let directory = self.directory.path();
        let mut program = Program::new(python, arguments, directory, self.environment.clone());
        program.account = Some(self.account.clone());
        program.errors = Errors::Apart;
        program.input = RUNNER.into();
        program.longest_line = LINE_LIMIT;
        Ok(program)
    }

    fn job<'a>(&'a self, plugins: &[&'a Promise], occasion: Occasion) -> Job<'a> {
        let host = &self.plugin_host;
        let folder = plugins.first().and_then(|plugin| plugin.path.parent());
        let certificate = host.certificate.as_ref();
        Job {
            folder: folder.unwrap_or(Path::new("")),
            names: plugins.iter().map(|plugin| plugin.name.as_str()).collect(),
            timeout: self.timeout.as_secs_f64(),
            parallel: PARALLEL,
            anomaly: occasion == Occasion::Watch,
            config: Configuration {
                partition_folder: self.directory.path(),
                log_folder: record::log_directory(self.directory.path()),
                promise_timeout: self.timeout.as_secs(),
                debug: false,
                slapgrid_version: env!("CARGO_PKG_VERSION"),
                master_url: host.master_url,
                computer_id: host.computer_id,
                partition_id: host.partition_id,
                partition_cert: certificate.map(|(certificate, _)| certificate.as_path()),
                partition_key: certificate.map(|(_, key)| key.as_path()),
            },
        }
    }

    /// What was just told of a plugin.
    fn verdict(&self, plugin: &Promise, occasion: Occasion, told: Told) -> Verdict {
        let (conclusion, message) = conclude(&told, self.timeout);
        let elapsed = Duration::try_from_secs_f64(told.seconds).unwrap_or_default();
        let gave_result = conclusion != Conclusion::Nothing;
        let schedule = told
            .facts
            .clone()
            .zip(SystemTime::now().checked_sub(elapsed));
        let kind = match told.result.as_ref().map(|result| result.kind) {
            Some(ToldKind::Anomaly) => ResultKind::Anomaly,
            Some(_) => ResultKind::Test,
            None => occasion.kind(),
        };
        Verdict {
            bangs: told.bangs.unwrap_or_default(),
            elapsed,
            schedule: schedule.map(|(facts, at)| Schedule::after(facts, at, gave_result)),
            ..Verdict::new(plugin, kind, conclusion, message)
        }
    }
}

/// What the end of a plugin's process means, and what it said. A result counts, however the process
/// ended after it.
fn conclude(told: &Told, timeout: Duration) -> (Conclusion, &str) {
    let ended = match (told.signal, told.exit_status) {
        _ if told.timed_out => Conclusion::TimedOut(timeout),
        (Some(signal), _) => Conclusion::Broken(Ending::Signaled(signal)),
        (None, status) => Conclusion::Broken(Ending::Exited(status.unwrap_or_default())),
    };
    match &told.result {
        None => (ended, &told.output),
        Some(result) if result.kind == ToldKind::Empty => (Conclusion::Nothing, ""),
        Some(result) if result.failed => (Conclusion::Denied, &result.message),
        Some(result) => (Conclusion::Kept, &result.message),
    }
}

/// The runner did not come to a good end.
#[derive(Debug, thiserror::Error)]
enum RunnerError {
    #[error(transparent)]
    Python(#[from] PythonError),
    #[error("cannot describe the plugins")]
    Job(#[from] serde_json::Error),
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// The interpreter of a script, and its argument.
fn python(script: &Path) -> Result<(PathBuf, Option<OsString>), PythonError> {
    process::interpreter(script)?.ok_or_else(|| PythonError::NoScript(script.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a line of the runner about one plugin means.
    fn concluded(rest: &str) -> Option<(Conclusion, String)> {
        let line = format!(r#"{{"name": "web.py", "seconds": 0.5, "output": "printed"{rest}}}"#);
        let told: Told = serde_json::from_str(&line).ok()?;
        let (conclusion, message) = conclude(&told, Duration::from_secs(20));
        Some((conclusion, message.to_owned()))
    }

    fn with_result(kind: &str, failed: bool) -> String {
        format!(
            r#", "exit_status": 0, "result":
            {{"type": "{kind}", "failed": {failed}, "message": "said", "date": ""}}"#
        )
    }

    #[test]
    fn a_result_counts() {
        for (kind, failed, conclusion, message) in [
            ("Test Result", false, Conclusion::Kept, "said"),
            ("Anomaly Result", true, Conclusion::Denied, "said"),
            ("Some Result", true, Conclusion::Denied, "said"),
            ("Empty Result", false, Conclusion::Nothing, ""),
        ] {
            let expected = (conclusion, message.to_owned());
            assert_eq!(
                concluded(&with_result(kind, failed)),
                Some(expected),
                "{kind}"
            );
        }
        let killed_afterwards =
            with_result("Test Result", false).replace("0,", "null, \"signal\": 9,");
        assert_eq!(concluded(&killed_afterwards).unwrap().0, Conclusion::Kept);
    }

    #[test]
    fn without_result_the_ending_tells() {
        for (rest, conclusion) in [
            (
                r#", "exit_status": 3"#,
                Conclusion::Broken(Ending::Exited(3)),
            ),
            (
                r#", "exit_status": 0"#,
                Conclusion::Broken(Ending::Exited(0)),
            ),
            (
                r#", "signal": 11"#,
                Conclusion::Broken(Ending::Signaled(11)),
            ),
            (
                r#", "signal": 9, "timed_out": true"#,
                Conclusion::TimedOut(Duration::from_secs(20)),
            ),
        ] {
            let expected = (conclusion, "printed".to_owned());
            assert_eq!(concluded(rest), Some(expected), "{rest}");
        }
    }

    #[test]
    fn other_lines_are_not_believed() {
        for rest in [
            "[",
            r#", "result": 1"#,
            r#", "facts": {}"#,
            r#", "signal": "9""#,
        ] {
            assert_eq!(concluded(rest), None, "{rest}");
        }
        assert!(serde_json::from_str::<Told>("hello").is_err());
    }
}
