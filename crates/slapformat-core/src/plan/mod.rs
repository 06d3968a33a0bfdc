//! What differs between the wanted and the present computer, as steps: a pure function.

mod network;
mod step;
#[cfg(test)]
mod tests;
mod unwanted;
mod users;

use std::path::{Path, PathBuf};

use slap_proto::documents::ComputerConfiguration;
use slap_proto::marshal::EncodeError;

pub(crate) use network::blind_spot;
pub use step::{RoutedTo, Step};

use crate::allocate::Conflicts;
use crate::backups;
use crate::computer::{Computer, Partition, Taps};
use crate::definition;
use crate::describe;
use crate::names::{InvalidName, check_interface, check_user};
use crate::network::NoInterface;
use crate::observe::Observed;
use crate::program::Program;
use crate::settings::Settings;

/// Shell of the users that are made: with its password locked, nobody logs in.
pub(crate) const SHELL: &str = "/bin/sh";
/// Mode of the roots of software and instances.
const ROOT_MODE: u32 = 0o755;
/// Mode of a partition's directory; slapgrid accepts no other.
const PARTITION_MODE: u32 = 0o750;
/// Mode of the files that slapformat writes.
const FILE_MODE: u32 = 0o644;

/// Everything that is to be changed on this machine, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
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
    #[error(
        "the kept partition {0} is not among the wanted ones: partitions are never renamed, since \
         their instances know their paths (was partition_base_name or the definition changed?)"
    )]
    Renaming(String),
    /// The user or tap of a kept partition would get another name.
    #[error(
        "{parameter} = {base}, but {partition} has {kept}: users and taps of partitions are never \
         renamed, since files and services of their instances depend on them"
    )]
    RenamingBase {
        /// The parameter.
        parameter: &'static str,
        /// Its value.
        base: String,
        /// The partition.
        partition: String,
        /// The name that it has.
        kept: String,
    },
    /// An interface to change does not exist.
    #[error(transparent)]
    NoInterface(#[from] NoInterface),
    /// The name of a tap or tun is that of something else.
    #[error(
        "the interface {0} exists and is not what slapformat would make: remove it, or choose \
         another tap_base_name or tun_base_name, or set create_tap = False"
    )]
    OtherInterface(String),
    /// A tap or tun of another owner cannot be made anew now.
    #[error(
        "the interface {0} belongs to another user, and a program has it open: end that program"
    )]
    TunnelInUse(String),
    /// A tap would belong to nobody.
    #[error(
        "the user {user}, who shall own {interface}, does not exist: make it, or set alter_user = True"
    )]
    NoUser {
        /// The user.
        user: String,
        /// The interface.
        interface: String,
    },
    /// A name that the system does not take.
    #[error("{partition}: {problem}")]
    Name {
        /// The partition, or what else is named.
        partition: String,
        /// What is wrong with its user or interface.
        problem: InvalidName,
    },
    /// A partition would belong to root, whose password would be locked.
    #[error("the user {user} of {partition} is root: partitions are for users without rights")]
    Root {
        /// The user.
        user: String,
        /// The partition.
        partition: String,
    },
    /// The description cannot be written.
    #[error("the computer cannot be described")]
    Encode(#[from] EncodeError),
}

/// What the computer shall be, both typed and as the document that says so.
pub(crate) struct Wanted {
    pub(crate) computer: Computer,
    pub(crate) document: ComputerConfiguration,
}

/// Compares; nothing is changed.
pub(crate) fn plan(
    settings: &Settings,
    wanted: &Wanted,
    observed: &Observed,
    conflicts: &Conflicts,
) -> Result<Plan, PlanError> {
    check_growth(settings, wanted, observed)?;
    let computer = &wanted.computer;
    check_usable(settings, computer, observed)?;
    let mut plan = Plan::default();
    if settings.alter_user {
        plan.steps
            .extend(users::steps(settings, computer, &observed.accounts));
    }
    plan.roots(settings, computer, observed);
    plan.network(settings, wanted, observed, conflicts)?;
    for partition in &computer.partitions {
        plan.partition(settings, partition, wanted, observed);
    }
    plan.documents(settings, wanted, observed)?;
    Ok(plan)
}

