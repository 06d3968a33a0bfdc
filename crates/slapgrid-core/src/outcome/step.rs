//! A step of a plan that was carried out, or tried.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::{Serialize, Serializer};

use super::{Failure, Severity, seconds};
use crate::plan::PartitionPlan;

/// A step of the plan, and what became of it.
#[derive(Clone, Debug)]
pub struct Step<P> {
    /// What was to be done.
    pub plan: P,
    /// Whether it was done.
    pub result: Result<Done, Failure>,
    /// How long it took.
    pub elapsed: Duration,
}

/// How far a step that did not fail came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// It was done.
    Wholly,
    /// A later run will do it, or what is left of it; this is why.
    NotYet(String),
}

/// A step for a partition, with the promises that were checked.
#[derive(Clone, Debug, Serialize)]
pub struct PartitionStep {
    /// The step.
    #[serde(flatten)]
    pub step: Step<PartitionPlan>,
    /// The promises that were checked: plugins, then programs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub promises: Vec<PromiseCheck>,
}

/// What the check of a promise has found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PromiseCheck {
    /// Its file name.
    pub name: String,
    /// What it means.
    pub result: PromiseResult,
    /// What the promise printed.
    pub message: String,
    /// How long the check took.
    pub seconds: f64,
}

/// What the check of a promise means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PromiseResult {
    /// It is kept.
    Kept,
    /// It is not, or it could not be checked.
    Broken,
    /// It is not, for too short a time to count.
    Excused,
    /// A plugin that has nothing to say while nothing changes.
    Silent,
}

impl<P> Step<P> {
    /// Does a step, unless the master was found to be gone while others were worked on; notes if it
    /// is gone now.
    pub(crate) fn take(
        plan: P,
        master_is_gone: &AtomicBool,
        work: impl FnOnce(&P) -> Result<Done, Failure>,
    ) -> Self {
        let clock = Instant::now();
        let result = if master_is_gone.load(Ordering::Relaxed) {
            Err(Failure {
                severity: Severity::MasterUnreachable,
                message: "not begun, since the master cannot be reached".to_owned(),
            })
        } else {
            work(&plan).inspect_err(|failure| {
                if failure.severity == Severity::MasterUnreachable {
                    master_is_gone.store(true, Ordering::Relaxed);
                }
            })
        };
        Step {
            plan,
            result,
            elapsed: clock.elapsed(),
        }
    }
}

/// The fields of the plan, and `result`, with `why` or `error`, and `seconds`.
impl<P: Serialize> Serialize for Step<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'a, P> {
            #[serde(flatten)]
            plan: &'a P,
            result: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            why: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<&'a Failure>,
            seconds: f64,
        }
        let (result, why, error) = match &self.result {
            Ok(Done::Wholly) => ("done", None, None),
            Ok(Done::NotYet(why)) => ("not_yet", Some(why.as_str()), None),
            Err(failure) => ("failed", None, Some(failure)),
        };
        let fields = Fields {
            plan: &self.plan,
            result,
            why,
            error,
            seconds: seconds(self.elapsed),
        };
        fields.serialize(serializer)
    }
}
