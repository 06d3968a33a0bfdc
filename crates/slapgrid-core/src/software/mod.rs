//! slapgrid-sr: the software releases of a computer.

mod install;

use std::io;
use std::path::{Path, PathBuf};

use slap_client::{ClientError, Slap};
use slap_proto::documents::Computer;
use slapos_fs::{FileAttributes, RemoveError, WriteError, remove_tree, write_file};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::layout::ReleaseLayout;
use crate::outcome::{Failure, Severity, SubjectOutcome, error_chain};
use crate::plan::release::{ObservedRelease, ReleaseSelection, WantedRelease, plan_releases};
use crate::plan::{ReleaseAction, ReleasePlan};
use crate::process::Interruption;
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
    pub(crate) interruption: &'a Interruption,
    pub(crate) utc_offset: time::UtcOffset,
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
    pub(crate) fn execute(&self, plans: &[ReleasePlan]) -> Vec<SubjectOutcome> {
        let relevant = plans
            .iter()
            .filter(|plan| plan.action != ReleaseAction::Ignore);
        let mut outcomes = Vec::new();
        for plan in relevant {
            if self.interruption.is_requested() {
                break;
            }
            let result = self
                .execute_one(plan)
                .map_err(|error| self.fail(plan, &error));
            outcomes.push(SubjectOutcome {
                subject: plan.subject.clone(),
                result,
            });
        }
        outcomes
    }

    fn execute_one(&self, plan: &ReleasePlan) -> Result<(), ReleaseError> {
        match plan.action {
            ReleaseAction::Install(reason) => {
                log::info!("installing {} ({reason:?})", plan.subject);
                self.install(&plan.subject)
            }
            ReleaseAction::Destroy => {
                log::info!("removing {}", plan.subject);
                let layout = ReleaseLayout::new(&self.settings.software_root, &plan.subject);
                remove_tree(layout.directory())?;
                self.tolerate(self.release(&plan.subject).destroyed())
            }
            ReleaseAction::Collect => {
                log::info!(
                    "removing {}, which no release of the master needs",
                    plan.subject
                );
                let directory: PathBuf = self.settings.software_root.join(&plan.subject);
                Ok(remove_tree(&directory)?)
            }
            ReleaseAction::Keep | ReleaseAction::Ignore => Ok(()),
        }
    }

    /// Success is reported before it is recorded, so that an interrupted report is repeated.
    fn install(&self, url: &str) -> Result<(), ReleaseError> {
        let layout = ReleaseLayout::new(&self.settings.software_root, url);
        self.tolerate(self.release(url).building())?;
        let installation = install::Installation {
            settings: self.settings,
            interruption: self.interruption,
        };
        installation.run(url, &layout)?;
        self.tolerate(self.release(url).available())?;
        let attributes = FileAttributes {
            mode: 0o644,
            owner: None,
        };
        Ok(write_file(
            &layout.completed(),
            self.local_time().as_bytes(),
            attributes,
        )?)
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
        self.slap
            .register_software_release(url, self.settings.computer_id.as_str())
    }

    /// Logs and reports a failure; a failure to report does not hide it.
    fn fail(&self, plan: &ReleasePlan, error: &ReleaseError) -> Failure {
        let severity = match error {
            ReleaseError::Report(error) if error.is_unreachable() => Severity::MasterUnreachable,
            ReleaseError::Install(error) if error.is_interruption() => Severity::Interrupted,
            _ => Severity::Failed,
        };
        let failure = Failure::new(severity, error);
        log::error!("{}: {failure}", plan.subject);
        if severity == Severity::Failed {
            let log = match error {
                ReleaseError::Install(error) => error.full_report(&failure.message),
                _ => failure.message.clone(),
            };
            if let Err(error) = self.release(&plan.subject).error(&log) {
                log::warn!(
                    "cannot report the failure of {}: {}",
                    plan.subject,
                    error_chain(&error)
                );
            }
        }
        failure
    }
}
