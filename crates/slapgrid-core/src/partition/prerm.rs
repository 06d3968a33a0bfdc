//! What an instance has run before its partition is emptied: the programs of `etc/prerm`, which
//! supervisord runs to their end.

use supervisor::ProcessInfo;

use super::confined::{ConfinedDirectory, ConfinedError};
use super::records;
use crate::process::Account;
use crate::services::{ServiceError, Services};

/// The programs could not be started or looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum PrermError {
    /// A file of the partition cannot be used.
    #[error(transparent)]
    File(#[from] ConfinedError),
    /// supervisord does not do its part.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl PrermError {
    /// Whether slapgrid was told to end.
    pub(super) fn is_interruption(&self) -> bool {
        matches!(self, Self::Service(error) if error.is_interruption())
    }
}

/// Starts what was not started yet.
pub(crate) fn start(
    directory: &ConfinedDirectory,
    account: &Account,
    services: &Services<'_>,
) -> Result<(), PrermError> {
    let present = directory.below(&["etc", "prerm"])?;
    if present.is_none_or(|prerm| prerm.names().is_ok_and(|names| names.is_empty())) {
        return Ok(());
    }
    services.configure(directory, account)?;
    services.start_new()?;
    let programs = services.processes()?;
    let ours = programs
        .iter()
        .filter(|process| services.is_group(&process.group));
    let names: Vec<String> = ours.map(|process| process.full_name()).collect();
    records::record_wait_list(directory, &names)?;
    Ok(())
}

/// A program of the partition's wait list that runs: the partition is not emptied before it ends. The
/// list is the instance's to write, so that programs of others do not count.
pub(crate) fn running(
    directory: &ConfinedDirectory,
    instance: &Services<'_>,
    prerm: &Services<'_>,
) -> Result<Option<String>, PrermError> {
    let awaited = records::report_wait_list(directory)?;
    if awaited.is_empty() {
        return Ok(None);
    }
    let is_own =
        |process: &ProcessInfo| instance.is_group(&process.group) || prerm.is_group(&process.group);
    let running = prerm
        .processes()?
        .into_iter()
        .filter(|process| process.state.is_alive() && is_own(process))
        .map(|process| process.full_name());
    Ok(running.into_iter().find(|name| awaited.contains(name)))
}
