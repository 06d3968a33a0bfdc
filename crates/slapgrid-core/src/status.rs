//! How the node is: its services, its instances and their promises, as the disk and supervisord
//! show them. Nothing is changed, and the master is not asked.

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use supervisor::{Client, ProcessInfo, ProcessState};

use crate::boot::directories;
use crate::outcome::error_chain;
use crate::partition::confined::{ConfinedDirectory, ConfinedError};
use crate::partition::records;
use crate::promise::{Agenda, Occasion, PromiseError};
use crate::settings::Settings;

/// How the node is.
#[derive(Debug, Serialize)]
pub struct NodeStatus {
    /// Why supervisord does not answer, if it does not. Then nothing is known of services.
    pub supervisord_error: Option<String>,
    /// The partitions in which something was processed or runs, by name.
    pub partitions: Vec<PartitionStatus>,
}

/// How an instance is.
#[derive(Debug, Serialize)]
pub struct PartitionStatus {
    /// The partition.
    pub reference: String,
    /// How many seconds ago it was last processed with success; none: what the master wanted last
    /// was not reached.
    pub processed_seconds_ago: Option<u64>,
    /// Its services, by name.
    pub services: Vec<ServiceStatus>,
    /// Its promises: plugins, then programs, both by name.
    pub promises: Vec<PromiseStatus>,
    /// What could not be read.
    pub error: Option<String>,
}

/// How a service is.
#[derive(Debug, Serialize)]
pub struct ServiceStatus {
    /// Its name in the partition.
    pub name: String,
    /// Whether it runs, or is about to.
    pub runs: bool,
    /// The same in supervisord's words.
    pub description: String,
}

/// What a promise said when it was checked last.
#[derive(Debug, Serialize)]
pub struct PromiseStatus {
    /// Its file name.
    pub name: String,
    /// Whether it is kept; none: it was not checked yet.
    pub kept: Option<bool>,
    /// What it said, if it is not kept.
    pub message: String,
    /// How long the check took; none: that is not known.
    pub seconds: Option<f64>,
}

/// The directory of the partitions cannot be listed.
#[derive(Debug, thiserror::Error)]
#[error("cannot list {}", directory.display())]
pub struct StatusError {
    directory: std::path::PathBuf,
    source: io::Error,
}

/// An instance cannot be looked at.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Directory(#[from] ConfinedError),
    #[error(transparent)]
    Promises(#[from] PromiseError),
}

impl NodeStatus {
    /// Looks at the node: at the partitions that are named, if any are.
    ///
    /// # Errors
    /// The directory of the partitions cannot be listed.
    pub fn read(settings: &Settings) -> Result<Self, StatusError> {
        let client = Client::new(&settings.supervisord.paths.socket);
        let (processes, supervisord_error) = match client.all_process_info() {
            Ok(processes) => (processes, None),
            Err(error) => (Vec::new(), Some(error_chain(&error))),
        };
        let names = directories(settings).map_err(|source| StatusError {
            directory: settings.instance_root.clone(),
            source,
        })?;
        let only = &settings.partition.only;
        let partitions = names.iter().filter_map(|name| {
            let reference = name.to_str()?;
            if !only.is_empty() && !only.iter().any(|named| named == reference) {
                return None;
            }
            let status = PartitionStatus::read(settings, reference, &processes);
            status.is_used().then_some(status)
        });
        Ok(NodeStatus {
            supervisord_error,
            partitions: partitions.collect(),
        })
    }

    /// Whether supervisord answers, every service runs and every partition could be looked at.
    pub fn runs(&self) -> bool {
        let runs = |partition: &PartitionStatus| {
            partition.error.is_none() && partition.services.iter().all(|service| service.runs)
        };
        self.supervisord_error.is_none() && self.partitions.iter().all(runs)
    }

    /// Whether no promise is known to be broken.
    pub fn keeps_promises(&self) -> bool {
        let mut promises = self
            .partitions
            .iter()
            .flat_map(|partition| &partition.promises);
        promises.all(|promise| promise.kept != Some(false))
    }
}

impl PartitionStatus {
    fn read(settings: &Settings, reference: &str, processes: &[ProcessInfo]) -> Self {
        let ours = processes
            .iter()
            .filter(|process| process.group == reference);
        let mut status = PartitionStatus {
            reference: reference.to_owned(),
            processed_seconds_ago: None,
            services: ours.map(ServiceStatus::of).collect(),
            promises: Vec::new(),
            error: None,
        };
        if let Err(error) = status.look(settings) {
            status.error = Some(error_chain(&error));
        }
        status
    }

    fn look(&mut self, settings: &Settings) -> Result<(), LookError> {
        let directory = ConfinedDirectory::open(&settings.instance_root.join(&self.reference))?;
        if let Some(at) = records::processed_at(&directory)? {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let now = now.map_or(0, |now| now.as_secs());
            self.processed_seconds_ago = u64::try_from(at).ok().map(|at| now.saturating_sub(at));
        }
        self.promises = last_results(&directory)?;
        Ok(())
    }

    /// Directories of free partitions, and supervisord's own, say nothing.
    fn is_used(&self) -> bool {
        self.processed_seconds_ago.is_some()
            || self.error.is_some()
            || !self.services.is_empty()
            || !self.promises.is_empty()
    }
}

/// What the promises of a partition said when they were checked last.
pub(crate) fn last_results(
    directory: &ConfinedDirectory,
) -> Result<Vec<PromiseStatus>, PromiseError> {
    let agenda = Agenda::look(directory, Occasion::Watch, SystemTime::now())?;
    let promises = agenda.last_results().map(|(name, recorded)| {
        let result = recorded.last_result();
        PromiseStatus {
            name: name.to_owned(),
            kept: result.as_ref().map(Result::is_ok),
            message: result.and_then(Result::err).unwrap_or_default(),
            seconds: recorded.seconds(),
        }
    });
    Ok(promises.collect())
}

impl ServiceStatus {
    fn of(process: &ProcessInfo) -> Self {
        ServiceStatus {
            name: process.name.clone(),
            runs: process.state.is_running() || ended_well(process),
            description: format!("{:?} {}", process.state, process.description),
        }
    }
}

/// Whether a program has done what it was for: those that are not watched may end.
fn ended_well(process: &ProcessInfo) -> bool {
    process.state == ProcessState::Exited
        && process.exit_status == 0
        && !process.name.ends_with(supervisor::WATCH_MARK)
}
