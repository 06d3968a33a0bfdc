//! What is known of the runs until now.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use slap_proto::documents::{InstanceState, SoftwareState};

use crate::outcome::{Outcome, Severity, seconds};
use crate::plan::ReleaseAction;
use crate::run::Phase;

/// The state of partitions of which the master wants what no node knows.
const UNKNOWN: &str = "unknown";
/// The state of partitions without instance.
const FREE: &str = "free";

/// What is known of the runs until now. Times are Unix times, in seconds.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Figures {
    pub(super) phases: BTreeMap<Phase, PhaseFigures>,
    pub(super) master: Option<MasterFigures>,
    /// State of each partition, and whether something is wrong with it.
    pub(super) partitions: BTreeMap<String, (String, bool)>,
    /// State of each release, by URL.
    pub(super) releases: BTreeMap<String, String>,
    /// How many seconds the last installation of each release took.
    pub(super) builds: BTreeMap<String, f64>,
}

/// The last run of a phase.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct PhaseFigures {
    pub(super) ended_at: f64,
    /// When the last one ended that failed at nothing, or at promises only.
    pub(super) succeeded_at: Option<f64>,
    pub(super) seconds: f64,
    pub(super) failures: BTreeMap<Severity, usize>,
}

/// The last time that the master was asked.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct MasterFigures {
    pub(super) answers: bool,
    /// Of the last answer.
    pub(super) seconds: Option<f64>,
}

impl Figures {
    /// Adds what a run has found out.
    pub(super) fn add(&mut self, outcome: &Outcome) {
        self.add_phases(outcome);
        self.add_master(outcome);
        if outcome.master.latency.is_some() {
            self.add_partitions(outcome);
            self.add_releases(outcome);
        }
    }

    fn add_phases(&mut self, outcome: &Outcome) {
        let mut now = outcome.started_at;
        for phase in &outcome.phases {
            now += phase.elapsed;
            let ended_at = (now.unix_timestamp_nanos() / 1000) as f64 / 1e6;
            let figures = self.phases.entry(phase.phase).or_default();
            let mut severities = phase.failures.keys();
            if severities.all(|severity| *severity == Severity::Promise) {
                figures.succeeded_at = Some(ended_at);
            }
            figures.ended_at = ended_at;
            figures.seconds = seconds(phase.elapsed);
            figures.failures = phase.failures.clone();
        }
    }

    fn add_master(&mut self, outcome: &Outcome) {
        if let Some(answers) = outcome.master.answers {
            let known = self.master.take().unwrap_or_default();
            let latency = outcome.master.latency;
            self.master = Some(MasterFigures {
                answers,
                seconds: latency.map(seconds).or(known.seconds),
            });
        }
    }

    /// What is wrong with a partition is known by the phase that looks at its instance.
    fn add_partitions(&mut self, outcome: &Outcome) {
        let mut phases = outcome.phases.iter();
        let looked = phases.any(|phase| phase.phase == Phase::Instances && phase.informed);
        let steps = outcome.partitions.iter().map(|partition| &partition.step);
        let failed: BTreeSet<_> = steps
            .filter(|step| step.result.is_err())
            .map(|step| &step.plan.reference)
            .collect();
        let before = std::mem::take(&mut self.partitions);
        for (reference, state) in &outcome.master.partitions {
            let failed = if looked {
                failed.contains(reference)
            } else {
                before.get(reference).is_some_and(|(_, failed)| *failed)
            };
            let state = word(state.as_deref()).to_owned();
            self.partitions.insert(reference.clone(), (state, failed));
        }
    }

    fn add_releases(&mut self, outcome: &Outcome) {
        let wanted = &outcome.master.releases;
        let word =
            |(url, state): (&String, &SoftwareState)| (url.clone(), state.as_str().to_owned());
        self.releases = wanted.iter().map(word).collect();
        for step in &outcome.releases {
            let installed = matches!(step.plan.action, ReleaseAction::Install { .. });
            if let (true, Ok(_), Some(url)) = (installed, &step.result, &step.plan.url) {
                self.builds.insert(url.clone(), seconds(step.elapsed));
            }
        }
        self.builds.retain(|url, _| wanted.contains_key(url));
    }
}

/// The states that a partition may have, so that each of them has a figure.
pub(super) const STATES: [&str; 5] = ["started", "stopped", "destroyed", FREE, UNKNOWN];

fn word(state: Option<&str>) -> &'static str {
    match state.map(str::parse::<InstanceState>) {
        None => FREE,
        Some(Ok(state)) => state.as_str(),
        Some(Err(_)) => UNKNOWN,
    }
}
