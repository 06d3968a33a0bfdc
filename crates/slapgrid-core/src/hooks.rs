//! Hooks: programs of the admin that are told what slapgrid is about to do, or has done
//! ([`slapos_hooks`]).

use std::path::Path;

use serde::Serialize;
use slapos_hooks::{Message, TIMEOUT};

use crate::environment::Environment;
use crate::process::{self, Interruption, ProcessError, Program};
use crate::settings::Settings;

/// When hooks run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A release is about to be installed or removed.
    Software,
    /// A release was installed or removed.
    SoftwareTearDown,
    /// A partition is about to be brought to the state that is wanted.
    Instance,
    /// A partition was brought to the state that is wanted.
    InstanceTearDown,
    /// A partition, stopped, is about to be emptied.
    Report,
    /// A partition was emptied.
    ReportTearDown,
}

impl Event {
    /// The name of its directory.
    fn name(self) -> &'static str {
        match self {
            Self::Software => "software",
            Self::SoftwareTearDown => "software-tear-down",
            Self::Instance => "instance",
            Self::InstanceTearDown => "instance-tear-down",
            Self::Report => "report",
            Self::ReportTearDown => "report-tear-down",
        }
    }
}

/// What an event is about.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HookSubject<'a> {
    /// A software release.
    Software(ReleaseFacts<'a>),
    /// A partition.
    Partition(PartitionFacts<'a>),
}

/// A software release, as hooks are told.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ReleaseFacts<'a> {
    pub(crate) url: &'a str,
    /// The name of its directory.
    pub(crate) name: &'a str,
    pub(crate) directory: &'a Path,
    pub(crate) requested_state: &'a str,
}

/// A partition, as hooks are told.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PartitionFacts<'a> {
    pub(crate) reference: &'a str,
    pub(crate) directory: &'a Path,
    pub(crate) user: &'a str,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) requested_state: &'a str,
    pub(crate) software_release_url: Option<&'a str>,
    pub(crate) instance_guid: Option<&'a str>,
}

/// Hooks could not be run, or one of them failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum HookError {
    /// They cannot be found, or told.
    #[error(transparent)]
    Prepare(#[from] slapos_hooks::HookError),
    /// A hook failed.
    #[error("the hook {name} of the event {event} failed")]
    Failed {
        /// The event.
        event: &'static str,
        /// The hook's file name.
        name: String,
        /// Why.
        source: ProcessError,
    },
}

impl HookError {
    /// Whether slapgrid was told to end.
    pub(crate) fn is_interruption(&self) -> bool {
        matches!(self, Self::Failed { source, .. } if source.is_interruption())
    }
}

/// The hooks, run for one subject.
pub(crate) struct Hooks<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) interruption: &'a Interruption,
    /// Under which the output of hooks is logged.
    pub(crate) log_name: &'a str,
}

impl Hooks<'_> {
    /// Runs the hooks of an event. The first that fails is the end of it.
    pub(crate) fn run(&self, event: Event, subject: &HookSubject<'_>) -> Result<(), HookError> {
        let Some(root) = &self.settings.hooks_directory else {
            return Ok(());
        };
        let hooks = slapos_hooks::programs(root, event.name())?;
        if hooks.is_empty() {
            return Ok(());
        }
        let message = Message {
            event: event.name(),
            computer_id: &self.settings.computer_id,
            master_url: &self.settings.master.url,
            software_root: &self.settings.software_root,
            instance_root: &self.settings.instance_root,
            subject,
        };
        let input = message.to_json()?;
        hooks
            .iter()
            .try_for_each(|path| self.run_one(event, path, &input))
    }

    fn run_one(&self, event: Event, path: &Path, input: &[u8]) -> Result<(), HookError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        log::debug!(target: self.log_name, "hook {} {name}", event.name());
        let environment = Environment::clean(Path::new("/"));
        let mut program = Program::new(path, [] as [&str; 0], Path::new("/"), environment);
        program.timeout = Some(TIMEOUT);
        program.input = input.to_vec();
        let finished = process::run(&program, self.interruption, &mut |line| {
            log::info!(target: self.log_name, "{name}: {}", line.text);
        });
        let finished = finished.and_then(process::Finished::into_success);
        finished.map(drop).map_err(|source| HookError::Failed {
            event: event.name(),
            name: name.into_owned(),
            source,
        })
    }
}
