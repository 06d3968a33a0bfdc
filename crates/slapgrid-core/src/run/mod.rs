//! A whole run: the phases in order, partitions in parallel, one outcome.

mod bundles;
mod instances;
mod known;
mod master;
mod planned;
mod software;
mod unambiguous;
mod usage;

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use slap_client::{Connection, OpenError, Slap, UrlError};
use slap_proto::documents::ComputerPartition;
use slapos_fs::{PidFile, PidFileError};
use supervisor::{Client, Presence};
use time::UtcOffset;

use crate::boot;
use crate::context::PartitionContext;
use crate::layout::PartitionLayout;
use crate::metrics;
use crate::outcome::{Done, Failure, Outcome, PhaseOutcome, Severity, Step};
use crate::parallel::in_parallel;
use crate::plan::{NodeAction, RunPlan};
use crate::process::{CALL_GRACE, Interruption, LAST_WORDS_GRACE};
use crate::progress::{Observer, Unobserved};
use crate::prune::PruneError;
use crate::settings::Settings;
use crate::supervisord;

pub use bundles::{export_bundle, import_bundle};
pub(crate) use known::{Awaited, Known};

/// Time for each last report of a run that was told to end.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// One of the jobs of slapgrid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// slapgrid-sr: software releases.
    Software,
    /// slapgrid-cp: partitions.
    Instances,
    /// slapgrid-ur: usage reports, and destruction of what is no longer wanted.
    Usage,
    /// Only the promises of the instances that shall run; the master is told nothing.
    Promises,
}

impl Phase {
    /// The word for it in documents, metrics and on terminals.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Software => "software",
            Self::Instances => "instances",
            Self::Usage => "usage",
            Self::Promises => "promises",
        }
    }
}

