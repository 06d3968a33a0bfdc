//! What became of a run: one entry for each release and partition, and the exit code they add up to.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use slap_client::ClientError;

/// How far-reaching a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// That of a call to the master that failed: it broke down by itself, or it refuses us.
    pub(crate) fn of_call(error: &ClientError) -> Self {
        match error {
            ClientError::Transport { .. }
            | ClientError::Document { .. }
            | ClientError::TooLarge { .. } => Self::MasterFailed,
            ClientError::Server { status, .. } if *status >= 500 => Self::MasterFailed,
            error if error.is_unreachable() => Self::MasterUnreachable,
            _ => Self::Failed,
        }
    }
}

/// Why a release or partition is not as the master wants it. Already logged, and reported to the
/// master where that was possible.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// What became of one release or partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectOutcome {
    /// The URL of a release, or the reference of a partition.
    pub subject: String,
    /// Whether it is now as the master wants it.
    pub result: Result<(), Failure>,
}

/// Works on a subject unless the master was found to be gone while others were worked on; notes if
/// it is gone now.
pub(crate) fn unless_gone(
    master_is_gone: &AtomicBool,
    work: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    if master_is_gone.load(Ordering::Relaxed) {
        return Err(Failure {
            severity: Severity::MasterUnreachable,
            message: "not begun, since the master cannot be reached".to_owned(),
        });
    }
    work().inspect_err(|failure| {
        if failure.severity == Severity::MasterUnreachable {
            master_is_gone.store(true, Ordering::Relaxed);
        }
    })
}

/// What became of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The releases that were looked at, in the master's order.
    pub releases: Vec<SubjectOutcome>,
    /// The partitions that were looked at, in the master's order, once for each phase.
    pub partitions: Vec<SubjectOutcome>,
    /// Failures that belong to no single release or partition.
    pub general: Vec<Failure>,
    /// Because of the master, the services that are known were started.
    pub offline: bool,
}

impl Outcome {
    /// Everything that failed, with its subject if it has one.
    pub fn failures(&self) -> impl Iterator<Item = (Option<&str>, &Failure)> {
        let subjects = self.releases.iter().chain(&self.partitions);
        let named = subjects.filter_map(|outcome| {
            let failure = outcome.result.as_ref().err()?;
            Some((Some(outcome.subject.as_str()), failure))
        });
        named.chain(self.general.iter().map(|failure| (None, failure)))
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

    fn outcome(severities: &[Severity]) -> Outcome {
        let failed = |severity: &Severity| SubjectOutcome {
            subject: "slappart0".to_owned(),
            result: Err(Failure {
                severity: *severity,
                message: String::new(),
            }),
        };
        Outcome {
            partitions: severities.iter().map(failed).collect(),
            ..Outcome::default()
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
    fn general_failures_count() {
        let mut outcome = outcome(&[Severity::Promise]);
        outcome.general.push(Failure {
            severity: Severity::Failed,
            message: "no space".to_owned(),
        });
        assert_eq!(outcome.exit_code(), 1);
    }
}
