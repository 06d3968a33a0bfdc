//! Whether an instance is healthy: its promises, and what the master is told of them.

use std::time::SystemTime;

use super::confined::ConfinedDirectory;
use super::log::InstanceLog;
use super::{PartitionError, Work, certificate};
use crate::bang::InstanceAccess;
use crate::context::PartitionContext;
use crate::environment::Environment;
use crate::layout::ReleaseLayout;
use crate::outcome::{Done, Failure, error_chain};
use crate::process::Account;
use crate::promise::{Agenda, Checkup, Occasion, PluginHost, Promises};

/// Checks all promises of a partition because somebody wants to know. The master is not told.
pub(crate) fn check_promises(context: &PartitionContext<'_>) -> Result<Done, Failure> {
    let work = Work { context };
    let check = || {
        let (directory, account) = work.open()?;
        let log = work.log(&directory, &account);
        work.check_all(Occasion::Demand, &directory, &account, &log)
    };
    let checked = check().map_err(|error: PartitionError| {
        let failure = Failure::new(error.severity(), &error);
        ::log::error!(target: work.reference(), "{failure}");
        failure
    });
    checked.map(|()| Done::Wholly)
}

impl Work<'_> {
    /// Checks all promises. Their results are written at once: whatever becomes of the report, the
    /// next run checks all of them again.
    pub(super) fn check_all(
        &self,
        occasion: Occasion,
        directory: &ConfinedDirectory,
        account: &Account,
        log: &InstanceLog<'_>,
    ) -> Result<(), PartitionError> {
        let agenda = Agenda::look(directory, occasion, SystemTime::now())?;
        let environment = self.environment(account);
        let promises = self.promises(directory, account, log, &environment);
        let checkup = promises.check(&agenda)?;
        self.context.note_checks(checkup.checks());
        promises.record(&agenda, &checkup)?;
        verdict(checkup)
    }

    /// Checks the promises that are due although nothing changed, if any are. The partition is not
    /// locked before that is known, since at most times none are.
    pub(super) fn check_anomalies(&self) -> Result<Done, Failure> {
        match self.is_settled() {
            Ok(true) => Ok(Done::Wholly),
            Ok(false) => self.context.alone(|| self.concluded(self.check_due())),
            Err(error) => self.concluded(Err(error)),
        }
    }

    fn is_settled(&self) -> Result<bool, PartitionError> {
        let (directory, account) = self.open()?;
        certificate::update(self.context, &account)?;
        let agenda = Agenda::look(&directory, Occasion::Watch, SystemTime::now())?;
        Ok(agenda.is_settled())
    }

    /// Checks the promises that are due, and tells the master when the instance has become healthy
    /// again; that it is not is told like any other failure.
    fn check_due(&self) -> Result<(), PartitionError> {
        let (directory, account) = self.open()?;
        // Another run may have checked them, or emptied the partition, since we looked.
        let agenda = Agenda::look(&directory, Occasion::Watch, SystemTime::now())?;
        if agenda.is_settled() {
            return Ok(());
        }
        let log = self.log(&directory, &account);
        let environment = self.environment(&account);
        let promises = self.promises(&directory, &account, &log, &environment);
        let checkup = promises.check(&agenda)?;
        self.context.note_checks(checkup.checks());
        if let Some(promise) = checkup.banging() {
            self.bang(promise, &log);
        }
        // The results tell the next run what the master knows.
        if checkup.broken.is_empty() && agenda.was_broken() {
            log.info("the promises are kept again");
            self.context.master.started()?;
        }
        promises.record(&agenda, &checkup)?;
        verdict(checkup)
    }

    fn promises<'a>(
        &'a self,
        directory: &'a ConfinedDirectory,
        account: &'a Account,
        log: &'a InstanceLog<'a>,
        environment: &'a Environment,
    ) -> Promises<'a> {
        Promises {
            directory,
            account,
            timeout: self.context.settings.partition.promise_timeout,
            interruption: self.context.interruption,
            log,
            utc_offset: self.context.utc_offset,
            environment,
            plugin_host: self.plugin_host(),
        }
    }

    fn plugin_host(&self) -> PluginHost<'_> {
        let (settings, layout) = (self.context.settings, &self.context.layout);
        let release = self.context.document.software_release.as_ref();
        let url = release.and_then(|release| release.url.as_deref());
        let release = ReleaseLayout::new(&settings.software_root, url.unwrap_or_default());
        let repository = settings.certificate_repository.as_deref();
        PluginHost {
            buildout: release.buildout(),
            master_url: &settings.master.url,
            computer_id: &settings.computer_id,
            partition_id: self.reference(),
            certificate: repository.map(|place| (layout.certificate(place), layout.key(place))),
        }
    }

    /// Has the instance processed again because of a promise. That it could not be told so does not
    /// hide what is wrong.
    fn bang(&self, promise: &str, log: &InstanceLog<'_>) {
        let settings = self.context.settings;
        let access = InstanceAccess {
            master_url: &settings.master.url,
            computer_id: &settings.computer_id,
            master_ca_file: settings.master.ca_file.as_deref(),
            certificate_repository: settings.certificate_repository.as_deref(),
            interruption: Some(self.context.interruption),
        };
        match access.bang(self.reference(), &format!("promise {promise} is broken")) {
            Ok(()) => log.info(format_args!(
                "to be processed again, because promise {promise} is broken"
            )),
            Err(error) => log.warn(format_args!("cannot bang: {}", error_chain(&error))),
        }
    }

    /// The log of the instance.
    pub(super) fn log<'a>(
        &'a self,
        directory: &ConfinedDirectory,
        account: &Account,
    ) -> InstanceLog<'a> {
        let offset = self.context.utc_offset;
        InstanceLog::open(self.reference(), directory, account, offset)
    }
}

fn verdict(checkup: Checkup) -> Result<(), PartitionError> {
    if checkup.broken.is_empty() {
        Ok(())
    } else {
        Err(PartitionError::Promise(checkup.broken))
    }
}
