//! The services of a partition: what its `etc/run` and `etc/service` have supervisord run.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use slapos_fs::FileAttributes;
use supervisor::{
    Client, FaultCode, GroupChange, GroupConfig, Owner, Paths, ProgramConfig, RenderError, Watch,
    XmlRpcError,
};

use crate::partition::confined::{ConfinedDirectory, ConfinedError};
use crate::process::Account;

const FILE: FileAttributes = FileAttributes {
    mode: 0o600,
    owner: None,
};

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
    /// supervisord would misread a name or path.
    #[error("cannot configure the services of {partition}")]
    Render {
        /// The partition.
        partition: String,
        /// Why.
        source: RenderError,
    },
    /// The configuration file could not be written.
    #[error("cannot configure the services of {partition}")]
    Write {
        /// The partition.
        partition: String,
        /// Why.
        source: slapos_fs::WriteError,
    },
    /// The configuration file could not be removed.
    #[error("cannot remove {}", path.display())]
    Remove {
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

/// supervisord, as far as one partition is concerned. Several threads may each have their partition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Services<'a> {
    /// The partition, which is the name of the group too.
    pub(crate) partition: &'a str,
    /// Where supervisord's files are.
    pub(crate) paths: &'a Paths,
    /// The supervisord.
    pub(crate) client: &'a Client,
}

impl Services<'_> {
    /// Has supervisord know the programs that the partition has now. They are not started; those that run and
    /// did not change keep running unless another program of the partition changed.
    pub(crate) fn configure(
        &self,
        directory: &ConfinedDirectory,
        account: &Account,
    ) -> Result<GroupChange, ServiceError> {
        let programs = self.programs(directory, account)?;
        if programs.is_empty() {
            log::info!("{}: there are no services", self.partition);
            return self.stop();
        }
        let group = GroupConfig {
            name: self.partition.to_owned(),
            programs,
        };
        let text = group.render().map_err(|source| ServiceError::Render {
            partition: self.partition.to_owned(),
            source,
        })?;
        slapos_fs::write_if_changed(&self.file(), text.as_bytes(), FILE).map_err(|source| {
            ServiceError::Write {
                partition: self.partition.to_owned(),
                source,
            }
        })?;
        self.update()
    }

    /// Starts what does not run. Programs that cannot be started are warned of: whether the instance works
    /// is for its promises to say.
    pub(crate) fn start(&self) -> Result<(), ServiceError> {
        let outcomes = match self.client.start_process_group(self.partition, false) {
            Err(error) if error.is_fault(FaultCode::BadName) => return Ok(()),
            result => result.map_err(|source| self.error("start", source))?,
        };
        for outcome in outcomes
            .iter()
            .filter(|outcome| !is_running(&outcome.status))
        {
            let (name, why) = (&outcome.name, &outcome.description);
            log::warn!("{}: cannot start {name}: {why}", self.partition);
        }
        Ok(())
    }

    /// Stops all programs and has supervisord forget them, so that they stay stopped when it is restarted.
    pub(crate) fn stop(&self) -> Result<GroupChange, ServiceError> {
        let path = self.file();
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(ServiceError::Remove { path, source });
            }
            _ => {}
        }
        self.update()
    }

    /// Names of the programs that supervisord runs now.
    pub(crate) fn running(&self) -> Result<Vec<String>, ServiceError> {
        let all = self.client.all_process_info();
        let all = all.map_err(|source| self.error("examine", source))?;
        let ours = all
            .into_iter()
            .filter(|process| process.group == self.partition && process.state.is_running());
        Ok(ours.map(|process| process.name).collect())
    }

    fn update(&self) -> Result<GroupChange, ServiceError> {
        let change = self.client.update_group(self.partition);
        change.map_err(|source| self.error("update", source))
    }

    fn programs(
        &self,
        directory: &ConfinedDirectory,
        account: &Account,
    ) -> Result<Vec<ProgramConfig>, ServiceError> {
        let mut programs = BTreeMap::new();
        for (place, watch) in [("run", Watch::Unwatched), ("service", Watch::Watched)] {
            for name in self.names(directory, place)? {
                // A program of both places is watched.
                let path = directory.path().join("etc").join(place).join(&name);
                programs.insert(
                    name.clone(),
                    self.program(name, &path, watch, directory.path(), account),
                );
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
            partition: self.partition.to_owned(),
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
                partition: self.partition.to_owned(),
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
        self.paths.group_file(self.partition)
    }

    fn error(&self, action: &'static str, source: XmlRpcError) -> ServiceError {
        ServiceError::Supervisor {
            action,
            partition: self.partition.to_owned(),
            source,
        }
    }
}

fn is_running(status: &FaultCode) -> bool {
    matches!(status, FaultCode::Success | FaultCode::AlreadyStarted)
}
