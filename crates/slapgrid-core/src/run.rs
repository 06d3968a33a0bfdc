//! A whole run: the phases in order, partitions in parallel, one outcome.

use std::io::{self, IsTerminal};
use std::sync::Mutex;
use std::time::Duration;

use slap_client::{ClientError, Connection, OpenError, Slap, UrlError};
use slap_proto::documents::{Computer, ComputerPartition};
use slapos_fs::{PidFile, PidFileError, check_file_name};
use time::UtcOffset;

use crate::context::PartitionContext;
use crate::layout::PartitionLayout;
use crate::outcome::{Failure, Outcome, Severity, SubjectOutcome, error_chain};
use crate::partition;
use crate::plan::partition::{PartitionSelection, WantedPartition, plan_partitions, unknown_names};
use crate::plan::{PartitionAction, PartitionPlan, ReleaseAction, ReleasePlan};
use crate::process::Interruption;
use crate::settings::Settings;
use crate::software::{self, Software};
use crate::supervisord;

/// One of the jobs of slapgrid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// slapgrid-sr: software releases.
    Software,
    /// slapgrid-cp: partitions.
    Instances,
    /// slapgrid-ur: destruction of what is no longer wanted.
    Usage,
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
}

/// Does the phases in order, whatever becomes of each.
///
/// # Errors
/// The run could not begin. What fails later is in the outcome.
pub fn run(settings: &Settings, phases: &[Phase]) -> Result<Outcome, RunError> {
    // Before there are threads: afterwards the local time zone cannot be asked for safely.
    let utc_offset = UtcOffset::current_local_offset().unwrap_or(UtcOffset::UTC);
    let interruption = Interruption::by_signals().map_err(RunError::Signals)?;
    delay(settings, &interruption);
    let _lock = match &settings.pidfile {
        Some(path) if !settings.mode.dry_run => Some(PidFile::acquire(path)?),
        _ => None,
    };
    let run = Run {
        settings,
        slap: connect(settings)?,
        interruption,
        utc_offset,
    };
    let mut outcome = Outcome::default();
    for phase in phases {
        if run.interruption.is_requested() {
            break;
        }
        match phase {
            Phase::Software => run.software(&mut outcome),
            Phase::Instances => run.instances(&mut outcome)?,
            Phase::Usage => run.usage(&mut outcome)?,
        }
    }
    if run.interruption.is_requested() {
        let message = "slapgrid was told to end".to_owned();
        outcome.general.push(Failure {
            severity: Severity::Interrupted,
            message,
        });
    }
    summarise(&outcome);
    Ok(outcome)
}

/// Nodes whose cron starts them at the same minute shall not all ask their master at once.
fn delay(settings: &Settings, interruption: &Interruption) {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let maximal = settings.maximal_delay.as_secs();
    let at_once = settings.mode.now || settings.mode.dry_run || io::stdin().is_terminal();
    if at_once || maximal == 0 {
        return;
    }
    let seconds = RandomState::new().build_hasher().finish() % maximal;
    log::info!("waiting {seconds} s of at most maximal_delay = {maximal} s (--now begins at once)");
    interruption.wait(Duration::from_secs(seconds));
}

fn connect(settings: &Settings) -> Result<Slap, RunError> {
    let mut connection = Connection::to(&settings.master.url)?;
    if let Some(files) = &settings.master.certificate {
        connection = connection.client_certificate(&files.certificate, &files.key);
    }
    if let Some(authority) = &settings.master.ca_file {
        connection = connection.master_ca_file(authority);
    }
    Ok(connection.open()?)
}

fn summarise(outcome: &Outcome) {
    for (subject, failure) in outcome.failures() {
        let subject = subject.unwrap_or("slapgrid");
        let first = failure.message.lines().next().unwrap_or_default();
        log::error!("failed: {subject}: {first}");
    }
}

struct Run<'a> {
    settings: &'a Settings,
    slap: Slap,
    interruption: Interruption,
    utc_offset: UtcOffset,
}

