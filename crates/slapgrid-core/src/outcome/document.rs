//! The outcome of a run as one document.

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Failure, Outcome, PartitionStep, PhaseOutcome, Severity, Step, seconds};
use crate::plan::{NodeAction, ReleasePlan, SCHEMA_VERSION, UsagePlan};
use crate::run::Phase;
use crate::settings::Settings;

/// What became of a run, as `--json` prints it (`docs/src/slapgrid-json.md`). The lists are those of the
/// plan, without what is kept as it is, each entry with its result.
#[derive(Debug, Serialize)]
pub struct OutcomeDocument<'a> {
    /// [`SCHEMA_VERSION`].
    pub version: u32,
    /// What the master calls this computer; none: the run did not begin.
    pub computer: Option<&'a str>,
    /// The exit code of the tool.
    pub exit_code: u8,
    /// When the run began, by RFC 3339 and in UTC; none: it did not begin.
    pub started_at: Option<String>,
    /// How long it took.
    pub seconds: f64,
    /// How long the master took to describe this computer; none: it did not.
    pub master_seconds: Option<f64>,
    /// Whether the services that are known were started because of the master.
    pub offline: bool,
    /// The phases that were begun, in order.
    pub phases: Vec<PhaseDocument<'a>>,
    /// What was done for the whole node.
    pub node: &'a [NodeAction],
    /// The releases that were worked on.
    pub releases: &'a [Step<ReleasePlan>],
    /// The partitions that were worked on.
    pub partitions: &'a [PartitionStep],
    /// What was done about usage, and with instances that are no longer wanted.
    pub usage: &'a [Step<UsagePlan>],
    /// Failures that belong to no single release or partition.
    pub errors: Vec<Failure>,
}

/// What became of a phase.
#[derive(Debug, Serialize)]
pub struct PhaseDocument<'a> {
    /// Which one.
    pub phase: Phase,
    /// How long it took.
    pub seconds: f64,
    /// How many failures there were, by severity.
    pub failures: &'a BTreeMap<Severity, usize>,
}

impl<'a> OutcomeDocument<'a> {
    /// The document of a run.
    pub fn of(settings: &'a Settings, outcome: &'a Outcome) -> Self {
        OutcomeDocument {
            version: SCHEMA_VERSION,
            computer: Some(&settings.computer_id),
            exit_code: outcome.exit_code(),
            started_at: rfc3339(outcome.started_at),
            seconds: seconds(outcome.elapsed),
            master_seconds: outcome.master.latency.map(seconds),
            offline: outcome.offline,
            phases: outcome.phases.iter().map(PhaseDocument::of).collect(),
            node: &outcome.node,
            releases: &outcome.releases,
            partitions: &outcome.partitions,
            usage: &outcome.usage,
            errors: outcome.general.clone(),
        }
    }

    /// The document of a run that did not begin.
    pub fn not_begun(exit_code: u8, message: &str) -> Self {
        OutcomeDocument {
            version: SCHEMA_VERSION,
            computer: None,
            exit_code,
            started_at: None,
            seconds: 0.0,
            master_seconds: None,
            offline: false,
            phases: Vec::new(),
            node: &[],
            releases: &[],
            partitions: &[],
            usage: &[],
            errors: vec![Failure {
                severity: Severity::Failed,
                message: message.to_owned(),
            }],
        }
    }
}

impl<'a> PhaseDocument<'a> {
    fn of(outcome: &'a PhaseOutcome) -> Self {
        PhaseDocument {
            phase: outcome.phase,
            seconds: seconds(outcome.elapsed),
            failures: &outcome.failures,
        }
    }
}

fn rfc3339(time: OffsetDateTime) -> Option<String> {
    let time = time.replace_millisecond(time.millisecond()).ok()?;
    time.format(&Rfc3339).ok()
}
