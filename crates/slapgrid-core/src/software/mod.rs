//! slapgrid-sr: the software releases of a computer.

pub(crate) mod bundle;
mod cache;
mod install;
mod profile;
mod revision;

use std::io;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use slap_client::{ClientError, Slap};
use slap_proto::documents::{Computer, SoftwareState};
use slapos_fs::{FileAttributes, RemoveError, WriteError, remove_file, remove_tree, write_file};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::hooks::{Event, HookError, HookSubject, Hooks, ReleaseFacts};
use crate::layout::ReleaseLayout;
use crate::outcome::{Done, Failure, Severity, Step, error_chain};
use crate::parallel::in_parallel;
use crate::plan::release::{ObservedRelease, ReleaseSelection, WantedRelease, plan_releases};
use crate::plan::{ReleaseAction, ReleasePlan};
use crate::process::Interruption;
use crate::progress::Observer;
use crate::run::Phase;
use crate::settings::Settings;
use install::InstallError;

/// A release could not be brought to its state.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
enum ReleaseError {
    /// It cannot be installed.
    #[error("cannot install the release")]
    Install(#[from] InstallError),
    /// The success cannot be recorded.
    #[error("the release is installed, which cannot be recorded")]
    Record(#[from] WriteError),
    /// A hook failed.
    #[error(transparent)]
    Hook(#[from] HookError),
    /// Its directory cannot be removed.
    #[error(transparent)]
    Remove(#[from] RemoveError),
    /// The master cannot be told.
    #[error("cannot report to the master")]
    Report(#[from] ClientError),
}

/// The work of slapgrid-sr.
pub(crate) struct Software<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) slap: &'a Slap,
    /// For reports that slapgrid was told to end.
    pub(crate) hasty_slap: &'a Slap,
    pub(crate) interruption: &'a Interruption,
    pub(crate) utc_offset: time::UtcOffset,
    /// Set once the master is gone: what comes then is not begun.
    pub(crate) master_is_gone: &'a AtomicBool,
    pub(crate) observer: &'a dyn Observer,
}

/// What is to be done, from what the master wants and the software root shows.
pub(crate) fn plan(settings: &Settings, computer: &Computer) -> io::Result<Vec<ReleasePlan>> {
    let wanted = computer.software_release_list.iter().filter_map(|release| {
        let url = release.url.clone()?;
        let completed = ReleaseLayout::new(&settings.software_root, &url)
            .completed()
            .exists();
        let state = release.requested_state;
        Some((WantedRelease { url, state }, ObservedRelease { completed }))
    });
    let selection = ReleaseSelection {
        only: settings.software.only.clone(),
        force: settings.mode.force || settings.mode.develop,
        garbage_collect: settings.mode.garbage_collect,
    };
    let names = directories(&settings.software_root)?;
    Ok(plan_releases(
        &wanted.collect::<Vec<_>>(),
        &names,
        &selection,
    ))
}

fn directories(root: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    names.sort();
    Ok(names)
}

impl Software<'_> {
    /// Carries out a plan; no failure of one release stops the others.
    pub(crate) fn execute(&self, plans: &[ReleasePlan]) -> Vec<Step<ReleasePlan>> {
        let due: Vec<_> = plans.iter().filter(|plan| plan.action.changes()).collect();
        self.observer.begin_phase(Phase::Software, due.len());
        in_parallel(self.settings.software.jobs, &due, |plan| {
            if self.interruption.is_requested() {
                return None;
            }
            self.observer.begin(plan.subject());
            let step = Step::take((*plan).clone(), self.master_is_gone, |plan| {
                self.execute_one(plan).map(|()| Done::Wholly)
            });
            self.observer.end(plan.subject());
            Some(step)
        })
    }

    fn execute_one(&self, plan: &ReleasePlan) -> Result<(), Failure> {
        let (subject, name) = (plan.subject(), plan.name.as_str());
        let layout = ReleaseLayout::new(&self.settings.software_root, subject);
        let result = match plan.action {
            ReleaseAction::Install { reason } => {
                log::info!(target: name, "installing {subject}: {reason}");
                self.install(subject, name, &layout)
            }
            ReleaseAction::Destroy => {
                log::info!(target: name, "removing {subject}");
                self.destroy(subject, name, &layout)
            }
            ReleaseAction::Collect => {
                log::info!(target: name, "removing: no release of the master needs it");
                remove_tree(&self.settings.software_root.join(name)).map_err(ReleaseError::from)
            }
            ReleaseAction::Keep | ReleaseAction::Ignore => Ok(()),
        };
        result.map_err(|error| self.fail(plan, name, &error))
    }

    /// Success is reported before it is recorded, so that an interrupted report is repeated.
    fn install(&self, url: &str, name: &str, layout: &ReleaseLayout) -> Result<(), ReleaseError> {
        self.tolerate(self.release(url).building())?;
        // What is built again and fails must not pass for installed.
        if layout.completed().exists() {
            remove_file(&layout.unpacked())?;
            remove_file(&layout.completed())?;
        }
        let subject = self.subject(url, name, layout, SoftwareState::Available);
        self.hooks(name).run(Event::Software, &subject)?;
        let installation = install::Installation {
            settings: self.settings,
            interruption: self.interruption,
            utc_offset: self.utc_offset,
            name,
        };
        installation.run(url, layout)?;
        self.hooks(name).run(Event::SoftwareTearDown, &subject)?;
        self.tolerate(self.release(url).available())?;
        let attributes = FileAttributes {
            mode: 0o644,
            owner: None,
        };
        write_file(
            &layout.completed(),
            self.local_time().as_bytes(),
            attributes,
        )?;
        remove_file(&layout.unpacked())?;
        Ok(())
    }

    fn destroy(&self, url: &str, name: &str, layout: &ReleaseLayout) -> Result<(), ReleaseError> {
        let subject = self.subject(url, name, layout, SoftwareState::Destroyed);
        self.hooks(name).run(Event::Software, &subject)?;
        remove_tree(layout.directory())?;
        remove_tree(&netcache::unfinished(layout.directory()))?;
        self.hooks(name).run(Event::SoftwareTearDown, &subject)?;
        self.tolerate(self.release(url).destroyed())
    }

    fn hooks<'b>(&'b self, name: &'b str) -> Hooks<'b> {
        Hooks {
            settings: self.settings,
            interruption: self.interruption,
            log_name: name,
        }
    }

    fn subject<'b>(
        &self,
        url: &'b str,
        name: &'b str,
        layout: &'b ReleaseLayout,
        state: SoftwareState,
    ) -> HookSubject<'b> {
        HookSubject::Software(ReleaseFacts {
            url,
            name,
            directory: layout.directory(),
            requested_state: state.as_str(),
        })
    }

