//! slapgrid-sr: what a run does with software releases.

use slap_proto::documents::Computer;

use super::master::master_failure;
use super::{Run, RunError};
use crate::outcome::{Failure, Outcome, Severity};
use crate::plan::release::is_release;
use crate::plan::{ReleaseAction, ReleasePlan};
use crate::software::{self, Software};

impl Run<'_> {
    pub(super) fn software(&self, outcome: &mut Outcome) -> Result<(), RunError> {
        let computer = match self.computer().full_information() {
            Ok(computer) => computer,
            Err(error) => {
                outcome.general.push(master_failure(&error));
                return Ok(());
            }
        };
        let unknown = unknown_releases(&self.settings.software.only, &computer);
        if !unknown.is_empty() {
            return Err(RunError::UnknownReleases(unknown));
        }
        match software::plan(self.settings, &computer) {
            Ok(plans) if self.settings.mode.dry_run => show_releases(&plans),
            Ok(plans) => outcome.releases.extend(self.executor().execute(&plans)),
            Err(error) => {
                let root = self.settings.software_root.display();
                let message = format!("cannot list {root}: {error}");
                log::error!("{message}");
                outcome.general.push(Failure {
                    severity: Severity::Failed,
                    message,
                });
            }
        }
        Ok(())
    }

    fn executor(&self) -> Software<'_> {
        Software {
            settings: self.settings,
            slap: &self.slap,
            hasty_slap: &self.hasty_slap,
            interruption: &self.interruption,
            utc_offset: self.utc_offset,
            master_is_gone: &self.master_is_gone,
        }
    }
}

fn unknown_releases(only: &[String], computer: &Computer) -> Vec<String> {
    let releases = computer.software_release_list.iter();
    let urls: Vec<&str> = releases
        .filter_map(|release| release.url.as_deref())
        .collect();
    let is_unknown = |name: &&String| !urls.iter().any(|url| is_release(name, url));
    only.iter().filter(is_unknown).cloned().collect()
}

fn show_releases(plans: &[ReleasePlan]) {
    for plan in plans
        .iter()
        .filter(|plan| plan.action != ReleaseAction::Ignore)
    {
        log::info!("would do: {}: {:?}", plan.subject, plan.action);
    }
}
