//! The programs of a partition that supervisord runs: the services of its instance in `etc/run` and
//! `etc/service`, and what prepares its removal in `etc/prerm`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use slapos_fs::{RemoveError, remove_file, step};
use supervisor::{
    Client, ConfigurationFileError, FaultCode, GroupChange, GroupConfig, Owner, Paths, ProcessInfo,
    ProcessState, ProgramConfig, Watch, XmlRpcError, write_group,
};

use crate::partition::confined::{ConfinedDirectory, ConfinedError};
use crate::process::Account;

/// The services of a partition could not be brought to a state.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ServiceError {
    /// The partition's directories could not be listed.
    #[error("cannot list the services of {partition}")]
    List {
        /// The partition.
        partition: String,
        /// Why.
        source: ConfinedError,
    },
    /// A file name is no text, so that no configuration can name it.
    #[error("{partition} has a service whose name is not UTF-8: {name:?}")]
    NotUtf8 {
        /// The partition.
        partition: String,
        /// The name.
        name: OsString,
    },
    /// The configuration file could not be written.
    #[error("cannot configure the services of {partition}")]
    Configure {
        /// The partition.
        partition: String,
        /// Why.
        source: ConfigurationFileError,
    },
    /// The configuration file could not be removed.
    #[error(transparent)]
    Remove(#[from] RemoveError),
    /// The file of another partition could not be set aside.
    #[error("cannot rename {}", path.display())]
    SetAside {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// supervisord refused, or did not answer.
    #[error("cannot {action} the services of {partition}")]
    Supervisor {
        /// What was tried, as a verb.
        action: &'static str,
        /// The partition.
        partition: String,
        /// Why.
        source: XmlRpcError,
    },
}

impl ServiceError {
    /// Whether slapgrid was told to end.
    pub(crate) fn is_interruption(&self) -> bool {
        let Self::Supervisor { source, .. } = self else {
            return false;
        };
        matches!(source, XmlRpcError::Cancelled { .. })
    }
}

/// How the names of groups end that prepare a removal; slapos.core calls them so.
const BEFORE_REMOVAL: &str = "-prerm";

/// Directories below `etc`, and whether the watchdog watches what is in them. A program of several
/// is what the last one says.
type Places = &'static [(&'static str, Watch)];

/// supervisord, as far as one group of programs is concerned. Several threads may each have their partition.
#[derive(Clone, Debug)]
pub(crate) struct Services<'a> {
    /// The name of the group.
    partition: String,
    places: Places,
    paths: &'a Paths,
    client: &'a Client,
}

impl<'a> Services<'a> {
    /// The services of the instance of a partition, whose group has the partition's name.
    pub(crate) fn of_instance(partition: &str, paths: &'a Paths, client: &'a Client) -> Self {
        Services {
            partition: partition.to_owned(),
            places: &[("run", Watch::Unwatched), ("service", Watch::Watched)],
            paths,
            client,
        }
    }

    /// What runs before a partition is emptied: a group of its own, which runs to its end.
    pub(crate) fn before_removal(partition: &str, paths: &'a Paths, client: &'a Client) -> Self {
        Services {
            partition: format!("{partition}{BEFORE_REMOVAL}"),
            places: &[("prerm", Watch::Unwatched)],
            paths,
            client,
        }
    }

    /// Whether that is the name of their group.
    pub(crate) fn is_group(&self, name: &str) -> bool {
        self.partition == name
    }

    /// Whether supervisord has a file about them.
    pub(crate) fn are_configured(&self) -> bool {
        self.file().exists()
    }

