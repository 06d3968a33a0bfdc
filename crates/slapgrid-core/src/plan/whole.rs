//! What a whole run would do: what `--dry-run` shows.

use std::fmt;

use serde::Serialize;

use super::{PartitionAction, PartitionPlan, ReleaseAction, ReleasePlan, UsagePlan};
use crate::outcome::Failure;

/// Version of the JSON documents of plans and outcomes (`docs/src/slapgrid-json.md`). Another one means
/// that what was there before has gone or has another meaning; fields are added without.
pub const SCHEMA_VERSION: u32 = 1;

/// What a run would do. A run that follows at once does exactly that, unless something fails.
#[derive(Clone, Debug, Serialize)]
pub struct RunPlan {
    /// [`SCHEMA_VERSION`].
    pub version: u32,
    /// What the master calls this computer.
    pub computer: String,
    /// The URL of the master.
    pub master: String,
    /// Whether anything would be changed. Checks of promises change nothing.
    pub changes: bool,
    /// What concerns the whole node.
    pub node: Vec<NodeAction>,
    /// What concerns software releases: those of the master, in its order, then those to be
    /// collected.
    pub releases: Vec<ReleasePlan>,
    /// What concerns partitions, in the master's order.
    pub partitions: Vec<PlannedPartition>,
    /// What concerns usage, and instances that are no longer wanted.
    pub usage: Vec<UsagePlan>,
    /// Why the plan is not whole.
    pub errors: Vec<Failure>,
}

/// What is to be done for the whole node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum NodeAction {
    /// Start supervisord, and the services that are known.
    LaunchSupervisord,
    /// Send a usage journal again, of which it is not known whether the master has it.
    ResendUsage,
}

/// What is to be done with one partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedPartition {
    /// What is decided.
    #[serde(flatten)]
    pub plan: PartitionPlan,
    /// Where promises are to be checked although nothing changed: the names of those that are due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promises_due: Option<Vec<String>>,
}

impl RunPlan {
    /// 0: there is nothing to do; 4: something is to be changed; 1: that cannot be told.
    pub fn exit_code(&self) -> u8 {
        match (self.errors.is_empty(), self.changes) {
            (false, _) => 1,
            (true, true) => 4,
            (true, false) => 0,
        }
    }

    /// Whether anything of what is planned changes anything.
    pub(crate) fn wants_changes(&self) -> bool {
        let partitions = self.partitions.iter().map(|planned| &planned.plan.action);
        !self.node.is_empty()
            || self.releases.iter().any(|plan| plan.action.changes())
            || partitions.clone().any(PartitionAction::changes)
            || self.usage.iter().any(|plan| plan.action.changes())
    }

    /// What would be done, for people: a text for each step.
    pub fn steps(&self) -> Vec<String> {
        let node = self.node.iter().map(ToString::to_string);
        let releases = self.releases.iter();
        let releases = releases.filter(|plan| plan.action != ReleaseAction::Keep);
        let partitions = self.partitions.iter().filter(|planned| planned.is_a_step());
        node.chain(releases.map(ToString::to_string))
            .chain(partitions.map(ToString::to_string))
            .chain(self.usage.iter().map(ToString::to_string))
            .collect()
    }
}

impl PlannedPartition {
    fn is_a_step(&self) -> bool {
        let due = self.promises_due.as_ref();
        self.plan.action.changes() || due.is_some_and(|due| !due.is_empty())
    }
}

impl fmt::Display for PlannedPartition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.fmt(formatter)?;
        match &self.promises_due {
            Some(due) => write!(formatter, ": {}", due.join(", ")),
            None => Ok(()),
        }
    }
}

impl fmt::Display for NodeAction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::LaunchSupervisord => "start supervisord and the services that are known",
            Self::ResendUsage => "send a usage journal again",
        })
    }
}
