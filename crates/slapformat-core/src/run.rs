//! A whole run: observe, plan, act, tell the master.

use slap_client::{ClientError, OpenError};
use slap_proto::documents::ComputerConfiguration;

use crate::addresses;
use crate::describe;
use crate::execute::{ExecuteError, execute};
use crate::observe::{ObserveError, Observed};
use crate::plan::{Plan, PlanError, plan, resource_path};
use crate::settings::Settings;

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
    /// What there is could not be found out.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// What is wanted cannot be.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A step failed.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
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
/// Something cannot be found out, is not possible, or fails. What was done by then stays.
pub fn run(settings: &Settings) -> Result<Outcome, FormatError> {
    let mut observed = Observed::read(settings)?;
    let wanted = describe::computer(
        settings,
        observed.definition.as_ref(),
        observed.kept.as_ref(),
        &observed.interfaces,
    );
    look_around(settings, &wanted, &mut observed)?;
    let plan = plan(settings, &wanted, &observed)?;
    if settings.dry_run {
        return Ok(Outcome::Planned(plan));
    }
    warn(settings, &wanted, &observed);
    execute(&plan)?;
    post(settings, &wanted, plan)
}

/// Observes what the wanted computer is made of.
fn look_around(
    settings: &Settings,
    wanted: &ComputerConfiguration,
    observed: &mut Observed,
) -> Result<(), ObserveError> {
    let references = || {
        wanted
            .partition_list
            .iter()
            .map(|partition| partition.reference.as_str())
    };
    let roots = [
        settings.software_root.clone(),
        settings.instance_root.clone(),
    ];
    let directories = references().map(|reference| settings.instance_root.join(reference));
    let resources = references().map(|reference| resource_path(settings, reference));
    let users = wanted
        .partition_list
        .iter()
        .filter_map(|partition| partition.user.clone());
    observed.look_at(
        roots.into_iter().chain(directories),
        resources.chain(settings.output_definition_file.clone()),
        users.chain(wanted.software_user.clone()),
    )
}

fn warn(settings: &Settings, wanted: &ComputerConfiguration, observed: &Observed) {
    if observed.definition.is_none() && !addresses::has_global_v6(settings, &observed.interfaces) {
        let interface = settings.interface_name.as_deref().unwrap_or("the machine");
        log::warn!("{interface} has no global IPv6 address: partitions have those of the loopback");
    }
    let mut missing: Vec<_> = wanted
        .partition_list
        .iter()
        .filter_map(|partition| partition.user.as_deref())
        .filter(|user| !observed.users.contains_key(*user))
        .collect();
    missing.dedup();
    if !missing.is_empty() {
        log::warn!(
            "these users do not exist, slapgrid will want them: {}",
            missing.join(", ")
        );
    }
}

fn post(
    settings: &Settings,
    wanted: &ComputerConfiguration,
    plan: Plan,
) -> Result<Outcome, FormatError> {
    let slap = settings.master.clone().open()?;
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
