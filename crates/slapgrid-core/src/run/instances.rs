//! slapgrid-cp: what a run does with partitions.

use slap_proto::documents::{ComputerPartition, InstanceState};
use supervisor::{Client, Presence};

use super::master::unknown_partitions;
use super::{Run, RunError};
use crate::layout::PartitionLayout;
use crate::outcome::{Outcome, Severity, error_chain};
use crate::partition;
use crate::plan::partition::{PartitionSelection, WantedPartition, plan_partitions};
use crate::plan::{PartitionAction, PartitionPlan};

impl Run<'_> {
    pub(super) fn instances(&self, outcome: &mut Outcome) -> Result<(), RunError> {
        let Some((client, before)) = self.supervisor(outcome) else {
            return Ok(());
        };
        let Some(partitions) = self.partitions(outcome) else {
            self.start_known(&client, before, outcome);
            return Ok(());
        };
        let plans = self.plan(&partitions)?;
        if self.settings.mode.dry_run {
            show_partitions(&plans);
            return Ok(());
        }
        let idle = |action: &PartitionAction| {
            matches!(action, PartitionAction::Ignore | PartitionAction::Keep)
        };
        let due: Vec<_> = partitions
            .iter()
            .zip(&plans)
            .filter(|(_, plan)| !idle(&plan.action))
            .collect();
        let reference = |(_, plan): &(_, &PartitionPlan)| plan.reference.clone();
        let outcomes = self.in_parallel(&due, reference, |(document, plan)| {
            partition::execute(&self.context(document, &client), plan)
        });
        outcome.partitions.extend(outcomes);
        self.start_known(&client, before, outcome);
        Ok(())
    }

    /// Checks the promises of the instances that shall run.
    pub(super) fn promises(&self, outcome: &mut Outcome) -> Result<(), RunError> {
        let Some(partitions) = self.partitions(outcome) else {
            return Ok(());
        };
        let shall_run = |document: &&ComputerPartition| {
            document.requested_state.as_deref() == Some(InstanceState::Started.as_str())
        };
        let selected = self.selected(&partitions)?.into_iter();
        let due: Vec<_> = selected.filter(shall_run).collect();
        let client = Client::new(&self.settings.supervisord.paths.socket);
        let reference = |document: &&ComputerPartition| document.partition_id.clone();
        let outcomes = self.in_parallel(&due, reference, |document| {
            partition::check_promises(&self.context(document, &client))
        });
        outcome.partitions.extend(outcomes);
        Ok(())
    }

    fn plan(&self, partitions: &[ComputerPartition]) -> Result<Vec<PartitionPlan>, RunError> {
        let mode = self.settings.mode;
        let only = &self.settings.partition.only;
        let pairs: Vec<_> = partitions
            .iter()
            .map(|document| {
                let layout =
                    PartitionLayout::new(&self.settings.instance_root, &document.partition_id);
                let observed = partition::observe(&layout, document, &self.settings.software_root);
                (wanted(document), observed)
            })
            .collect();
        let unknown = unknown_partitions(only, partitions);
        if !unknown.is_empty() {
            return Err(RunError::UnknownPartitions(unknown));
        }
        let selection = PartitionSelection {
            only: only.clone(),
            force: mode.force || mode.develop,
            force_stop: mode.force_stop,
            periodicity: self.settings.partition.maximum_periodicity,
        };
        Ok(plan_partitions(&pairs, &selection))
    }

    /// Starts the services that are known where it is not certain that all run that shall: the master
    /// failed, and may for long, or supervisord is new and those of instances that are up to date
    /// were not started since.
    fn start_known(&self, client: &Client, before: Presence, outcome: &mut Outcome) {
        let offline = outcome.failures().any(|(_, failure)| {
            matches!(
                failure.severity,
                Severity::MasterFailed | Severity::MasterUnreachable
            )
        });
        let is_needed = offline || before == Presence::Absent;
        if self.settings.mode.dry_run || !is_needed {
            return;
        }
        if offline {
            log::warn!("the master failed: starting the services that are known");
        }
        match client.start_all_processes(false) {
            Ok(_) => outcome.offline |= offline,
            Err(error) => {
                log::error!("cannot start the known services: {}", error_chain(&error));
            }
        }
    }
}

pub(super) fn wanted(document: &ComputerPartition) -> WantedPartition {
    WantedPartition {
        reference: document.partition_id.clone(),
        free: document.is_free(),
        state: document.requested_state.clone().unwrap_or_default(),
        timestamp: document.timestamp(),
    }
}

fn show_partitions(plans: &[PartitionPlan]) {
    for plan in plans
        .iter()
        .filter(|plan| plan.action != PartitionAction::Ignore)
    {
        log::info!("would do: {}: {:?}", plan.reference, plan.action);
    }
}
