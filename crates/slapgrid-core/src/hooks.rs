//! Hooks: programs of the admin that are told what slapgrid is about to do, or has done.
//!
//! Each event has a directory below the one that is configured; what is executable in it runs in the
//! order of the names, with slapgrid's own rights, and reads one JSON document.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::environment::Environment;
use crate::process::{self, Interruption, ProcessError, Program};
use crate::settings::Settings;

/// A hook that takes longer has failed.
const TIMEOUT: Duration = Duration::from_secs(300);
/// Of the document; changes of it that old hooks would not understand change it.
const VERSION: u32 = 1;
/// Bits of a mode that let others than the owner write.
const WRITABLE_BY_OTHERS: u32 = 0o022;
/// Bits of a mode that let somebody execute a file.
const EXECUTABLE: u32 = 0o111;

/// When hooks run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
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

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    event: Event,
    computer_id: &'a str,
    master_url: &'a str,
    software_root: &'a Path,
    instance_root: &'a Path,
    #[serde(flatten)]
    subject: &'a HookSubject<'a>,
}

/// Hooks could not be run, or one of them failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum HookError {
    /// The hooks of an event cannot be found.
    #[error("cannot look at the hooks {}", path.display())]
    List {
        /// The directory or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else could have slapgrid run what they like.
    #[error("{} may be changed by others than its owner, who must be root or slapgrid's user", path.display())]
    Unsafe {
        /// The directory or file.
        path: PathBuf,
    },
    /// A path is no text.
    #[error("what hooks are told cannot be written")]
    Document(#[from] serde_json::Error),
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
        let hooks = hooks_of(root, event)?;
        if hooks.is_empty() {
            return Ok(());
        }
        let document = Document {
            version: VERSION,
            event,
            computer_id: &self.settings.computer_id,
            master_url: &self.settings.master.url,
            software_root: &self.settings.software_root,
            instance_root: &self.settings.instance_root,
            subject,
        };
        let input = serde_json::to_vec(&document)?;
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

/// The programs of an event in their order; none where it has no directory.
fn hooks_of(root: &Path, event: Event) -> Result<Vec<PathBuf>, HookError> {
    check(root)?;
    let directory = root.join(event.name());
    let entries = match std::fs::read_dir(&directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(list_error(&directory))?,
    };
    check(&directory)?;
    let mut hooks = Vec::new();
    for entry in entries {
        let path = entry.map_err(list_error(&directory))?.path();
        if is_program(&check(&path)?) {
            hooks.push(path);
        }
    }
    hooks.sort();
    Ok(hooks)
}

fn is_program(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.permissions().mode() & EXECUTABLE != 0
}

/// Refuses what others than root and slapgrid's own user may change; links are followed.
fn check(path: &Path) -> Result<Metadata, HookError> {
    let metadata = path.metadata().map_err(list_error(path))?;
    let owner = metadata.uid();
    let trusted = owner == 0 || owner == nix::unistd::geteuid().as_raw();
    if !trusted || metadata.mode() & WRITABLE_BY_OTHERS != 0 {
        return Err(HookError::Unsafe {
            path: path.to_owned(),
        });
    }
    Ok(metadata)
}

fn list_error(path: &Path) -> impl Fn(io::Error) -> HookError + '_ {
    move |source| HookError::List {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    fn hook(root: &Path, name: &str, mode: u32) -> PathBuf {
        let directory = root.join("instance");
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join(name);
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn programs_of_an_event_are_found_in_order() {
        let root = tempfile::tempdir().unwrap();
        assert!(hooks_of(root.path(), Event::Instance).unwrap().is_empty());
        let later = hook(root.path(), "20-later", 0o755);
        let first = hook(root.path(), "10-first", 0o700);
        hook(root.path(), "README", 0o644);
        let found = hooks_of(root.path(), Event::Instance).unwrap();
        assert_eq!(found, [first, later]);
        assert!(hooks_of(root.path(), Event::Software).unwrap().is_empty());
    }

    #[test]
    fn what_others_may_change_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let path = hook(root.path(), "open", 0o757);
        let error = hooks_of(root.path(), Event::Instance).unwrap_err();
        assert!(error.to_string().contains("open"), "{error}");
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(root.path().join("instance"), Permissions::from_mode(0o777)).unwrap();
        assert!(hooks_of(root.path(), Event::Instance).is_err());
    }

    #[test]
    fn the_document_names_the_event_and_its_subject() {
        let subject = HookSubject::Software(ReleaseFacts {
            url: "https://example.org/software.cfg",
            name: "bc13",
            directory: Path::new("/opt/slapgrid/bc13"),
            requested_state: "available",
        });
        let document = Document {
            version: VERSION,
            event: Event::SoftwareTearDown,
            computer_id: "COMP-1",
            master_url: "http://master/",
            software_root: Path::new("/opt/slapgrid"),
            instance_root: Path::new("/srv/slapgrid"),
            subject: &subject,
        };
        let json = serde_json::to_value(&document).unwrap();
        assert_eq!(json["event"], Event::SoftwareTearDown.name());
        assert_eq!(json["software"]["directory"], "/opt/slapgrid/bc13");
        assert_eq!(json["partition"], serde_json::Value::Null);
    }
}