impl Run<'_> {
    fn computer(&self) -> Result<Computer, ClientError> {
        self.slap
            .register_computer(self.settings.computer_id.as_str())
            .full_information()
    }

    fn software(&self, outcome: &mut Outcome) {
        let computer = match self.computer() {
            Ok(computer) => computer,
            Err(error) => return outcome.general.push(master_failure(&error)),
        };
        let plans = match software::plan(self.settings, &computer) {
            Ok(plans) => plans,
            Err(error) => {
                let root = self.settings.software_root.display();
                let message = format!("cannot list {root}: {error}");
                log::error!("{message}");
                return outcome.general.push(Failure {
                    severity: Severity::Failed,
                    message,
                });
            }
        };
        if self.settings.mode.dry_run {
            return show_releases(&plans);
        }
        let (slap, interruption, utc_offset) = (&self.slap, &self.interruption, self.utc_offset);
        let software = Software {
            settings: self.settings,
            slap,
            interruption,
            utc_offset,
        };
        outcome.releases.extend(software.execute(&plans));
    }

    fn instances(&self, outcome: &mut Outcome) -> Result<(), RunError> {
        let Some(client) = self.supervisor(outcome) else {
            return Ok(());
        };
        let Some(partitions) = self.partitions(&client, outcome) else {
            return Ok(());
        };
        let plans = self.plan(&partitions)?;
        if self.settings.mode.dry_run {
            show_partitions(&plans);
            return Ok(());
        }
        let idle = |action: &PartitionAction| {
            matches!(action, PartitionAction::Ignore | PartitionAction::Keep)
        };
        let due: Vec<_> = partitions
            .iter()
            .zip(&plans)
            .filter(|(_, plan)| !idle(&plan.action))
            .collect();
        let outcomes = self.in_parallel(&due, |(document, plan)| SubjectOutcome {
            subject: plan.reference.clone(),
            result: partition::execute(&self.context(document, &client), plan),
        });
        if outcomes.iter().any(is_unreachable) {
            start_known(&client);
        }
        outcome.partitions.extend(outcomes);
        Ok(())
    }

    /// Destroys the partitions that are no longer wanted.
    fn usage(&self, outcome: &mut Outcome) -> Result<(), RunError> {
        let Some(client) = self.supervisor(outcome) else {
            return Ok(());
        };
        let Some(partitions) = self.partitions(&client, outcome) else {
            return Ok(());
        };
        let only = &self.settings.partition.only;
        let unwanted = |document: &&ComputerPartition| {
            let named = only.is_empty() || only.contains(&document.partition_id);
            let destroyed = document.requested_state.as_deref() == Some("destroyed");
            named && destroyed && !document.is_free()
        };
        let due: Vec<_> = partitions.iter().filter(unwanted).collect();
        if self.settings.mode.dry_run {
            due.iter()
                .for_each(|document| log::info!("would destroy {}", document.partition_id));
            return Ok(());
        }
        outcome
            .partitions
            .extend(self.in_parallel(&due, |document| SubjectOutcome {
                subject: document.partition_id.clone(),
                result: partition::destroy(&self.context(document, &client)),
            }));
        Ok(())
    }

    /// supervisord, running unless this is a dry run; its failure is an outcome.
    fn supervisor(&self, outcome: &mut Outcome) -> Option<supervisor::Client> {
        if self.settings.mode.dry_run {
            return Some(supervisor::Client::new(
                &self.settings.supervisord.paths.socket,
            ));
        }
        match supervisord::ensure_running(self.settings, &self.interruption) {
            Ok(client) => Some(client),
            Err(error) => {
                let failure = Failure::new(Severity::Failed, &error);
                log::error!("{failure}");
                outcome.general.push(failure);
                None
            }
        }
    }

    /// The partitions of the master; without it, the services that are known are started.
    fn partitions(
        &self,
        client: &supervisor::Client,
        outcome: &mut Outcome,
    ) -> Option<Vec<ComputerPartition>> {
        match self.computer() {
            Ok(computer) => Some(self.usable(computer.computer_partition_list, outcome)),
            Err(error) => {
                outcome.general.push(master_failure(&error));
                if error.is_unreachable() && !self.settings.mode.dry_run {
                    start_known(client);
                }
                None
            }
        }
    }

    /// Partitions whose references can name directories; the others fail.
    fn usable(
        &self,
        list: Vec<ComputerPartition>,
        outcome: &mut Outcome,
    ) -> Vec<ComputerPartition> {
        let mut usable = Vec::new();
        for partition in list {
            match check_file_name(&partition.partition_id) {
                Ok(()) => usable.push(partition),
                Err(error) => {
                    let failure = Failure::new(Severity::Failed, &error);
                    log::error!("a partition of the master: {failure}");
                    let subject = partition.partition_id.escape_debug().to_string();
                    outcome.partitions.push(SubjectOutcome {
                        subject,
                        result: Err(failure),
                    });
                }
            }
        }
        usable
    }

    fn plan(&self, partitions: &[ComputerPartition]) -> Result<Vec<PartitionPlan>, RunError> {
        let mode = self.settings.mode;
        let only = &self.settings.partition.only;
        let pairs: Vec<_> = partitions
            .iter()
            .map(|document| {
                let layout =
                    PartitionLayout::new(&self.settings.instance_root, &document.partition_id);
                let observed = partition::observe(&layout, document, &self.settings.software_root);
                (wanted(document), observed)
            })
            .collect();
        let wanted: Vec<_> = pairs.iter().map(|(wanted, _)| wanted.clone()).collect();
        let unknown = unknown_names(only, &wanted);
        if !unknown.is_empty() {
            return Err(RunError::UnknownPartitions(unknown));
        }
        let selection = PartitionSelection {
            only: only.clone(),
            force: mode.force || mode.develop,
            force_stop: mode.force_stop,
            periodicity: self.settings.partition.maximum_periodicity,
        };
        Ok(plan_partitions(&pairs, &selection))
    }

    /// Works on several subjects at a time; the outcomes are in their order.
    fn in_parallel<T: Sync>(
        &self,
        subjects: &[T],
        work: impl Fn(&T) -> SubjectOutcome + Sync,
    ) -> Vec<SubjectOutcome> {
        let slots: Vec<_> = subjects.iter().map(|_| Mutex::new(None)).collect();
        let queue = Mutex::new(subjects.iter().zip(&slots));
        let worker = || {
            while let Some((subject, slot)) = next(&queue) {
                if self.interruption.is_requested() {
                    return;
                }
                *lock(slot) = Some(work(subject));
            }
        };
        let workers = self.settings.partition.jobs.get().min(subjects.len());
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(worker);
            }
        });
        slots.iter().filter_map(|slot| lock(slot).take()).collect()
    }

    fn context<'a>(
        &'a self,
        document: &'a ComputerPartition,
        client: &'a supervisor::Client,
    ) -> PartitionContext<'a> {
        let reference = document.partition_id.as_str();
        let computer_id = self.settings.computer_id.as_str();
        PartitionContext {
            settings: self.settings,
            layout: PartitionLayout::new(&self.settings.instance_root, reference),
            document,
            master: self
                .slap
                .register_computer_partition(computer_id, reference),
            supervisor: client,
            interruption: &self.interruption,
            utc_offset: self.utc_offset,
        }
    }
}

