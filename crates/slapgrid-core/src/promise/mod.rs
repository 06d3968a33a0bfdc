//! Promises: what an instance brings to say whether it is healthy, as executables in `etc/promise`
//! and as Python plugins in `etc/plugin`.

mod history;
mod listing;
mod plugin;
mod program;
mod record;
mod schedule;
mod verdict;

use std::num::NonZeroUsize;
use std::thread;
use std::time::{Duration, SystemTime};

use time::UtcOffset;

use crate::environment::Environment;
use crate::outcome::PromiseCheck;
use crate::parallel::in_parallel;
use crate::partition::confined::{ConfinedDirectory, ConfinedError};
use crate::partition::log::InstanceLog;
use crate::process::{Account, Interruption};
use listing::{Kind, Listing, Promise};
pub(crate) use plugin::PluginHost;
use record::{EarlierRecords, PromiseRecords, Recorded};
use verdict::{Conclusion, ResultKind, Verdict};

/// How many promises of one partition run at the same time, programs and plugins each: most of
/// them wait for an answer.
const PARALLEL: usize = 8;
/// While nothing changes at the master, a program's failure counts when so many checks before have
/// failed, too.
const FAILURES_BEFORE: usize = 2;

/// Why a partition's promises are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// The instance was just installed and started: all are checked.
    Deployment,
    /// Somebody wants to know: all are checked.
    Demand,
    /// Nothing changed: those whose time has come are checked for anomalies.
    Watch,
}

impl Occasion {
    /// What a result is then about.
    fn kind(self) -> ResultKind {
        match self {
            Occasion::Deployment | Occasion::Demand => ResultKind::Test,
            Occasion::Watch => ResultKind::Anomaly,
        }
    }
}

/// The promises of a partition could not be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum PromiseError {
    /// The promises or what was recorded of them could not be listed.
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

/// Which promises there are, what is known of them, and which are to be checked now.
#[derive(Debug)]
pub(crate) struct Agenda {
    occasion: Occasion,
    promises: Vec<Promise>,
    /// Of each promise.
    recorded: Vec<Recorded>,
    /// Whether each promise is to be checked.
    due: Vec<bool>,
    has_stale: bool,
    strays: Vec<String>,
}

impl Agenda {
    /// Looks at a partition, and changes nothing.
    pub(crate) fn look(
        partition: &ConfinedDirectory,
        occasion: Occasion,
        now: SystemTime,
    ) -> Result<Self, PromiseError> {
        let failed = |source| PromiseError::List { source };
        let Listing { promises, strays } = Listing::read(partition).map_err(failed)?;
        let earlier = EarlierRecords::open(partition).map_err(failed)?;
        let recorded: Vec<_> = promises
            .iter()
            .map(|promise| earlier.read(promise))
            .collect();
        let is_due = |(promise, recorded): (&Promise, &Recorded)| match &recorded.schedule {
            Some(schedule) if occasion == Occasion::Watch => schedule.is_due(now, promise.modified),
            _ => true,
        };
        Ok(Agenda {
            occasion,
            due: promises.iter().zip(&recorded).map(is_due).collect(),
            has_stale: earlier.has_stale(&promises).map_err(failed)?,
            promises,
            recorded,
            strays,
        })
    }

    /// Whether there is nothing to check, to report or to clean.
    pub(crate) fn is_settled(&self) -> bool {
        !self.due.contains(&true) && !self.was_broken()
    }

    /// Whether the last results say that something is wrong, so that the master was told. A promise
    /// that is no more may have said so.
    pub(crate) fn was_broken(&self) -> bool {
        self.has_stale
            || self
                .recorded
                .iter()
                .any(|recorded| recorded.failure().is_some())
    }

    /// The name of each promise, and what is recorded of it.
    pub(crate) fn last_results(&self) -> impl Iterator<Item = (&str, &Recorded)> {
        let both = self.promises.iter().zip(&self.recorded);
        both.map(|(promise, recorded)| (promise.name.as_str(), recorded))
    }

    /// The names of the promises that are due.
    pub(crate) fn due_names(&self) -> impl Iterator<Item = &str> {
        let due = self.promises.iter().zip(&self.due);
        due.filter(|(_, due)| **due)
            .map(|(promise, _)| promise.name.as_str())
    }

    fn due(&self, kind: Kind) -> Vec<&Promise> {
        let due = self.promises.iter().zip(&self.due);
        due.filter(|(promise, due)| **due && promise.kind == kind)
            .map(|(promise, _)| promise)
            .collect()
    }
}