fn check_growth(
    settings: &Settings,
    wanted: &Wanted,
    observed: &Observed,
) -> Result<(), PlanError> {
    let Some(kept) = observed.kept.as_ref() else {
        return Ok(());
    };
    let list = &wanted.computer.partitions;
    if kept.partition_list.len() > list.len() {
        let (kept, wanted) = (kept.partition_list.len(), list.len());
        return Err(PlanError::Shrinking { kept, wanted });
    }
    for partition in &kept.partition_list {
        let is_wanted = list.iter().any(|one| one.reference == partition.reference);
        if !is_wanted {
            return Err(PlanError::Renaming(partition.reference.clone()));
        }
    }
    match observed.definition {
        Some(_) => Ok(()),
        None => check_names(settings, kept),
    }
}

/// Refuses names that the system does not take or that are root's, which definition files and
/// `computer_xml` may hold.
fn check_usable(
    settings: &Settings,
    computer: &Computer,
    observed: &Observed,
) -> Result<(), PlanError> {
    let named = |partition: &str| {
        let partition = partition.to_owned();
        move |problem| PlanError::Name { partition, problem }
    };
    if settings.alter_user {
        check_user(&computer.software_user).map_err(named("the owner of software"))?;
    }
    for partition in &computer.partitions {
        if settings.alter_user {
            check_user(&partition.user).map_err(named(&partition.reference))?;
            if observed.accounts.is_root(&partition.user) {
                let (user, partition) = (partition.user.clone(), partition.reference.clone());
                return Err(PlanError::Root { user, partition });
            }
        }
        if computer.taps != Taps::Untouched {
            check_interface(&partition.interface).map_err(named(&partition.reference))?;
        }
    }
    Ok(())
}

/// Refuses other names for users and taps of kept partitions.
fn check_names(settings: &Settings, kept: &ComputerConfiguration) -> Result<(), PlanError> {
    let taps = settings.alter_network && settings.create_tap;
    for (number, partition) in kept.partition_list.iter().enumerate() {
        for (parameter, base, name, used) in [
            (
                "user_base_name",
                &settings.user_base_name,
                &partition.user,
                settings.alter_user,
            ),
            (
                "tap_base_name",
                &settings.tap_base_name,
                &partition.tap,
                taps,
            ),
        ] {
            // A name without the partition's number came from a definition, not from a base name.
            let suffix = number.to_string();
            let kept_base = name.as_deref().and_then(|name| name.strip_suffix(&suffix));
            if let Some(kept_base) = kept_base.filter(|kept_base| used && kept_base != base) {
                return Err(PlanError::RenamingBase {
                    parameter,
                    base: base.clone(),
                    partition: partition.reference.clone(),
                    kept: format!("{kept_base}{number}"),
                });
            }
        }
    }
    Ok(())
}

/// The file that describes a partition to its instance.
pub(crate) fn resource_path(settings: &Settings, reference: &str) -> PathBuf {
    settings
        .instance_root
        .join(reference)
        .join(".slapos-resource")
}

impl Plan {
    /// The programs that its steps need.
    pub(crate) fn programs(&self) -> Vec<Program> {
        let needed = self.steps.iter().filter_map(|step| match step {
            Step::Group { .. } => Some(Program::Groupadd),
            Step::User { .. } => Some(Program::Useradd),
            Step::JoinGroup { .. } | Step::LockPassword { .. } => Some(Program::Usermod),
            _ => None,
        });
        let mut needed: Vec<_> = needed.collect();
        needed.sort_unstable();
        needed.dedup();
        needed
    }

    /// Whether it makes taps or tuns, if only for a while.
    pub(crate) fn makes_tunnels(&self) -> bool {
        let makes = |step: &Step| matches!(step, Step::Tunnel { .. } | Step::Carrier { .. });
        self.steps.iter().any(makes)
    }

