//! What became of a run: one entry for each release and partition, and the exit code they add up to.

mod document;
mod step;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use slap_client::ClientError;
use slap_proto::documents::{Computer, SoftwareState};
use time::OffsetDateTime;

use crate::plan::{NodeAction, ReleasePlan, UsagePlan};
use crate::run::Phase;
pub use document::OutcomeDocument;
pub use step::{Done, PartitionStep, PromiseCheck, PromiseResult, Step};

/// How far-reaching a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The instance runs, but says that it is not healthy.
    Promise,
    /// The subject was not brought to the state that is wanted.
    Failed,
    /// The master failed at a call of the subject; it may do better at others.
    MasterFailed,
    /// The master could not be reached: nothing more can be learned or reported.
    MasterUnreachable,
    /// slapgrid was told to end.
    Interrupted,
}

impl Severity {
    /// All of them, the least first.
    pub const ALL: [Self; 5] = [
        Self::Promise,
        Self::Failed,
        Self::MasterFailed,
        Self::MasterUnreachable,
        Self::Interrupted,
    ];

    /// The word for it in documents and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Promise => "promise",
            Self::Failed => "failed",
            Self::MasterFailed => "master_failed",
            Self::MasterUnreachable => "master_unreachable",
            Self::Interrupted => "interrupted",
        }
    }

    /// That of a call to the master that failed: it broke down by itself, it refuses us, or slapgrid
    /// was told to end.
    pub(crate) fn of_call(error: &ClientError) -> Self {
        match error {
            ClientError::Cancelled { .. } => Self::Interrupted,
            ClientError::Transport { .. }
            | ClientError::Document { .. }
            | ClientError::TooLarge { .. } => Self::MasterFailed,
            ClientError::Server { status, .. } if *status >= 500 => Self::MasterFailed,
            error if error.is_unreachable() => Self::MasterUnreachable,
            _ => Self::Failed,
        }
    }

    /// Whether the master failed.
    pub(crate) fn is_of_master(self) -> bool {
        matches!(self, Self::MasterFailed | Self::MasterUnreachable)
    }
}

/// Why a release or partition is not as the master wants it. Already logged, and reported to the
/// master where that was possible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What kind of failure it is.
    pub severity: Severity,
    /// The whole chain of errors in one paragraph.
    pub message: String,
}

impl Failure {
    /// A failure described by an error and all its sources.
    pub fn new(severity: Severity, error: &dyn Error) -> Self {
        Failure {
            severity,
            message: error_chain(error),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

/// An error and its sources in one paragraph, outermost first.
pub fn error_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// A time in seconds, to the microsecond.
pub(crate) fn seconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e6
}

/// What became of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// When the run began.
    pub started_at: OffsetDateTime,
    /// How long it took.
    pub elapsed: Duration,
    /// The phases that were begun, in order.
    pub phases: Vec<PhaseOutcome>,
    /// What the master said when it was asked last.
    pub master: MasterOutcome,
    /// What was done for the whole node.
    pub node: Vec<NodeAction>,
    /// The releases that were worked on, in the master's order.
    pub releases: Vec<Step<ReleasePlan>>,
    /// The partitions that were worked on, in the master's order.
    pub partitions: Vec<PartitionStep>,
    /// What was done about usage, and with instances that are no longer wanted.
    pub usage: Vec<Step<UsagePlan>>,
    /// Failures that belong to no single release or partition.
    pub general: Vec<Failure>,
    /// Because of the master, the services that are known were started.
    pub offline: bool,
}

/// What the master said of this computer.
#[derive(Clone, Debug, Default)]
pub struct MasterOutcome {
    /// Whether it answered when it was asked last; none: it was not asked.
    pub answers: Option<bool>,
    /// How long it took the last time that it answered.
    pub latency: Option<Duration>,
    /// The state that it wants of each release, by URL.
    pub releases: BTreeMap<String, SoftwareState>,
    /// The state that it wants of each partition, by reference; none: no instance is there.
    pub partitions: BTreeMap<String, Option<String>>,
}

impl MasterOutcome {
    /// Notes an answer.
    pub(crate) fn note(&mut self, computer: &Computer, latency: Duration) {
        let releases = computer.software_release_list.iter();
        let releases =
            releases.filter_map(|release| Some((release.url.clone()?, release.requested_state)));
        let partitions = computer.computer_partition_list.iter().map(|partition| {
            let state = partition.requested_state.clone().unwrap_or_default();
            let state = (!partition.is_free()).then_some(state);
            (partition.partition_id.clone(), state)
        });
        *self = MasterOutcome {
            answers: Some(true),
            latency: Some(latency),
            releases: releases.collect(),
            partitions: partitions.collect(),
        };
    }
}

/// What became of a phase.
#[derive(Clone, Debug)]
pub struct PhaseOutcome {
    /// Which one.
    pub phase: Phase,
    /// How long it took.
    pub elapsed: Duration,
    /// Whether the master said what it wants.
    pub informed: bool,
    /// How many failures of each severity there were.
    pub failures: BTreeMap<Severity, usize>,
}

impl Outcome {
    /// That of a run which begins now.
    pub(crate) fn begin() -> Self {
        Outcome {
            started_at: OffsetDateTime::now_utc(),
            elapsed: Duration::ZERO,
            phases: Vec::new(),
            master: MasterOutcome::default(),
            node: Vec::new(),
            releases: Vec::new(),
            partitions: Vec::new(),
            usage: Vec::new(),
            general: Vec::new(),
            offline: false,
        }
    }

