//! slapgrid-ur: removing an instance that is no longer wanted.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use slap_client::{ClientError, Destruction};
use slapos_fs::{FileAttributes, Owner};

use super::confined::{ConfinedDirectory, ConfinedError};
use super::directory::{self, DirectoryError};
use super::emptying::{self, EmptyingError};
use super::prerm::{self, PrermError};
use super::retention;
use crate::context::PartitionContext;
use crate::environment::Environment;
use crate::hooks::{Event, HookError};
use crate::layout::PartitionLayout;
use crate::outcome::{Done, Failure, Severity};
use crate::process::{self, Account, ProcessError, Program};
use crate::services::{ServiceError, Services};

/// An instance could not be removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
enum DestroyError {
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    File(#[from] ConfinedError),
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error(transparent)]
    Hook(#[from] HookError),
    #[error("cannot run what the instance has run before its removal")]
    Prerm(#[from] PrermError),
    #[error("the instance's own destruction failed")]
    Program(#[from] ProcessError),
    #[error(transparent)]
    Emptying(#[from] EmptyingError),
    #[error("cannot report to the master")]
    Report(#[from] ClientError),
}

impl DestroyError {
    fn severity(&self) -> Severity {
        match self {
            Self::Report(error) => Severity::of_call(error),
            Self::Program(error) if error.is_interruption() => Severity::Interrupted,
            Self::Hook(error) if error.is_interruption() => Severity::Interrupted,
            Self::Service(error) if error.is_interruption() => Severity::Interrupted,
            Self::Prerm(error) if error.is_interruption() => Severity::Interrupted,
            Self::Emptying(error) if error.is_interruption() => Severity::Interrupted,
            _ => Severity::Failed,
        }
    }
}

/// Stops the instance, and empties its partition unless something still holds it: its usage was not
/// sent, its data is retained, programs of its own run, or the master keeps it.
///
/// # Errors
/// Already logged and reported.
pub(crate) fn destroy(
    context: &PartitionContext<'_>,
    usage_is_sent: bool,
) -> Result<Done, Failure> {
    context.alone(|| {
        let removal = Removal { context };
        removal
            .run(usage_is_sent)
            .map_err(|error| context.fail(error.severity(), &error, None))
    })
}

/// Empties a partition that the master has set free, where a run before was cut off when it was
/// about to.
///
/// # Errors
/// Already logged and reported.
pub(crate) fn finish_destruction(context: &PartitionContext<'_>) -> Result<Done, Failure> {
    context.alone(|| {
        if !emptying::is_begun(&context.layout) {
            return Ok(Done::Wholly);
        }
        let finished = emptying::finish(context).map_err(DestroyError::from);
        finished.map_err(|error| context.fail(error.severity(), &error, None))?;
        Ok(Done::Wholly)
    })
}

/// Whether [`finish_destruction`] is called for.
pub(crate) fn is_destruction_unfinished(layout: &PartitionLayout) -> bool {
    emptying::is_begun(layout)
}

struct Removal<'a> {
    context: &'a PartitionContext<'a>,
}

impl Removal<'_> {
    fn run(&self, usage_is_sent: bool) -> Result<Done, DestroyError> {
        let context = self.context;
        let reference = context.layout.reference();
        let (directory, account) = directory::open(context.layout.directory())?;
        context.services().stop()?;
        context.master.stopped()?;
        if !usage_is_sent {
            return Ok(self.wait("not destroyed before its usage is sent"));
        }
        if begin_retention(&directory, &account)? {
            return Ok(self.wait("its data is kept until the retention delay is over"));
        }
        context.run_hooks(Event::Report, &account)?;
        if let Some(program) = self.wait_for_prerm(&directory, &account)? {
            return Ok(self.wait(&format!("not destroyed while {program} runs")));
        }
        log::info!(target: reference, "destroying");
        if !emptying::is_begun(&context.layout) {
            self.run_own_program(&directory, &account)?;
            emptying::begin(&context.layout)?;
        }
        if let Destruction::Delayed(why) = self.report()? {
            emptying::abandon(&context.layout)?;
            return Ok(self.wait(&format!("the master keeps the instance: {why}")));
        }
        emptying::finish(context)?;
        context.run_hooks(Event::ReportTearDown, &account)?;
        Ok(Done::Wholly)
    }

    /// The instance is stopped, and something still holds it.
    fn wait(&self, why: &str) -> Done {
        log::info!(target: self.context.layout.reference(), "stopped; {why}");
        Done::NotYet(why.to_owned())
    }

    /// A master that does not know the partition (any more) does not keep it.
    fn report(&self) -> Result<Destruction, ClientError> {
        match self.context.master.destroyed() {
            Err(ClientError::NotFound { .. }) => Ok(Destruction::Done),
            other => other,
        }
    }

    /// Has the instance's last programs run; names one that runs still.
    fn wait_for_prerm(
        &self,
        directory: &ConfinedDirectory,
        account: &Account,
    ) -> Result<Option<String>, DestroyError> {
        let reference = self.context.layout.reference();
        let paths = &self.context.settings.supervisord.paths;
        let services = Services::before_removal(reference, paths, self.context.supervisor);
        prerm::start(directory, account, &services)?;
        let instance = self.context.services();
        Ok(prerm::running(directory, &instance, &services)?)
    }

    fn run_own_program(
        &self,
        directory: &ConfinedDirectory,
        account: &Account,
    ) -> Result<(), DestroyError> {
        let layout = &self.context.layout;
        let sbin = directory.below(&["sbin"])?;
        let present = match &sbin {
            Some(sbin) => sbin.metadata("destroy".as_ref())?,
            None => None,
        };
        if present.is_none() {
            return Ok(());
        }
        let environment = Environment::clean(layout.directory());
        let mut program = Program::new(
            layout.destroy_program(),
            [] as [&str; 0],
            layout.directory(),
            environment,
        );
        program.account = Some(account.clone());
        program.timeout = self.context.settings.partition.timeout;
        let finished = process::run(&program, self.context.interruption, &mut |line| {
            log::info!(target: layout.reference(), "{}", line.text);
        })?;
        finished.into_success()?;
        Ok(())
    }
}

/// Whether the data of an instance that is no longer wanted would still be kept. What cannot be
/// read does not say so: destroying says what is wrong.
pub(crate) fn is_retained(path: &Path) -> bool {
    ConfinedDirectory::open(path)
        .and_then(|directory| retention::is_locked(&directory, now()))
        .unwrap_or(false)
}

fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |time| time.as_secs_f64())
}

/// Whether the data must still be kept. Starts the clock where it does not run yet.
fn begin_retention(
    directory: &ConfinedDirectory,
    account: &Account,
) -> Result<bool, ConfinedError> {
    let (uid, gid) = account.ids();
    let attributes = FileAttributes {
        mode: 0o644,
        owner: Some(Owner { uid, gid }),
    };
    retention::locked(directory, now(), attributes)
}