    fn roots(&mut self, settings: &Settings, computer: &Computer, observed: &Observed) {
        let owner = Some(computer.software_user.as_str());
        for (root, owner) in [
            (&settings.software_root, owner),
            (&settings.instance_root, None),
        ] {
            let missing: Vec<_> = parents(root)
                .filter(|parent| !observed.directories.contains_key(*parent))
                .collect();
            for parent in missing.into_iter().rev() {
                self.directory(observed, parent, ROOT_MODE, None, settings);
            }
            let root = observed.followed.get(root).unwrap_or(root);
            self.directory(observed, root, ROOT_MODE, owner, settings);
        }
    }

    /// The network's steps. What a killed run would leave behind is written down before.
    fn network(
        &mut self,
        settings: &Settings,
        wanted: &Wanted,
        observed: &Observed,
        conflicts: &Conflicts,
    ) -> Result<(), PlanError> {
        if !settings.alter_network {
            return Ok(());
        }
        let mut steps = network::steps(settings, &wanted.computer, observed, conflicts)?;
        self.steps.append(&mut steps.removals);
        if steps.claims_anything() {
            let path = backups::unfinished(&settings.computer_xml);
            self.file(observed, path, wanted.document.to_document()?);
        }
        self.steps.append(&mut steps.tunnels);
        self.steps.append(&mut steps.addresses);
        self.steps.append(&mut steps.routes);
        Ok(())
    }

    fn partition(
        &mut self,
        settings: &Settings,
        partition: &Partition,
        wanted: &Wanted,
        observed: &Observed,
    ) {
        let owner = Some(partition.user.as_str());
        let path = settings.instance_root.join(&partition.reference);
        self.directory(observed, &path, PARTITION_MODE, owner, settings);
        for path in &partition.storage {
            self.directory(observed, path, PARTITION_MODE, owner, settings);
        }
        if let Some(document) = describe::find(Some(&wanted.document), &partition.reference) {
            let path = resource_path(settings, &partition.reference);
            let contents = describe::resource(document);
            if observed.differs(&path, &contents) {
                let mode = FILE_MODE;
                self.steps.push(Step::Resource {
                    path,
                    mode,
                    contents,
                });
            }
        }
    }

    fn documents(
        &mut self,
        settings: &Settings,
        wanted: &Wanted,
        observed: &Observed,
    ) -> Result<(), PlanError> {
        let path = &settings.computer_xml;
        if observed.kept.as_ref() != Some(&wanted.document) {
            if observed.kept.is_some() {
                self.steps.push(Step::Backup { path: path.clone() });
            }
            self.steps.push(Step::File {
                path: path.clone(),
                mode: FILE_MODE,
                contents: wanted.document.to_document()?,
            });
        }
        let unfinished = backups::unfinished(path);
        let is_written =
            |step: &Step| matches!(step, Step::File { path, .. } if *path == unfinished);
        if observed.unfinished || self.steps.iter().any(is_written) {
            self.steps.push(Step::RemoveFile { path: unfinished });
        }
        if let Some(path) = &settings.output_definition_file {
            self.file(observed, path.clone(), definition::render(&wanted.document));
        }
        Ok(())
    }

    fn directory(
        &mut self,
        observed: &Observed,
        path: &Path,
        mode: u32,
        owner: Option<&str>,
        settings: &Settings,
    ) {
        // Only root can give away, and only to someone who exists or is about to.
        let accounts = &observed.accounts.users;
        let owner = owner.filter(|name| {
            (observed.root || settings.needs_root())
                && (settings.alter_user || accounts.contains_key(*name))
        });
        let as_wanted = observed.directories.get(path).is_some_and(|present| {
            present.mode == mode
                && owner.is_none_or(|name| accounts.get(name) == Some(&present.owner))
        });
        if !as_wanted {
            self.steps.push(Step::Directory {
                path: path.to_owned(),
                mode,
                owner: owner.map(str::to_owned),
            });
        }
    }

    fn file(&mut self, observed: &Observed, path: PathBuf, contents: String) {
        if observed.differs(&path, &contents) {
            self.steps.push(Step::File {
                path,
                mode: FILE_MODE,
                contents,
            });
        }
    }
}

/// The directories that a path leads through, the innermost first.
pub(crate) fn parents(path: &Path) -> impl Iterator<Item = &Path> {
    let parents = path.ancestors().skip(1);
    parents.filter(|parent| !parent.as_os_str().is_empty())
}
