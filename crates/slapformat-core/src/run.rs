//! A whole run: observe, plan, act, tell the master.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use nix::unistd::geteuid;
use slap_client::{ClientError, OpenError, Slap};
use slap_proto::documents::ComputerConfiguration;
use slapos_fs::WriteError;

use crate::allocate::{AllocateError, Conflict, Conflicts};
use crate::backups;
use crate::compose::compose;
use crate::describe;
use crate::execute::{ExecuteError, Execution, execute};
use crate::hooks::{self, Event, FormatHookError};
use crate::lock;
use crate::observe::{ObserveError, Observed, check_places};
use crate::plan::{Plan, PlanError, Wanted, plan, resource_path};
use crate::program::{self, ProgramError};
use crate::settings::Settings;
use crate::tunnel;
use crate::warnings;

/// How often other addresses are tried for those that others on the link have.
const ATTEMPTS: usize = 10;

/// What a run came to.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// A dry run: what would be done.
    Planned(Plan),
    /// The machine is as wanted and the master knows. The plan is what it took.
    Done(Plan),
    /// The machine is as wanted; the master could not be reached.
    Offline(Plan, ClientError),
}

/// A run failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// Users and interfaces are root's.
    #[error(
        "only root may make users and change interfaces: run as root, or set alter_user = False \
         and alter_network = False, or see with --dry_run what would be done"
    )]
    NotRoot,
    /// Another run may be under way.
    #[error("cannot lock {path}")]
    Lock {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What there is could not be found out.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// Addresses are not to be had.
    #[error(transparent)]
    Allocate(#[from] AllocateError),
    /// What is wanted cannot be.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A program is missing; nothing was changed.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The kernel makes no taps and tuns; nothing was changed.
    #[error("/dev/net/tun is needed for taps and tuns and not there: try modprobe tun")]
    NoTunnels,
    /// A hook failed.
    #[error(transparent)]
    Hook(#[from] FormatHookError),
    /// A step failed.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// Addresses of the definition cannot be exchanged for others.
    #[error("the definition gives addresses that someone else has: {0}")]
    DefinedDuplicates(String),
    /// Others on the link have every address that was tried.
    #[error("{ATTEMPTS} times other addresses were tried, and someone else had some: {0}")]
    Duplicates(String),
    /// A partition's user put something in the way of its description.
    #[error("the machine is prepared, but some partitions do not know their description")]
    Resource(#[source] WriteError),
    /// The connection to the master cannot be set up.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The master does not know the computer.
    #[error("the master does not know the computer {computer_id}: is computer_id right (COMP-…)?")]
    UnknownComputer {
        /// The computer's reference.
        computer_id: String,
        /// What the master said.
        source: ClientError,
    },
    /// The master does not take the description.
    #[error("the machine is prepared, but the master does not take its description")]
    Post(#[source] ClientError),
}

/// Prepares the machine and tells the master; a dry run does neither.
///
/// # Errors
/// Something cannot be found out, is not possible, or fails. What was done by then stays, and the
/// next run does the rest.
pub fn run(settings: &Settings) -> Result<Outcome, FormatError> {
    settings
        .warnings
        .iter()
        .for_each(|warning| log::warn!("{warning}"));
    let output = settings.output_definition_file.as_deref();
    check_places(output.into_iter().chain([settings.computer_xml.as_path()]))?;
    if settings.dry_run {
        let (plan, _) = prepare(settings, &Conflicts::new())?;
        if let Err(error) = check_means(&plan) {
            log::warn!("{error}");
        }
        return Ok(Outcome::Planned(plan));
    }
    check_rights(settings)?;
    // What is wrong with certificates is said before anything is changed.
    let master = settings.master.clone().open()?;
    let path = backups::lock(&settings.computer_xml);
    let lock = lock::acquire(&path).map_err(|source| FormatError::Lock { path, source })?;
    let (plan, document, failures) = carry_through(settings, &lock)?;
    hooks::run(settings, Event::FormatTearDown, &document)?;
    let outcome = post(settings, &master, &document, plan)?;
    let Some(first) = failures.into_iter().next() else {
        return Ok(outcome);
    };
    if let Outcome::Offline(_, error) = outcome {
        log::warn!("the master was not told: {error}");
    }
    Err(FormatError::Resource(first))
}

/// Says that only root can do this, where that is so. A dry run is anyone's.
///
/// # Errors
/// Users or interfaces are to be changed, and this is not root.
pub fn check_rights(settings: &Settings) -> Result<(), FormatError> {
    if settings.needs_root() && !settings.dry_run && !geteuid().is_root() {
        return Err(FormatError::NotRoot);
    }
    Ok(())
}

/// Says what is missing to carry out a plan.
fn check_means(plan: &Plan) -> Result<(), FormatError> {
    program::check_installed(plan.programs())?;
    if plan.makes_tunnels() && !tunnel::is_available() {
        return Err(FormatError::NoTunnels);
    }
    Ok(())
}

/// Plans and acts until no address is in the way.
fn carry_through(
    settings: &Settings,
    lock: &File,
) -> Result<(Plan, ComputerConfiguration, Vec<WriteError>), FormatError> {
    let mut conflicts = Conflicts::new();
    let mut taken = Plan::default();
    for _ in 0..ATTEMPTS {
        let (mut plan, document) = prepare(settings, &conflicts)?;
        check_means(&plan)?;
        if conflicts.is_empty() {
            hooks::run(settings, Event::Format, &document)?;
        }
        match execute(&plan, lock)? {
            Execution::Complete { failures } => {
                for failure in &failures {
                    log::error!("{failure}: {}", failure.source);
                }
                taken.steps.append(&mut plan.steps);
                return Ok((taken, document, failures));
            }
            Execution::Conflicts {
                conflicts: found,
                done,
            } => {
                taken.steps.extend(plan.steps.drain(..done));
                found.iter().for_each(|(address, conflict)| match conflict {
                    Conflict::Duplicate => log::warn!("someone else on the link has {address}"),
                    Conflict::Foreign => log::warn!("someone else has just taken {address}"),
                });
                conflicts.extend(found);
            }
        }
        if settings.input_definition_file.is_some() {
            return Err(FormatError::DefinedDuplicates(list(&conflicts)));
        }
    }
    Err(FormatError::Duplicates(list(&conflicts)))
}

fn list(conflicts: &Conflicts) -> String {
    let addresses: Vec<_> = conflicts.keys().map(ToString::to_string).collect();
    addresses.join(", ")
}

/// Observes and plans.
fn prepare(
    settings: &Settings,
    conflicts: &Conflicts,
) -> Result<(Plan, ComputerConfiguration), FormatError> {
    let mut observed = Observed::read(settings)?;
    let (computer, warnings) = compose(settings, &observed, conflicts)?;
    let kept = observed.kept.as_ref();
    let document = describe::document(settings, &computer, &observed.machine, kept);
    let wanted = Wanted { computer, document };
    look_around(settings, &wanted, &mut observed)?;
    let plan = plan(settings, &wanted, &observed, conflicts)?;
    if conflicts.is_empty() {
        warnings.iter().for_each(|warning| log::warn!("{warning}"));
        let more = warnings::all(settings, &wanted.computer, &observed);
        more.iter().for_each(|warning| log::warn!("{warning}"));
    }
    Ok((plan, wanted.document))
}

/// Observes what the wanted computer is made of.
fn look_around(
    settings: &Settings,
    wanted: &Wanted,
    observed: &mut Observed,
) -> Result<(), ObserveError> {
    let partitions = &wanted.computer.partitions;
    let roots = [&settings.software_root, &settings.instance_root];
    for root in roots {
        observed.look_around(root)?;
    }
    let directories = partitions.iter().flat_map(|partition| {
        let own = settings.instance_root.join(&partition.reference);
        partition.storage.iter().cloned().chain([own])
    });
    let resources = partitions
        .iter()
        .map(|partition| resource_path(settings, &partition.reference));
    let files = settings.output_definition_file.clone().into_iter();
    let files = files.chain([backups::unfinished(&settings.computer_xml)]);
    let users = partitions.iter().map(|partition| partition.user.as_str());
    let users: Vec<_> = users
        .chain([wanted.computer.software_user.as_str()])
        .collect();
    observed.look_at(directories, resources.chain(files), &users)?;
    if !settings.dry_run {
        // What cannot be read is replaced.
        observed.unreadable.clear();
    }
    Ok(())
}

fn post(
    settings: &Settings,
    slap: &Slap,
    wanted: &ComputerConfiguration,
    plan: Plan,
) -> Result<Outcome, FormatError> {
    log::info!("telling {}", slap.master_url());
    match slap
        .register_computer(settings.computer_id.as_str())
        .configure(wanted)
    {
        Ok(()) => Ok(Outcome::Done(plan)),
        Err(error) if error.is_unreachable() => Ok(Outcome::Offline(plan, error)),
        Err(source @ ClientError::NotFound { .. }) => Err(FormatError::UnknownComputer {
            computer_id: settings.computer_id.clone(),
            source,
        }),
        Err(source) => Err(FormatError::Post(source)),
    }
}
