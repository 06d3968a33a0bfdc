//! Hooks: programs of the admin that are told what a tool is about to do, or has done.
//!
//! Each event has a directory below the one that is configured; what is executable in it runs in the
//! order of the names, with the tool's own rights, and reads one JSON document. Which programs these
//! are, and what they read, is said here; each tool runs them where it runs programs.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

/// A hook that takes longer has failed.
pub const TIMEOUT: Duration = Duration::from_secs(300);
/// Of the document; changes of it that old hooks would not understand change it.
const VERSION: u32 = 1;
/// Bits of a mode that let others than the owner write.
const WRITABLE_BY_OTHERS: u32 = 0o022;
/// Bits of a mode that let somebody execute a file.
const EXECUTABLE: u32 = 0o111;

/// What hooks are told.
#[derive(Clone, Debug)]
pub struct Message<'a, Subject> {
    /// The event, which is also the name of its directory.
    pub event: &'a str,
    /// What the master calls this computer.
    pub computer_id: &'a str,
    /// The URL of the master.
    pub master_url: &'a str,
    /// Where releases live.
    pub software_root: &'a Path,
    /// Where partitions live.
    pub instance_root: &'a Path,
    /// What the event is about: a map, whose keys go beside the others.
    pub subject: &'a Subject,
}

#[derive(Serialize)]
struct Document<'a, Subject> {
    version: u32,
    event: &'a str,
    computer_id: &'a str,
    master_url: &'a str,
    software_root: &'a Path,
    instance_root: &'a Path,
    #[serde(flatten)]
    subject: &'a Subject,
}

/// The hooks of an event cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HookError {
    /// They cannot be found.
    #[error("cannot look at the hooks {}", path.display())]
    List {
        /// The directory or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else could have the tool run what they like.
    #[error("{} may be changed by others than its owner, who must be root or the tool's user", path.display())]
    Unsafe {
        /// The directory or file.
        path: PathBuf,
    },
    /// A path is no text.
    #[error("what hooks are told cannot be written")]
    Document(#[from] serde_json::Error),
}

impl<Subject: Serialize> Message<'_, Subject> {
    /// The JSON document.
    ///
    /// # Errors
    /// A path is not UTF-8.
    pub fn to_json(&self) -> Result<Vec<u8>, HookError> {
        let document = Document {
            version: VERSION,
            event: self.event,
            computer_id: self.computer_id,
            master_url: self.master_url,
            software_root: self.software_root,
            instance_root: self.instance_root,
            subject: self.subject,
        };
        Ok(serde_json::to_vec(&document)?)
    }
}

/// The programs of an event in their order; none where it has no directory.
///
/// # Errors
/// They cannot be looked at, or somebody else may change them.
pub fn programs(root: &Path, event: &str) -> Result<Vec<PathBuf>, HookError> {
    check(root)?;
    let directory = root.join(event);
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
        assert!(programs(root.path(), "instance").unwrap().is_empty());
        let later = hook(root.path(), "20-later", 0o755);
        let first = hook(root.path(), "10-first", 0o700);
        hook(root.path(), "README", 0o644);
        let found = programs(root.path(), "instance").unwrap();
        assert_eq!(found, [first, later]);
        assert!(programs(root.path(), "software").unwrap().is_empty());
    }

    #[test]
    fn what_others_may_change_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let path = hook(root.path(), "open", 0o757);
        let error = programs(root.path(), "instance").unwrap_err();
        assert!(error.to_string().contains("open"), "{error}");
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(root.path().join("instance"), Permissions::from_mode(0o777)).unwrap();
        assert!(programs(root.path(), "instance").is_err());
    }

    #[test]
    fn the_document_names_the_event_and_its_subject() {
        #[derive(Serialize)]
        struct Subject {
            partition: &'static str,
        }
        let message = Message {
            event: "instance",
            computer_id: "COMP-1",
            master_url: "http://master/",
            software_root: Path::new("/opt/slapgrid"),
            instance_root: Path::new("/srv/slapgrid"),
            subject: &Subject {
                partition: "slappart0",
            },
        };
        let json: serde_json::Value = serde_json::from_slice(&message.to_json().unwrap()).unwrap();
        assert_eq!(json["version"], VERSION);
        assert_eq!(json["event"], "instance");
        assert_eq!(json["instance_root"], "/srv/slapgrid");
        assert_eq!(json["partition"], "slappart0");
    }
}