/// What a check has found.
#[derive(Debug)]
pub(crate) struct Checkup {
    /// In the order of the promises.
    verdicts: Vec<Verdict>,
    /// What is wrong, be it found now or earlier: one text for each promise, in their order.
    pub(crate) broken: Vec<String>,
}

impl Checkup {
    /// What was found of each promise that was checked.
    pub(crate) fn checks(&self) -> impl Iterator<Item = PromiseCheck> {
        self.verdicts.iter().map(Verdict::to_check)
    }

    /// The promise whose problem shall have the instance processed again.
    pub(crate) fn banging(&self) -> Option<&str> {
        let mut verdicts = self.verdicts.iter();
        let banging = verdicts.find(|verdict| verdict.bangs && verdict.is_broken())?;
        Some(&banging.promise.title)
    }
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
    pub(crate) environment: &'a Environment,
    pub(crate) plugin_host: PluginHost<'a>,
}

impl Promises<'_> {
    /// Checks the promises that are due. The results are not written yet.
    pub(crate) fn check(&self, agenda: &Agenda) -> Result<Checkup, PromiseError> {
        agenda.strays.iter().for_each(|stray| self.log.warn(stray));
        let records = self.records()?;
        let (programs, plugins) = (agenda.due(Kind::Program), agenda.due(Kind::Plugin));
        // Both wait most of the time, and neither knows how long.
        let (programs, plugins) = thread::scope(|scope| {
            let plugins = scope.spawn(|| match plugins.as_slice() {
                [] => Ok(Vec::new()),
                plugins => self.run_plugins(plugins, agenda.occasion),
            });
            let programs = self.run_programs(&programs);
            let plugins = plugins
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (programs, plugins)
        });
        let mut verdicts = plugins?;
        for verdict in programs? {
            verdicts.push(self.excuse(verdict, agenda.occasion, &records)?);
        }
        for verdict in &verdicts {
            self.tell(verdict, agenda.occasion);
        }
        let broken = broken(agenda, &verdicts);
        Ok(Checkup { verdicts, broken })
    }

    /// Writes what a check has found.
    pub(crate) fn record(&self, agenda: &Agenda, checkup: &Checkup) -> Result<(), PromiseError> {
        let failed = |source| PromiseError::Record { source };
        let records = self.records()?;
        for verdict in &checkup.verdicts {
            records.write(verdict).map_err(failed)?;
        }
        records.forget_others(&agenda.promises).map_err(failed)
    }

    fn records(&self) -> Result<PromiseRecords, PromiseError> {
        PromiseRecords::open(self.directory, self.account, self.utc_offset)
            .map_err(|source| PromiseError::Record { source })
    }

    fn run_programs(&self, programs: &[&Promise]) -> Result<Vec<Verdict>, PromiseError> {
        let workers = NonZeroUsize::new(PARALLEL).unwrap_or(NonZeroUsize::MIN);
        let verdicts = in_parallel(workers, programs, |program| Some(self.run_program(program)));
        verdicts.into_iter().collect()
    }

    /// Adds the failure of a program to its log, and lets it pass if it is too new to count.
    fn excuse(
        &self,
        mut verdict: Verdict,
        occasion: Occasion,
        records: &PromiseRecords,
    ) -> Result<Verdict, PromiseError> {
        let can_pass = matches!(
            verdict.conclusion,
            Conclusion::Broken(_) | Conclusion::NotStarted
        );
        verdict.excused = occasion == Occasion::Watch
            && can_pass
            && !records.failed_lately(&verdict.promise, FAILURES_BEFORE);
        records
            .log(&verdict)
            .map_err(|source| PromiseError::Record { source })?;
        Ok(verdict)
    }

    /// Says what was found, but for what was to be expected.
    fn tell(&self, verdict: &Verdict, occasion: Occasion) {
        if !verdict.is_kept() {
            self.log.error(verdict.describe());
        } else if occasion != Occasion::Watch {
            self.log.info(verdict.describe());
        }
    }
}

/// What is wrong: what was found now, and what was found earlier by promises that are not due.
fn broken(agenda: &Agenda, verdicts: &[Verdict]) -> Vec<String> {
    let fresh = |promise: &Promise| verdicts.iter().find(|verdict| verdict.promise == *promise);
    let both = agenda.promises.iter().zip(&agenda.recorded);
    both.filter_map(|(promise, recorded)| match fresh(promise) {
        Some(verdict) => verdict.is_broken().then(|| verdict.describe()),
        None => Some(verdict::describe(
            &promise.name,
            "failed",
            &recorded.failure()?,
        )),
    })
    .collect()
}
