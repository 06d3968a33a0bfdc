//! slapgrid-cp: one partition, brought to the state that its master wants.

mod certificate;
pub(crate) mod confined;
mod destroy;
pub(crate) mod directory;
mod emptying;
mod health;
mod install;
pub(crate) mod log;
mod observe;
mod prerm;
mod profile;
pub(crate) mod records;
mod retention;

use slap_client::ClientError;
use slap_proto::documents::InstanceState;

use self::log::InstanceLog;
use crate::context::PartitionContext;
use crate::environment::Environment;
use crate::hooks::{Event, HookError};
use crate::outcome::{Done, Failure, Severity, error_chain};
use crate::plan::{PartitionAction, PartitionPlan};
use crate::process::Account;
use crate::promise::{Occasion, PromiseError};
use crate::services::{ServiceError, Services};
use certificate::CertificateError;
use confined::{ConfinedDirectory, ConfinedError};
pub(crate) use destroy::{destroy, finish_destruction, is_destruction_unfinished, is_retained};
use directory::DirectoryError;
use emptying::EmptyingError;
pub(crate) use health::check_promises;
use install::InstallError;
pub(crate) use observe::{due_promises, observe};

/// A partition could not be brought to its state.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum PartitionError {
    /// Its directory is not as slapformat makes it.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// A file of it cannot be used.
    #[error(transparent)]
    File(#[from] ConfinedError),
    /// Its certificate cannot be had or kept.
    #[error("cannot update the certificate")]
    Certificate(#[from] CertificateError),
    /// It cannot be installed.
    #[error("cannot install the instance")]
    Install(#[from] InstallError),
    /// What an instance of before left cannot be removed.
    #[error("cannot finish to empty the partition")]
    Emptying(#[from] EmptyingError),
    /// A hook failed.
    #[error(transparent)]
    Hook(#[from] HookError),
    /// Its services do not do what they should.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// Its promises cannot be checked.
    #[error(transparent)]
    PromiseCheck(#[from] PromiseError),
    /// Its promises are not kept.
    #[error("{}", .0.join("\n"))]
    Promise(Vec<String>),
    /// The master wants what no node knows.
    #[error("the master wants the unknown state {0:?}")]
    UnknownState(String),
    /// The master cannot be told.
    #[error("cannot report to the master")]
    Report(#[from] ClientError),
}

impl PartitionError {
    fn severity(&self) -> Severity {
        match self {
            Self::Promise(_) => Severity::Promise,
            Self::Report(error) => Severity::of_call(error),
            Self::Certificate(CertificateError::Fetch(error)) => Severity::of_call(error),
            Self::PromiseCheck(PromiseError::Interrupted) => Severity::Interrupted,
            Self::Install(error) if error.is_interruption() => Severity::Interrupted,
            Self::Hook(error) if error.is_interruption() => Severity::Interrupted,
            Self::Service(error) if error.is_interruption() => Severity::Interrupted,
            Self::Emptying(error) if error.is_interruption() => Severity::Interrupted,
            _ => Severity::Failed,
        }
    }
}

/// Carries out the plan of one partition. A failure is logged and reported to the master.
pub(crate) fn execute(
    context: &PartitionContext<'_>,
    plan: &PartitionPlan,
) -> Result<Done, Failure> {
    let work = Work { context };
    match &plan.action {
        PartitionAction::CheckPromises => work.check_anomalies(),
        PartitionAction::Free => work.concluded(work.warn_of_leftovers()),
        action if action.changes() => context.alone(|| work.concluded(work.carry_out(action))),
        _ => Ok(Done::Wholly),
    }
}

struct Work<'a> {
    context: &'a PartitionContext<'a>,
}

impl Work<'_> {
    /// Carries out an action that changes the partition.
    fn carry_out(&self, action: &PartitionAction) -> Result<(), PartitionError> {
        match action {
            PartitionAction::Tidy => self.tidy(),
            PartitionAction::Process { state, reason } => {
                let wanted = state.as_str();
                ::log::info!(target: self.reference(), "processing ({wanted}): {reason}");
                self.process(*state)
            }
            PartitionAction::ForceStop => self.force_stop(),
            PartitionAction::RefuseState { state } => {
                Err(PartitionError::UnknownState(state.clone()))
            }
            PartitionAction::Free
            | PartitionAction::CheckPromises
            | PartitionAction::Keep
            | PartitionAction::Ignore => Ok(()),
        }
    }

    /// The end of the work; a failure is logged and reported.
    fn concluded(&self, result: Result<(), PartitionError>) -> Result<Done, Failure> {
        let done = result.map(|()| Done::Wholly);
        done.map_err(|error| self.fail(&error))
    }

    fn open(&self) -> Result<(ConfinedDirectory, Account), PartitionError> {
        Ok(directory::open(self.context.layout.directory())?)
    }

    fn reference(&self) -> &str {
        self.context.layout.reference()
    }

    /// What programs of the instance get.
    fn environment(&self, account: &Account) -> Environment {
        let home = self.context.layout.directory();
        let name = account.name.as_str();
        Environment::clean(home)
            .with("USER", name)
            .with("LOGNAME", name)
            .with(
                "SLAPGRID_INSTANCE_ROOT",
                &self.context.settings.instance_root,
            )
    }

    /// Reported before it is recorded: after a crash in between, the next run reports again.
    fn process(&self, state: InstanceState) -> Result<(), PartitionError> {
        let (directory, account) = self.open()?;
        self.leave_nothing_of_before(state)?;
        directory.remove_abandoned();
        records::forget_timestamp(&directory)?;
        records::forget_error(&directory, self.reference())?;
        let log = self.log(&directory, &account);
        let result = self.bring_to(state, &directory, &account, &log);
        if let Err(error) = &result {
            log.record(::log::Level::Error, &error_chain(error));
        }
        result?;
        if let Some(timestamp) = self.context.document.timestamp() {
            records::record_timestamp(&directory, &timestamp)?;
        }
        Ok(())
    }

    fn bring_to(
        &self,
        state: InstanceState,
        directory: &ConfinedDirectory,
        account: &Account,
        log: &InstanceLog<'_>,
    ) -> Result<(), PartitionError> {
        self.context.run_hooks(Event::Instance, account)?;
        match state {
            InstanceState::Started => self.start(directory, account, log)?,
            InstanceState::Stopped => self.stop(directory, account, log)?,
            InstanceState::Destroyed => {
                self.context.services().stop()?;
                self.context.master.stopped()?;
            }
        }
        if state != InstanceState::Destroyed {
            self.report_requests(directory)?;
        }
        Ok(self.context.run_hooks(Event::InstanceTearDown, account)?)
    }

    fn start(
        &self,
        directory: &ConfinedDirectory,
        account: &Account,
        log: &InstanceLog<'_>,
    ) -> Result<(), PartitionError> {
        self.install(directory, account, log)?;
        let services = self.context.services();
        services.configure(directory, account)?;
        services.start()?;
        self.check_all(Occasion::Deployment, directory, account, log)?;
        Ok(self.context.master.started()?)
    }

    /// The services are stopped whatever became of the installation.
    fn stop(
        &self,
        directory: &ConfinedDirectory,
        account: &Account,
        log: &InstanceLog<'_>,
    ) -> Result<(), PartitionError> {
        let installed = self.install(directory, account, log);
        self.context.services().stop()?;
        installed?;
        Ok(self.context.master.stopped()?)
    }

    fn install(
        &self,
        directory: &ConfinedDirectory,
        account: &Account,
        log: &InstanceLog<'_>,
    ) -> Result<(), PartitionError> {
        certificate::update(self.context, account)?;
        let environment = self.environment(account);
        let installation = install::Installation {
            context: self.context,
            directory,
            account,
            log,
            environment,
        };
        let result = installation.run();
        if let Err(error) = &result {
            self.keep_error(directory, &error.full_report(&error_chain(error)));
        }
        Ok(result?)
    }

    /// Keeps an error for the user of the partition. That it cannot be kept, since the disk is full perhaps, does
    /// not hide it.
    fn keep_error(&self, directory: &ConfinedDirectory, text: &str) {
        if let Err(error) = records::record_error(directory, self.reference(), text) {
            let error = error_chain(&error);
            ::log::warn!(target: self.reference(), "the error is not kept in the partition: {error}");
        }
    }

    /// A partition that was given up for removal is emptied before it holds anything again, and
    /// what the instance has run before its removal is stopped if it is wanted after all.
    fn leave_nothing_of_before(&self, state: InstanceState) -> Result<(), PartitionError> {
        if state == InstanceState::Destroyed {
            return Ok(());
        }
        if emptying::is_begun(&self.context.layout) {
            emptying::finish(self.context)?;
        }
        let paths = &self.context.settings.supervisord.paths;
        let supervisor = self.context.supervisor;
        let prerm = Services::before_removal(self.reference(), paths, supervisor);
        if prerm.are_configured() {
            prerm.stop()?;
        }
        Ok(())
    }

    /// Tells which instances this one requested. Masters that do not want to know answer 404.
    fn report_requests(&self, directory: &ConfinedDirectory) -> Result<(), PartitionError> {
        let Some(references) = records::requested_references(directory, self.reference())? else {
            return Ok(());
        };
        match self
            .context
            .master
            .update_related_instance_list(&references)
        {
            Err(ClientError::NotFound { .. }) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Stale state of the node goes; what else is left is somebody's data, unless it was given up.
    fn tidy(&self) -> Result<(), PartitionError> {
        if emptying::is_begun(&self.context.layout) {
            return Ok(emptying::finish(self.context)?);
        }
        let Ok(directory) = ConfinedDirectory::open(self.context.layout.directory()) else {
            return Ok(());
        };
        records::forget_timestamp(&directory)?;
        if directory.below(&[".slapgrid"])?.is_some() {
            directory.remove_tree(".slapgrid".as_ref())?;
        }
        self.warn_of_leftovers()
    }

    fn warn_of_leftovers(&self) -> Result<(), PartitionError> {
        let Ok(directory) = ConfinedDirectory::open(self.context.layout.directory()) else {
            return Ok(());
        };
        let left = directory.names()?;
        if left.iter().any(|name| name != ".slapos-resource") {
            ::log::warn!(target: self.reference(), "no instance is here, but the directory is not empty");
        }
        Ok(())
    }

    fn force_stop(&self) -> Result<(), PartitionError> {
        let (directory, _) = self.open()?;
        records::forget_timestamp(&directory)?;
        self.context.services().stop()?;
        Ok(self.context.master.stopped()?)
    }

    fn fail(&self, error: &PartitionError) -> Failure {
        let report = match error {
            PartitionError::Install(install) => Some(install.full_report(&error_chain(error))),
            _ => None,
        };
        self.context
            .fail(error.severity(), error, report.as_deref())
    }
}