/// A run that could not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Another run holds the pid file, or it cannot be written.
    #[error(transparent)]
    PidFile(#[from] PidFileError),
    /// `master_url` is no URL.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The connection to the master cannot be set up.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// No descriptors are left.
    #[error("cannot handle signals")]
    Signals(#[source] io::Error),
    /// Names on the command line that the master does not know.
    #[error("no such partitions on this computer: {}", .0.join(", "))]
    UnknownPartitions(Vec<String>),
    /// Releases on the command line that the master does not know.
    #[error("no such software releases on this computer: {}", .0.join(", "))]
    UnknownReleases(Vec<String>),
    /// Shared parts that nothing uses cannot be found.
    #[error(transparent)]
    Prune(#[from] PruneError),
}

/// What [`run`] would do with the same arguments. Nothing is changed.
///
/// # Errors
/// A run could not begin. That the master cannot be asked, and the like, is in the plan.
pub fn plan_run(settings: &Settings, phases: &[Phase]) -> Result<RunPlan, RunError> {
    let interruption = Interruption::new().map_err(RunError::Signals)?;
    let known = Known::default();
    Run::new(settings, &interruption, &Unobserved, &known)?.planned(phases)
}

/// Does the phases in order, whatever becomes of each, after a pause of `delay`.
///
/// # Errors
/// The run could not begin. What fails later is in the outcome.
pub fn run(
    settings: &Settings,
    phases: &[Phase],
    delay: Option<Duration>,
    observer: &dyn Observer,
) -> Result<Outcome, RunError> {
    let interruption = if settings.mode.buildout_debug {
        Interruption::by_patient_signals()
    } else {
        Interruption::by_signals()
    };
    let interruption = interruption.map_err(RunError::Signals)?;
    if let Some(delay) = delay {
        let (seconds, maximal) = (delay.as_secs(), settings.maximal_delay.as_secs());
        log::info!(
            "waiting {seconds} s of at most maximal_delay = {maximal} s (--now begins at once)"
        );
        interruption.wait(delay);
    }
    let _lock = lock(settings)?;
    let known = Known::default();
    pass(settings, phases, &interruption, observer, &known, false)
}

/// Holds the pid file, if there is one.
pub(crate) fn lock(settings: &Settings) -> Result<Option<PidFile>, PidFileError> {
    let path = settings.pidfile.as_deref();
    path.map(PidFile::acquire).transpose()
}

/// Does the phases once. The pid file is the caller's. Where it is known that the master was away
/// before, that it still is needs no words.
pub(crate) fn pass(
    settings: &Settings,
    phases: &[Phase],
    interruption: &Interruption,
    observer: &dyn Observer,
    known: &Known,
    master_was_away: bool,
) -> Result<Outcome, RunError> {
    let mut run = Run::new(settings, interruption, observer, known)?;
    run.master_was_away = master_was_away;
    run.pass(phases)
}

/// That of now: a process that stays sees the beginning and the end of summer time.
fn local_offset() -> UtcOffset {
    let seconds = jiff::Zoned::now().offset().seconds();
    UtcOffset::from_whole_seconds(seconds).unwrap_or(UtcOffset::UTC)
}

pub(crate) fn connection(settings: &Settings) -> Result<Connection, UrlError> {
    let mut connection = Connection::to(&settings.master.url)?;
    if let Some(files) = &settings.master.certificate {
        connection = connection.client_certificate(&files.certificate, &files.key);
    }
    if let Some(authority) = &settings.master.ca_file {
        connection = connection.master_ca_file(authority);
    }
    Ok(connection)
}

fn note_interruption(outcome: &mut Outcome, interruption: &Interruption) {
    if interruption.is_requested() {
        outcome.general.push(Failure {
            severity: Severity::Interrupted,
            message: "interrupted".to_owned(),
        });
    }
}

/// Tells what failed.
fn summarise(outcome: &Outcome, master_was_away: bool) {
    for (subject, failure) in outcome.failures() {
        let level = level(failure, master_was_away);
        let first = failure.message.lines().next().unwrap_or_default();
        match subject {
            Some(subject) => match log_name(outcome, subject) {
                name if name == subject => log::log!(target: name, level, "failed: {first}"),
                name => log::log!(target: name, level, "failed: {subject}: {first}"),
            },
            None if failure.severity == Severity::Interrupted => {
                log::warn!("interrupted; the next run goes on from here");
            }
            None => log::log!(level, "failed: {first}"),
        }
    }
}

/// How loudly a failure is told.
fn level(failure: &Failure, master_was_away: bool) -> log::Level {
    if master_was_away && failure.severity.is_of_master() {
        log::Level::Debug
    } else {
        log::Level::Error
    }
}

/// The name under which the log tells of a subject: releases go by those of their directories.
fn log_name<'a>(outcome: &'a Outcome, subject: &'a str) -> &'a str {
    let mut releases = outcome.releases.iter().map(|step| &step.plan);
    releases
        .find(|plan| plan.subject() == subject)
        .map_or(subject, |plan| &plan.name)
}

struct Run<'a> {
    settings: &'a Settings,
    slap: Slap,
    /// For reports that slapgrid was told to end.
    hasty_slap: Slap,
    interruption: &'a Interruption,
    utc_offset: UtcOffset,
    /// Set by the first subject that finds it out: the others need not find out, too.
    master_is_gone: AtomicBool,
    observer: &'a dyn Observer,
    known: &'a Known,
    /// Whether it was told already that the master fails.
    master_was_away: bool,
}

impl<'a> Run<'a> {
    fn new(
        settings: &'a Settings,
        interruption: &'a Interruption,
        observer: &'a dyn Observer,
        known: &'a Known,
    ) -> Result<Self, RunError> {
        let patient = connection(settings)?.cancelled_by(interruption.since(CALL_GRACE));
        let hasty = connection(settings)?.timeout(LAST_WORDS);
        let hasty = hasty.cancelled_by(interruption.since(LAST_WORDS_GRACE));
        Ok(Run {
            settings,
            slap: patient.open()?,
            hasty_slap: hasty.open()?,
            interruption,
            utc_offset: local_offset(),
            master_is_gone: AtomicBool::new(false),
            observer,
            known,
            master_was_away: false,
        })
    }
}

impl Run<'_> {
    /// Does the phases in order, and tells at the end what failed.
    fn pass(&self, phases: &[Phase]) -> Result<Outcome, RunError> {
        let clock = Instant::now();
        let mut outcome = Outcome::begin();
        if self.settings.mode.boot {
            let booted = boot::run(self.settings, &self.slap, self.interruption);
            outcome.general.extend(booted);
        }
        self.phases(phases, &mut outcome)?;
        note_interruption(&mut outcome, self.interruption);
        outcome.elapsed = clock.elapsed();
        if let Err(error) = metrics::record(self.settings, &outcome) {
            outcome.general.push(Failure::new(Severity::Failed, &error));
        }
        summarise(&outcome, self.master_was_away);
        Ok(outcome)
    }

    /// Does the phases until one cannot begin or slapgrid is told to end.
    fn phases(&self, phases: &[Phase], outcome: &mut Outcome) -> Result<(), RunError> {
        for phase in phases {
            if self.interruption.is_requested() {
                break;
            }
            match self.phase(*phase, outcome) {
                Ok(()) => {}
                Err(error) if outcome.phases.is_empty() => return Err(error),
                // What the phases before have done is told all the same.
                Err(error) => {
                    let failure = Failure::new(Severity::Failed, &error);
                    log::error!("{failure}");
                    outcome.general.push(failure);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Does a phase; one that cannot begin is none in the outcome.
    fn phase(&self, phase: Phase, outcome: &mut Outcome) -> Result<(), RunError> {
        let clock = Instant::now();
        let mut failures = outcome.failure_counts();
        let answered_before = outcome.master.answers.take();
        self.master_is_gone.store(false, Ordering::Relaxed);
        let begun = match phase {
            Phase::Software => self.software(outcome),
            Phase::Instances => self.instances(outcome),
            Phase::Usage => self.usage(outcome),
            Phase::Promises => self.promises(outcome),
        };
        self.observer.end_phase();
        begun?;
        let informed = outcome.master.answers == Some(true);
        outcome.master.answers = outcome.master.answers.or(answered_before);
        for (severity, count) in outcome.failure_counts() {
            let before = failures.insert(severity, count).unwrap_or_default();
            failures.insert(severity, count - before);
        }
        failures.retain(|_, count| *count > 0);
        outcome.phases.push(PhaseOutcome {
            phase,
            elapsed: clock.elapsed(),
            informed,
            failures,
        });
        Ok(())
    }

    fn computer(&self) -> slap_client::Computer {
        self.slap
            .register_computer(self.settings.computer_id.as_str())
    }

    /// supervisord, running, and whether it ran before; its failure is an outcome.
    fn supervisor(&self, outcome: &mut Outcome) -> Option<(Client, Presence)> {
        match supervisord::launch_if_absent(self.settings, self.interruption) {
            Ok((client, before)) => {
                if before == Presence::Absent {
                    outcome.node.push(NodeAction::LaunchSupervisord);
                }
                Some((client, before))
            }
            Err(error) => {
                let failure = Failure::new(Severity::Failed, &error);
                log::error!("{failure}");
                outcome.general.push(failure);
                None
            }
        }
    }

    /// Works on several partitions at a time; the outcomes are in their order.
    fn in_parallel<T: Sync, R: Send>(
        &self,
        phase: Phase,
        subjects: &[T],
        work: impl Fn(&T) -> Option<R> + Sync,
    ) -> Vec<R> {
        self.observer.begin_phase(phase, subjects.len());
        in_parallel(self.settings.partition.jobs, subjects, work)
    }

    /// Does one step, unless slapgrid was told to end.
    fn step<P>(
        &self,
        reference: &str,
        plan: P,
        work: impl FnOnce(&P) -> Result<Done, Failure>,
    ) -> Option<Step<P>> {
        if self.interruption.is_requested() {
            return None;
        }
        self.observer.begin(reference);
        let step = Step::take(plan, &self.master_is_gone, work);
        self.observer.end(reference);
        Some(step)
    }

    fn context<'a>(
        &'a self,
        document: &'a ComputerPartition,
        client: &'a Client,
    ) -> PartitionContext<'a> {
        let reference = document.partition_id.as_str();
        let computer_id = self.settings.computer_id.as_str();
        let register = |slap: &Slap| slap.register_computer_partition(computer_id, reference);
        PartitionContext {
            settings: self.settings,
            layout: PartitionLayout::new(&self.settings.instance_root, reference),
            document,
            master: register(&self.slap),
            hasty_master: register(&self.hasty_slap),
            supervisor: client,
            interruption: self.interruption,
            utc_offset: self.utc_offset,
            checked: Mutex::default(),
        }
    }
}