    /// Everything that failed, with the subject if it has one: the URL of a release, or the
    /// reference of a partition.
    pub fn failures(&self) -> impl Iterator<Item = (Option<&str>, &Failure)> {
        let releases = self.releases.iter();
        let releases = releases.map(|step| (step.plan.subject(), &step.result));
        let partitions = self.partitions.iter().map(|partition| &partition.step);
        let partitions = partitions.map(|step| (step.plan.reference.as_str(), &step.result));
        let usage = self.usage.iter();
        let usage = usage.map(|step| (step.plan.reference.as_str(), &step.result));
        let steps = releases.chain(partitions).chain(usage);
        let named =
            steps.filter_map(|(subject, result)| Some((Some(subject), result.as_ref().err()?)));
        named.chain(self.general.iter().map(|failure| (None, failure)))
    }

    /// How many failures of each severity there are.
    pub(crate) fn failure_counts(&self) -> BTreeMap<Severity, usize> {
        let mut counts = BTreeMap::new();
        for (_, failure) in self.failures() {
            *counts.entry(failure.severity).or_default() += 1;
        }
        counts
    }

    /// Whether the master could not be reached, or failed where it was asked what is wanted.
    pub fn is_master_away(&self) -> bool {
        let mut failures = self.failures();
        failures.any(|(subject, failure)| match subject {
            None => failure.severity.is_of_master(),
            Some(_) => failure.severity == Severity::MasterUnreachable,
        })
    }

    /// 0: all is as wanted; 1: something failed; 2: only promises failed; 3: the master could not
    /// be reached, and the services that are known were started.
    pub fn exit_code(&self) -> u8 {
        match self.failures().map(|(_, failure)| failure.severity).max() {
            None => 0,
            Some(Severity::Promise) => 2,
            Some(Severity::MasterFailed | Severity::MasterUnreachable) if self.offline => 3,
            Some(_) => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::UsageAction;

    fn outcome(severities: &[Severity]) -> Outcome {
        let failed = |severity: &Severity| Step {
            plan: UsagePlan {
                reference: "slappart0".to_owned(),
                action: UsageAction::Destroy,
            },
            result: Err(Failure {
                severity: *severity,
                message: String::new(),
            }),
            elapsed: Duration::ZERO,
        };
        Outcome {
            usage: severities.iter().map(failed).collect(),
            ..Outcome::begin()
        }
    }

    #[test]
    fn exit_code_is_that_of_the_worst_failure() {
        use Severity::{Failed, Interrupted, MasterFailed, MasterUnreachable, Promise};
        for (severities, code, offline_code) in [
            (&[] as &[Severity], 0, 0),
            (&[Promise], 2, 2),
            (&[Promise, Failed], 1, 1),
            (&[Failed, Promise], 1, 1),
            (&[Failed, MasterFailed], 1, 3),
            (&[Failed, MasterUnreachable, Promise], 1, 3),
            (&[MasterUnreachable, Interrupted], 1, 1),
        ] {
            let mut outcome = outcome(severities);
            assert_eq!(outcome.exit_code(), code, "{severities:?}");
            outcome.offline = true;
            assert_eq!(outcome.exit_code(), offline_code, "{severities:?}");
        }
    }

    #[test]
    fn seconds_have_no_more_digits_than_they_mean() {
        let time = Duration::new(1, 324_736_999);
        assert_eq!(seconds(time).to_string(), "1.324736");
    }

    #[test]
    fn general_failures_count() {
        let mut outcome = outcome(&[Severity::Promise]);
        outcome.general.push(Failure {
            severity: Severity::Failed,
            message: "no space".to_owned(),
        });
        assert_eq!(outcome.exit_code(), 1);
    }
}
