//! slapgrid-sr: what a run does with software releases.

use slap_proto::documents::Computer;

use super::master::refuse;
use super::{Run, RunError, unambiguous};
use crate::outcome::Outcome;
use crate::plan::ReleasePlan;
use crate::plan::release::is_release;
use crate::software::{self, Software};

impl Run<'_> {
    pub(super) fn software(&self, outcome: &mut Outcome) -> Result<(), RunError> {
        let Some(computer) = self.ask_master(outcome) else {
            return Ok(());
        };
        if let Some(plans) = self.plan_releases(&computer, outcome)? {
            outcome.releases.extend(self.executor().execute(&plans));
        }
        Ok(())
    }

    /// What is to be done with releases; that the software root cannot be listed is an outcome.
    pub(super) fn plan_releases(
        &self,
        computer: &Computer,
        outcome: &mut Outcome,
    ) -> Result<Option<Vec<ReleasePlan>>, RunError> {
        let unknown = unknown_releases(&self.settings.software.only, computer);
        if !unknown.is_empty() {
            return Err(RunError::UnknownReleases(unknown));
        }
        match software::plan(self.settings, computer) {
            Ok(plans) => {
                let name = |plan: &ReleasePlan| plan.subject().to_owned();
                let (plans, ambiguous) = unambiguous::take(plans, name);
                let refused = ambiguous.iter().map(ToString::to_string);
                refuse(refused.collect(), outcome);
                Ok(Some(plans))
            }
            Err(error) => {
                let root = self.settings.software_root.display();
                refuse(vec![format!("cannot list {root}: {error}")], outcome);
                Ok(None)
            }
        }
    }

    fn executor(&self) -> Software<'_> {
        Software {
            settings: self.settings,
            slap: &self.slap,
            hasty_slap: &self.hasty_slap,
            interruption: self.interruption,
            utc_offset: self.utc_offset,
            master_is_gone: &self.master_is_gone,
            observer: self.observer,
        }
    }
}

/// Releases that were given on the command line and that the master does not know.
pub(super) fn unknown_releases(only: &[String], computer: &Computer) -> Vec<String> {
    let releases = computer.software_release_list.iter();
    let urls: Vec<&str> = releases
        .filter_map(|release| release.url.as_deref())
        .collect();
    let is_unknown = |name: &&String| !urls.iter().any(|url| is_release(name, url));
    only.iter().filter(is_unknown).cloned().collect()
}
