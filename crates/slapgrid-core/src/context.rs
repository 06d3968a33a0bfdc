//! What the work on one partition needs: made once for each by the run, shared with nobody.

use std::error::Error;
use std::sync::{Mutex, PoisonError};

use slap_proto::documents::ComputerPartition;
use slapos_fs::PidFile;
use time::UtcOffset;

use crate::hooks::{Event, HookError, HookSubject, Hooks, PartitionFacts};
use crate::layout::PartitionLayout;
use crate::outcome::{Done, Failure, PromiseCheck, Severity, error_chain};
use crate::process::{Account, Interruption};
use crate::services::Services;
use crate::settings::Settings;

/// One partition of one run.
pub(crate) struct PartitionContext<'a> {
    /// What slapgrid was told.
    pub(crate) settings: &'a Settings,
    /// Where the partition's files are. Its reference is a plain file name.
    pub(crate) layout: PartitionLayout,
    /// What the master says of the partition.
    pub(crate) document: &'a ComputerPartition,
    /// The partition at the master, to report to.
    pub(crate) master: slap_client::ComputerPartition,
    /// The same for when slapgrid was told to end: it does not wait long.
    pub(crate) hasty_master: slap_client::ComputerPartition,
    /// supervisord's interface; it answers, unless supervisord must not be launched.
    pub(crate) supervisor: &'a supervisor::Client,
    /// Every program that is run watches it; so must every wait.
    pub(crate) interruption: &'a Interruption,
    /// Local time; it cannot be asked for once there are threads.
    pub(crate) utc_offset: UtcOffset,
    /// The promises that were checked.
    pub(crate) checked: Mutex<Vec<PromiseCheck>>,
}

impl PartitionContext<'_> {
    /// The services of the instance.
    pub(crate) fn services(&self) -> Services<'_> {
        let paths = &self.settings.supervisord.paths;
        Services::of_instance(self.layout.reference(), paths, self.supervisor)
    }

    /// Works while no other run works on the partition: tools that do one part of the work each may
    /// run at the same time. A partition that another one works on is left to it.
    pub(crate) fn alone(
        &self,
        work: impl FnOnce() -> Result<Done, Failure>,
    ) -> Result<Done, Failure> {
        let reference = self.layout.reference();
        match PidFile::acquire(&self.layout.lock()) {
            Ok(_lock) => work(),
            Err(error) if error.is_running() => {
                let why = format!("left alone: {}", error_chain(&error));
                log::warn!(target: reference, "{why}");
                Ok(Done::NotYet(why))
            }
            Err(error) => Err(self.fail(Severity::Failed, &error, None)),
        }
    }

    /// Notes promises that were checked.
    pub(crate) fn note_checks(&self, checks: impl Iterator<Item = PromiseCheck>) {
        let checked = self.checked.lock();
        checked
            .unwrap_or_else(PoisonError::into_inner)
            .extend(checks);
    }

    /// The promises that were checked.
    pub(crate) fn into_checks(self) -> Vec<PromiseCheck> {
        self.checked
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells hooks of an event.
    pub(crate) fn run_hooks(&self, event: Event, account: &Account) -> Result<(), HookError> {
        let hooks = Hooks {
            settings: self.settings,
            interruption: self.interruption,
            log_name: self.layout.reference(),
        };
        let (uid, gid) = account.ids();
        let release = self.document.software_release.as_ref();
        let subject = HookSubject::Partition(PartitionFacts {
            reference: self.layout.reference(),
            directory: self.layout.directory(),
            user: &account.name,
            uid,
            gid,
            requested_state: self.document.requested_state.as_deref().unwrap_or_default(),
            software_release_url: release.and_then(|release| release.url.as_deref()),
            instance_guid: self.document.instance_guid.as_deref(),
        });
        hooks.run(event, &subject)
    }

    /// Logs a failure and reports it, with `report` in place of its message where there is more to
    /// tell; a failure to report does not hide it.
    pub(crate) fn fail(
        &self,
        severity: Severity,
        error: &dyn Error,
        report: Option<&str>,
    ) -> Failure {
        let reference = self.layout.reference();
        let failure = Failure::new(severity, error);
        log::error!(target: reference, "{failure}");
        let report = report.unwrap_or(&failure.message);
        let reported = match severity {
            Severity::Promise | Severity::Failed => self.master.error(report, None),
            Severity::Interrupted => self.hasty_master.error(report, None),
            Severity::MasterFailed | Severity::MasterUnreachable => Ok(()),
        };
        if let Err(error) = reported {
            let error = error_chain(&error);
            log::warn!(target: reference, "cannot report the failure: {error}");
        }
        failure
    }
}
