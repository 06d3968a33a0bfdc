//! slapgrid-ur: emptying a partition whose instance is no longer wanted.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::unistd::geteuid;
use slap_client::ClientError;
use slapos_fs::{FileAttributes, RemoveError, clear_directory};

use super::confined::{ConfinedDirectory, ConfinedError};
use super::directory::{self, DirectoryError};
use super::{records, retention};
use crate::context::PartitionContext;
use crate::environment::Environment;
use crate::outcome::{Failure, Severity, error_chain};
use crate::process::{self, Account, ProcessError, Program};
use crate::services::{ServiceError, Services};

/// A partition could not be emptied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
enum DestroyError {
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    File(#[from] ConfinedError),
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error("the instance's own destruction failed")]
    Program(#[from] ProcessError),
    #[error("cannot remove {}", path.display())]
    Certificate {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(transparent)]
    Remove(#[from] RemoveError),
    #[error("cannot report to the master")]
    Report(#[from] ClientError),
}

/// Stops the instance, and empties its partition unless something still holds it.
///
/// # Errors
/// Already logged and reported.
pub(crate) fn destroy(context: &PartitionContext<'_>) -> Result<(), Failure> {
    empty(context).map_err(|error| {
        let severity = match &error {
            DestroyError::Report(error) if error.is_unreachable() => Severity::MasterUnreachable,
            DestroyError::Program(error) if error.is_interruption() => Severity::Interrupted,
            _ => Severity::Failed,
        };
        let failure = Failure::new(severity, &error);
        let reference = context.layout.reference();
        log::error!(target: reference, "{failure}");
        if severity == Severity::Failed
            && let Err(error) = context.master.error(&failure.message, None)
        {
            log::warn!(target: reference, "cannot report the failure: {}", error_chain(&error));
        }
        failure
    })
}

fn empty(context: &PartitionContext<'_>) -> Result<(), DestroyError> {
    let reference = context.layout.reference();
    let (directory, account) = directory::open(context.layout.directory())?;
    let paths = &context.settings.supervisord.paths;
    let services = Services {
        partition: reference,
        paths,
        client: context.supervisor,
    };
    if let Some(program) = waits_for(&directory, &services)? {
        log::info!(target: reference, "not destroyed while {program} runs");
        return Ok(());
    }
    if is_retained(&directory)? {
        log::info!(target: reference, "stopped; its data is kept until the retention delay is over");
        services.stop()?;
        return Ok(context.master.stopped()?);
    }
    log::info!(target: reference, "destroying");
    services.stop()?;
    context.master.stopped()?;
    run_own_program(context, &directory, &account)?;
    remove_certificates(context)?;
    clear_directory(context.layout.directory())?;
    Ok(context.master.destroyed()?)
}

/// A program that must end by itself before the partition may go.
fn waits_for(
    directory: &ConfinedDirectory,
    services: &Services<'_>,
) -> Result<Option<String>, DestroyError> {
    let names = records::report_wait_list(directory)?;
    if names.is_empty() {
        return Ok(None);
    }
    let running = services.running()?;
    Ok(running.into_iter().find(|name| names.contains(name)))
}

fn is_retained(directory: &ConfinedDirectory) -> Result<bool, DestroyError> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |time| time.as_secs_f64());
    let attributes = FileAttributes {
        mode: 0o644,
        owner: None,
    };
    Ok(retention::locked(directory, now, attributes)?)
}

fn run_own_program(
    context: &PartitionContext<'_>,
    directory: &ConfinedDirectory,
    account: &Account,
) -> Result<(), DestroyError> {
    let program = context.layout.destroy_program();
    let present = directory.below(&["sbin"])?;
    let present = present
        .map(|sbin| sbin.metadata("destroy".as_ref()))
        .transpose()?
        .flatten();
    if present.is_none() {
        return Ok(());
    }
    let environment = Environment::clean(context.layout.directory());
    let mut program = Program::new(
        program,
        [] as [&str; 0],
        context.layout.directory(),
        environment,
    );
    program.account = geteuid().is_root().then(|| account.clone());
    let reference = context.layout.reference();
    let finished = process::run(&program, context.interruption, &mut |line| {
        log::info!(target: reference, "{}", line.text);
    })?;
    finished.into_success()?;
    Ok(())
}

fn remove_certificates(context: &PartitionContext<'_>) -> Result<(), DestroyError> {
    let Some(repository) = &context.settings.certificate_repository else {
        return Ok(());
    };
    for path in [
        context.layout.certificate(repository),
        context.layout.key(repository),
    ] {
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(DestroyError::Certificate { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}
