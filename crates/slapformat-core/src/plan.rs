//! What differs between the wanted and the present computer, as steps.

use std::fmt;
use std::path::{Path, PathBuf};

use slap_proto::documents::ComputerConfiguration;
use slap_proto::marshal::EncodeError;
use slapos_fs::Owner;

use crate::definition;
use crate::describe;
use crate::observe::Observed;
use crate::settings::Settings;

/// Mode of the roots of software and instances.
const ROOT_MODE: u32 = 0o755;
/// Mode of a partition's directory; slapgrid accepts no other.
const PARTITION_MODE: u32 = 0o750;
/// Mode of the files that slapformat writes.
const FILE_MODE: u32 = 0o644;

/// Everything that is to be changed on this machine, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// A directory is made, or its mode and owner are corrected.
    Directory {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Its owner, if that is to be set.
        owner: Option<Owner>,
    },
    /// A file is made or replaced.
    File {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// What it shall hold.
        contents: String,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory {
                path,
                mode,
                owner: Some(owner),
            } => {
                write!(
                    formatter,
                    "directory {} ({mode:o}, owner {}:{})",
                    path.display(),
                    owner.uid,
                    owner.gid
                )
            }
            Self::Directory {
                path,
                mode,
                owner: None,
            } => {
                write!(formatter, "directory {} ({mode:o})", path.display())
            }
            Self::File { path, mode, .. } => {
                write!(formatter, "file {} ({mode:o})", path.display())
            }
        }
    }
}

/// Wishes that cannot be fulfilled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Partitions may hold data, so none is ever removed.
    #[error(
        "there are {kept} partitions already, {wanted} are wanted: partitions are never removed"
    )]
    Shrinking {
        /// How many there are.
        kept: usize,
        /// How many are wanted.
        wanted: usize,
    },
    /// A kept partition would get another name.
    #[error("the kept partition {0} is not among the wanted ones: partitions are never renamed")]
    Renaming(String),
    /// The description cannot be written.
    #[error("the computer cannot be described")]
    Encode(#[from] EncodeError),
}

/// Compares; nothing is changed.
pub(crate) fn plan(
    settings: &Settings,
    wanted: &ComputerConfiguration,
    observed: &Observed,
) -> Result<Plan, PlanError> {
    check_growth(wanted, observed.kept.as_ref())?;
    let mut plan = Plan::default();
    let software_owner = wanted
        .software_user
        .as_ref()
        .and_then(|name| owner(observed, name));
    plan.directory(observed, &settings.software_root, ROOT_MODE, software_owner);
    plan.directory(observed, &settings.instance_root, ROOT_MODE, None);
    for partition in &wanted.partition_list {
        let path = settings.instance_root.join(&partition.reference);
        let owner = partition
            .user
            .as_ref()
            .and_then(|name| owner(observed, name));
        plan.directory(observed, &path, PARTITION_MODE, owner);
        plan.file(
            observed,
            resource_path(settings, &partition.reference),
            describe::resource(partition),
        );
    }
    if observed.kept.as_ref() != Some(wanted) {
        plan.steps.push(Step::File {
            path: settings.computer_xml.clone(),
            mode: FILE_MODE,
            contents: wanted.to_document()?,
        });
    }
    if let Some(path) = &settings.output_definition_file {
        plan.file(observed, path.clone(), definition::render(wanted));
    }
    Ok(plan)
}

fn check_growth(
    wanted: &ComputerConfiguration,
    kept: Option<&ComputerConfiguration>,
) -> Result<(), PlanError> {
    let Some(kept) = kept else {
        return Ok(());
    };
    if kept.partition_list.len() > wanted.partition_list.len() {
        let (kept, wanted) = (kept.partition_list.len(), wanted.partition_list.len());
        return Err(PlanError::Shrinking { kept, wanted });
    }
    let is_wanted = |reference: &str| {
        wanted
            .partition_list
            .iter()
            .any(|partition| partition.reference == reference)
    };
    match kept
        .partition_list
        .iter()
        .find(|partition| !is_wanted(&partition.reference))
    {
        Some(partition) => Err(PlanError::Renaming(partition.reference.clone())),
        None => Ok(()),
    }
}

/// The owner to set: only root can, and a user who does not exist yet cannot own anything.
fn owner(observed: &Observed, name: &str) -> Option<Owner> {
    observed.users.get(name).copied().filter(|_| observed.root)
}

/// The file that describes a partition to its instance.
pub(crate) fn resource_path(settings: &Settings, reference: &str) -> PathBuf {
    settings
        .instance_root
        .join(reference)
        .join(".slapos-resource")
}

impl Plan {
    fn directory(&mut self, observed: &Observed, path: &Path, mode: u32, owner: Option<Owner>) {
        let as_wanted = observed.directories.get(path).is_some_and(|present| {
            present.mode == mode && owner.is_none_or(|owner| owner == present.owner)
        });
        if !as_wanted {
            self.steps.push(Step::Directory {
                path: path.to_owned(),
                mode,
                owner,
            });
        }
    }

    fn file(&mut self, observed: &Observed, path: PathBuf, contents: String) {
        if observed
            .files
            .get(&path)
            .is_none_or(|present| present != contents.as_bytes())
        {
            self.steps.push(Step::File {
                path,
                mode: FILE_MODE,
                contents,
            });
        }
    }
}