/// The next item of a queue that threads share.
fn next<I: Iterator>(queue: &Mutex<I>) -> Option<I::Item> {
    lock(queue).next()
}

/// Takes a lock; what it guards is whole whatever happened to a thread that held it.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn wanted(document: &ComputerPartition) -> WantedPartition {
    WantedPartition {
        reference: document.partition_id.clone(),
        free: document.is_free(),
        state: document.requested_state.clone().unwrap_or_default(),
        timestamp: document.timestamp(),
    }
}

fn master_failure(error: &ClientError) -> Failure {
    let unreachable = error.is_unreachable();
    let severity = if unreachable {
        Severity::MasterUnreachable
    } else {
        Severity::Failed
    };
    let failure = Failure::new(severity, error);
    log::error!("{failure}");
    failure
}

fn is_unreachable(outcome: &SubjectOutcome) -> bool {
    matches!(&outcome.result, Err(failure) if failure.severity == Severity::MasterUnreachable)
}

/// Without a master, what ran before shall run.
fn start_known(client: &supervisor::Client) {
    log::warn!("the master cannot be reached: starting the services that are known");
    if let Err(error) = client.start_all_processes(false) {
        log::error!("cannot start the known services: {}", error_chain(&error));
    }
}

fn show_releases(plans: &[ReleasePlan]) {
    for plan in plans
        .iter()
        .filter(|plan| plan.action != ReleaseAction::Ignore)
    {
        log::info!("would do: {}: {:?}", plan.subject, plan.action);
    }
}

fn show_partitions(plans: &[PartitionPlan]) {
    for plan in plans
        .iter()
        .filter(|plan| plan.action != PartitionAction::Ignore)
    {
        log::info!("would do: {}: {:?}", plan.reference, plan.action);
    }
}
