//! A whole run: the phases in order, partitions in parallel, one outcome.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use slap_client::{ClientError, Connection, OpenError, Slap, UrlError};
use slap_proto::documents::{Computer, ComputerPartition, InstanceState};
use slapos_fs::{PidFile, PidFileError, check_file_name};
use supervisor::{Client, Presence};
use time::UtcOffset;

use crate::boot;
use crate::context::PartitionContext;
use crate::layout::PartitionLayout;
use crate::outcome::{Failure, Outcome, Severity, SubjectOutcome, error_chain, unless_gone};
use crate::parallel::in_parallel;
use crate::partition;
use crate::plan::partition::{PartitionSelection, WantedPartition, plan_partitions, unknown_names};
use crate::plan::release::is_release;
use crate::plan::{PartitionAction, PartitionPlan, ReleaseAction, ReleasePlan};
use crate::process::Interruption;
use crate::settings::Settings;
use crate::software::{self, Software};
use crate::supervisord;
use crate::usage::Usage;

/// Time for each last report of a run that was told to end.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// One of the jobs of slapgrid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        slap: connect(settings, None)?,
        hasty_slap: connect(settings, Some(LAST_WORDS))?,
        interruption,
        utc_offset,
        master_is_gone: AtomicBool::new(false),
    };
    let mut outcome = Outcome::default();
    if settings.mode.boot {
        outcome
            .general
            .extend(boot::run(settings, &run.slap, &run.interruption));
    }
    for phase in phases {
        if run.interruption.is_requested() {
            break;
        }
        run.master_is_gone.store(false, Ordering::Relaxed);
        match phase {
            Phase::Software => run.software(&mut outcome)?,
            Phase::Instances => run.instances(&mut outcome)?,
            Phase::Usage => run.usage(&mut outcome)?,
            Phase::Promises => run.promises(&mut outcome)?,
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
    let mode = settings.mode;
    let at_once = mode.now || mode.dry_run || mode.boot || io::stdin().is_terminal();
    if at_once || maximal == 0 {
        return;
    }
    let seconds = RandomState::new().build_hasher().finish() % maximal;
    log::info!("waiting {seconds} s of at most maximal_delay = {maximal} s (--now begins at once)");
    interruption.wait(Duration::from_secs(seconds));
}

fn connect(settings: &Settings, timeout: Option<Duration>) -> Result<Slap, RunError> {
    let mut connection = Connection::to(&settings.master.url)?;
    if let Some(timeout) = timeout {
        connection = connection.timeout(timeout);
    }
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
    /// For reports that slapgrid was told to end.
    hasty_slap: Slap,
    interruption: Interruption,
    utc_offset: UtcOffset,
    /// Set by the first subject that finds it out: the others need not find out, too.
    master_is_gone: AtomicBool,
}

impl Run<'_> {
    fn computer(&self) -> slap_client::Computer {
        self.slap
            .register_computer(self.settings.computer_id.as_str())
    }

    fn software(&self, outcome: &mut Outcome) -> Result<(), RunError> {
        let computer = match self.computer().full_information() {
            Ok(computer) => computer,
            Err(error) => {
                outcome.general.push(master_failure(&error));
                return Ok(());
            }
        };
        let unknown = unknown_releases(&self.settings.software.only, &computer);
        if !unknown.is_empty() {
            return Err(RunError::UnknownReleases(unknown));
        }
        match software::plan(self.settings, &computer) {
            Ok(plans) if self.settings.mode.dry_run => show_releases(&plans),
            Ok(plans) => outcome.releases.extend(self.executor().execute(&plans)),
            Err(error) => {
                let root = self.settings.software_root.display();
                let message = format!("cannot list {root}: {error}");
                log::error!("{message}");
                outcome.general.push(Failure {
                    severity: Severity::Failed,
                    message,
                });
            }
        }
        Ok(())
    }

    fn executor(&self) -> Software<'_> {
        Software {
            settings: self.settings,
            slap: &self.slap,
            hasty_slap: &self.hasty_slap,
            interruption: &self.interruption,
            utc_offset: self.utc_offset,
            master_is_gone: &self.master_is_gone,
        }
    }

    fn instances(&self, outcome: &mut Outcome) -> Result<(), RunError> {
        let Some((client, before)) = self.supervisor(outcome) else {
            return Ok(());
        };
        let Some(partitions) = self.partitions(outcome) else {
            self.start_known(&client, before, outcome);
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
        let reference = |(_, plan): &(_, &PartitionPlan)| plan.reference.clone();
        let outcomes = self.in_parallel(&due, reference, |(document, plan)| {
            partition::execute(&self.context(document, &client), plan)
        });
        outcome.partitions.extend(outcomes);
        self.start_known(&client, before, outcome);
        Ok(())
    }

    /// Reports the usage of instances, and destroys those that are no longer wanted.
    fn usage(&self, outcome: &mut Outcome) -> Result<(), RunError> {
        let Some((client, _)) = self.supervisor(outcome) else {
            return Ok(());
        };
        let Some(partitions) = self.partitions(outcome) else {
            return Ok(());
        };
        let contexts: Vec<_> = self
            .selected(&partitions)?
            .into_iter()
            .map(|document| self.context(document, &client))
            .collect();
        if self.settings.mode.dry_run {
            show_usage(&contexts);
            return Ok(());
        }
        self.report_and_destroy(&contexts, outcome);
        Ok(())
    }

    fn report_and_destroy(&self, contexts: &[PartitionContext<'_>], outcome: &mut Outcome) {
        let usage = Usage {
            settings: self.settings,
            computer: &self.computer(),
            interruption: &self.interruption,
            utc_offset: self.utc_offset,
        };
        let reported = usage.report(contexts);
        outcome.partitions.extend(reported.partitions);
        outcome.general.extend(reported.general);
        let unwanted: Vec<_> = contexts
            .iter()
            .filter(|context| is_unwanted(context))
            .collect();
        let reference = |context: &&PartitionContext<'_>| context.layout.reference().to_owned();
        let outcomes = self.in_parallel(&unwanted, reference, |context| {
            let sent = !reported.unsent.contains(context.layout.reference());
            partition::destroy(context, sent)
        });
        outcome.partitions.extend(outcomes);
    }

    /// Checks the promises of the instances that shall run.
    fn promises(&self, outcome: &mut Outcome) -> Result<(), RunError> {
        let Some(partitions) = self.partitions(outcome) else {
            return Ok(());
        };
        let shall_run = |document: &&ComputerPartition| {
            document.requested_state.as_deref() == Some(InstanceState::Started.as_str())
        };
        let selected = self.selected(&partitions)?.into_iter();
        let due: Vec<_> = selected.filter(shall_run).collect();
        let client = Client::new(&self.settings.supervisord.paths.socket);
        let reference = |document: &&ComputerPartition| document.partition_id.clone();
        let outcomes = self.in_parallel(&due, reference, |document| {
            partition::check_promises(&self.context(document, &client))
        });
        outcome.partitions.extend(outcomes);
        Ok(())
    }

    /// The partitions with an instance, of those that are named if any are.
    fn selected<'a>(
        &self,
        partitions: &'a [ComputerPartition],
    ) -> Result<Vec<&'a ComputerPartition>, RunError> {
        let only = &self.settings.partition.only;
        let unknown = unknown_partitions(only, partitions);
        if !unknown.is_empty() {
            return Err(RunError::UnknownPartitions(unknown));
        }
        let selected = partitions.iter().filter(|document| {
            let named = only.is_empty() || only.contains(&document.partition_id);
            named && !document.is_free()
        });
        Ok(selected.collect())
    }

    /// supervisord, running unless this is a dry run, and whether it ran before; its failure is an
    /// outcome.
    fn supervisor(&self, outcome: &mut Outcome) -> Option<(Client, Presence)> {
        if self.settings.mode.dry_run {
            let client = Client::new(&self.settings.supervisord.paths.socket);
            return Some((client, Presence::Absent));
        }
        match supervisord::launch_if_absent(self.settings, &self.interruption) {
            Ok(found) => Some(found),
            Err(error) => {
                let failure = Failure::new(Severity::Failed, &error);
                log::error!("{failure}");
                outcome.general.push(failure);
                None
            }
        }
    }

    /// The partitions of the master; its failure is an outcome.
    fn partitions(&self, outcome: &mut Outcome) -> Option<Vec<ComputerPartition>> {
        match self.computer().full_information() {
            Ok(computer) => Some(self.usable(computer.computer_partition_list, outcome)),
            Err(error) => {
                outcome.general.push(master_failure(&error));
                None
            }
        }
    }

    /// Starts the services that are known where it is not certain that all run that shall: the master
    /// failed, and may for long, or supervisord is new and those of instances that are up to date
    /// were not started since.
    fn start_known(&self, client: &Client, before: Presence, outcome: &mut Outcome) {
        let offline = outcome.failures().any(|(_, failure)| {
            matches!(
                failure.severity,
                Severity::MasterFailed | Severity::MasterUnreachable
            )
        });
        let is_needed = offline || before == Presence::Absent;
        if self.settings.mode.dry_run || !is_needed {
            return;
        }
        if offline {
            log::warn!("the master failed: starting the services that are known");
        }
        match client.start_all_processes(false) {
            Ok(_) => outcome.offline |= offline,
            Err(error) => {
                log::error!("cannot start the known services: {}", error_chain(&error));
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
        let unknown = unknown_partitions(only, partitions);
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

    /// Works on several partitions at a time; the outcomes are in their order.
    fn in_parallel<T: Sync>(
        &self,
        subjects: &[T],
        reference: impl Fn(&T) -> String + Sync,
        work: impl Fn(&T) -> Result<(), Failure> + Sync,
    ) -> Vec<SubjectOutcome> {
        in_parallel(self.settings.partition.jobs, subjects, |subject| {
            (!self.interruption.is_requested()).then(|| SubjectOutcome {
                subject: reference(subject),
                result: unless_gone(&self.master_is_gone, || work(subject)),
            })
        })
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
            interruption: &self.interruption,
            utc_offset: self.utc_offset,
        }
    }
}

fn wanted(document: &ComputerPartition) -> WantedPartition {
    WantedPartition {
        reference: document.partition_id.clone(),
        free: document.is_free(),
        state: document.requested_state.clone().unwrap_or_default(),
        timestamp: document.timestamp(),
    }
}

/// References that were given on the command line and that the master does not know.
fn unknown_partitions(only: &[String], partitions: &[ComputerPartition]) -> Vec<String> {
    let wanted: Vec<_> = partitions.iter().map(wanted).collect();
    unknown_names(only, &wanted)
}

fn unknown_releases(only: &[String], computer: &Computer) -> Vec<String> {
    let releases = computer.software_release_list.iter();
    let urls: Vec<&str> = releases
        .filter_map(|release| release.url.as_deref())
        .collect();
    let is_unknown = |name: &&String| !urls.iter().any(|url| is_release(name, url));
    only.iter().filter(is_unknown).cloned().collect()
}

fn is_unwanted(context: &PartitionContext<'_>) -> bool {
    let state = context.document.requested_state.as_deref();
    state == Some(InstanceState::Destroyed.as_str())
}

fn master_failure(error: &ClientError) -> Failure {
    let failure = Failure::new(Severity::of_call(error), error);
    log::error!("{failure}");
    failure
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

fn show_usage(contexts: &[PartitionContext<'_>]) {
    for context in contexts {
        let reference = context.layout.reference();
        log::info!("would do: {reference}: report usage");
        if is_unwanted(context) {
            log::info!("would do: {reference}: destroy");
        }
    }
}