    /// Has supervisord know the programs that the partition has now. They are not started; those that run and
    /// did not change keep running unless another program of the partition changed.
    pub(crate) fn configure(
        &self,
        directory: &ConfinedDirectory,
        account: &Account,
    ) -> Result<GroupChange, ServiceError> {
        let programs = self.programs(directory, account)?;
        if programs.is_empty() {
            log::info!(target: &self.partition, "there are no services");
            return self.stop();
        }
        let group = GroupConfig {
            name: self.partition.clone(),
            programs,
        };
        write_group(self.paths, &group).map_err(|source| ServiceError::Configure {
            partition: self.partition.clone(),
            source,
        })?;
        remove_file(&aside(&self.file()))?;
        self.update()
    }

    /// Starts what does not run. Programs that cannot be started are warned of: whether the instance works
    /// is for its promises to say.
    pub(crate) fn start(&self) -> Result<(), ServiceError> {
        let outcomes = match self.client.start_process_group(&self.partition, false) {
            Err(error) if error.is_fault(FaultCode::BadName) => return Ok(()),
            result => result.map_err(|source| self.error("start", source))?,
        };
        step("started the group", Path::new(&self.partition));
        for outcome in outcomes
            .iter()
            .filter(|outcome| !is_running(&outcome.status))
        {
            let (name, why) = (&outcome.name, &outcome.description);
            log::warn!(target: &self.partition, "cannot start {name}: {why}");
        }
        Ok(())
    }

    /// Stops all programs and has supervisord forget them, so that they stay stopped when it is restarted.
    pub(crate) fn stop(&self) -> Result<GroupChange, ServiceError> {
        remove_file(&self.file())?;
        remove_file(&aside(&self.file()))?;
        self.update()
    }

    /// Starts those that were never started, unlike [`Services::start`]. One that cannot be started, or
    /// fails at once, is warned of and does not keep the others from their work.
    pub(crate) fn start_new(&self) -> Result<(), ServiceError> {
        for process in self.processes()? {
            let is_new = process.state == ProcessState::Stopped && process.start.is_none();
            if process.group == self.partition && is_new {
                log::info!(target: &self.partition, "starting {}", process.name);
                match self.client.start_process(&process.full_name(), false) {
                    Err(fault @ XmlRpcError::Fault { .. }) => {
                        log::warn!(target: &self.partition, "{}: {fault}", process.name);
                    }
                    started => started.map_err(|source| self.error("start", source))?,
                }
                step("started", Path::new(&process.name));
            }
        }
        Ok(())
    }

    /// All programs that supervisord knows, those of other groups too.
    pub(crate) fn processes(&self) -> Result<Vec<ProcessInfo>, ServiceError> {
        let all = self.client.all_process_info();
        all.map_err(|source| self.error("examine", source))
    }

    /// supervisord reads all files or none: one of another partition that it cannot read, since its
    /// directory or user has gone, is set aside, lest it stop every partition.
    fn update(&self) -> Result<GroupChange, ServiceError> {
        loop {
            let error = match self.client.update_group(&self.partition) {
                Ok(change) => {
                    step("updated the group", Path::new(&self.partition));
                    return Ok(change);
                }
                Err(error) => error,
            };
            let Some(culprit) = self.unreadable(&error) else {
                return Err(self.error("update", error));
            };
            set_aside(&culprit, &error)?;
        }
    }

    /// The file of another group that supervisord says it cannot read.
    fn unreadable(&self, error: &XmlRpcError) -> Option<PathBuf> {
        if !error.is_fault(FaultCode::CantReread) {
            return None;
        }
        let (text, own) = (error.to_string(), self.file());
        let files = std::fs::read_dir(own.parent()?).ok()?;
        let mut paths = files.filter_map(|entry| Some(entry.ok()?.path()));
        paths.find(|path| {
            let is_group = path.extension().is_some_and(|end| end == "conf");
            is_group && *path != own && text.contains(&path.display().to_string())
        })
    }

    fn programs(
        &self,
        directory: &ConfinedDirectory,
        account: &Account,
    ) -> Result<Vec<ProgramConfig>, ServiceError> {
        let mut programs = BTreeMap::new();
        for (place, watch) in self.places {
            for name in self.names(directory, place)? {
                let path = directory.path().join("etc").join(place).join(&name);
                let program = self.program(name.clone(), &path, *watch, directory.path(), account);
                programs.insert(name, program);
            }
        }
        Ok(programs.into_values().collect())
    }