    /// `Mon Nov 23 21:49:55 2026`, as C's asctime.
    fn local_time(&self) -> String {
        let format = format_description!(
            "[weekday repr:short] [month repr:short] [day padding:space] [hour]:[minute]:[second] [year]"
        );
        let now = OffsetDateTime::now_utc().to_offset(self.utc_offset);
        now.format(format).unwrap_or_default()
    }

    /// A master that does not know the release (any more) does not care for its state.
    fn tolerate(&self, report: Result<(), ClientError>) -> Result<(), ReleaseError> {
        match report {
            Err(ClientError::NotFound { .. }) => Ok(()),
            other => Ok(other?),
        }
    }

    fn release(&self, url: &str) -> slap_client::SoftwareRelease {
        self.release_of(self.slap, url)
    }

    fn release_of(&self, slap: &Slap, url: &str) -> slap_client::SoftwareRelease {
        slap.register_software_release(url, self.settings.computer_id.as_str())
    }

    /// Logs and reports a failure; a failure to report does not hide it.
    fn fail(&self, plan: &ReleasePlan, name: &str, error: &ReleaseError) -> Failure {
        let severity = match error {
            ReleaseError::Report(error) => Severity::of_call(error),
            ReleaseError::Install(error) if error.is_interruption() => Severity::Interrupted,
            ReleaseError::Hook(error) if error.is_interruption() => Severity::Interrupted,
            _ => Severity::Failed,
        };
        let failure = Failure::new(severity, error);
        log::error!(target: name, "{failure}");
        let slap = match severity {
            Severity::Failed => self.slap,
            Severity::Interrupted => self.hasty_slap,
            _ => return failure,
        };
        let log = match error {
            ReleaseError::Install(error) => error.full_report(&failure.message),
            _ => failure.message.clone(),
        };
        if let Some(url) = &plan.url
            && let Err(error) = self.release_of(slap, url).error(&log)
        {
            let error = error_chain(&error);
            log::warn!(target: name, "cannot report the failure: {error}");
        }
        failure
    }
}