    fn names(
        &self,
        directory: &ConfinedDirectory,
        place: &str,
    ) -> Result<Vec<String>, ServiceError> {
        let failed = |source| ServiceError::List {
            partition: self.partition.clone(),
            source,
        };
        let Some(directory) = directory.below(&["etc", place]).map_err(failed)? else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        for name in directory.names().map_err(failed)? {
            if directory
                .metadata(&name)
                .map_err(failed)?
                .is_some_and(|found| found.is_dir())
            {
                continue;
            }
            let name = name.into_string().map_err(|name| ServiceError::NotUtf8 {
                partition: self.partition.clone(),
                name,
            })?;
            names.push(name);
        }
        Ok(names)
    }

    fn program(
        &self,
        file_name: String,
        path: &Path,
        watch: Watch,
        directory: &Path,
        account: &Account,
    ) -> ProgramConfig {
        let log_file = directory.join(format!(".{}_{file_name}.log", self.partition));
        ProgramConfig {
            file_name,
            watch,
            command: vec![path.to_string_lossy().into_owned()],
            directory: directory.to_owned(),
            owner: Owner {
                uid: account.ids().0,
                gid: account.ids().1,
            },
            log_file,
            environment: vec![
                ("USER".to_owned(), account.name.clone()),
                ("LOGNAME".to_owned(), account.name.clone()),
                (
                    "HOME".to_owned(),
                    account.home.to_string_lossy().into_owned(),
                ),
            ],
        }
    }

    fn file(&self) -> PathBuf {
        self.paths.group_file(&self.partition)
    }

    fn error(&self, action: &'static str, source: XmlRpcError) -> ServiceError {
        ServiceError::Supervisor {
            action,
            partition: self.partition.clone(),
            source,
        }
    }
}

/// Starts all services that supervisord knows and that do not run, not those that prepare a removal:
/// what these do is done once.
///
/// # Errors
/// supervisord does not answer.
pub(crate) fn start_known(client: &Client) -> Result<(), XmlRpcError> {
    let known = client.all_process_info()?;
    let idle = known.iter().filter(|process| !process.state.is_alive());
    let groups: BTreeSet<_> = idle.map(|process| process.group.as_str()).collect();
    for group in groups.iter().filter(|group| !is_before_removal(group)) {
        match client.start_process_group(group, false) {
            // It has gone meanwhile.
            Err(error) if error.is_fault(FaultCode::BadName) => {}
            result => drop(result?),
        }
    }
    Ok(())
}

/// Whether supervisord could not read the file of a partition, whose services it does not have since.
pub(crate) fn are_set_aside(partition: &str, paths: &Paths) -> bool {
    aside(&paths.group_file(partition)).exists()
}

/// The name under which supervisord's include does not find a file.
fn aside(path: &Path) -> PathBuf {
    path.with_extension("conf.unreadable")
}

/// Keeps a file out of supervisord's sight. Its partition counts as not processed until it is
/// processed, which writes the file anew.
fn set_aside(path: &Path, why: &XmlRpcError) -> Result<(), ServiceError> {
    let aside = aside(path);
    match std::fs::rename(path, &aside) {
        // Another thread was quicker.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(ServiceError::SetAside {
            path: path.to_owned(),
            source,
        }),
        Ok(()) => {
            let (path, aside) = (path.display(), aside.display());
            log::error!("{path} is set aside as {aside}, since it stops all partitions: {why}");
            Ok(())
        }
    }
}

fn is_before_removal(group: &str) -> bool {
    group.ends_with(BEFORE_REMOVAL)
}

fn is_running(status: &FaultCode) -> bool {
    matches!(status, FaultCode::Success | FaultCode::AlreadyStarted)
}
