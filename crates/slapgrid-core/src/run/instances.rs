//! slapgrid-cp: what a run does with partitions.

use slap_proto::documents::{ComputerPartition, InstanceState};
use supervisor::{Client, Presence};

use super::{Phase, Run, RunError};
use crate::context::PartitionContext;
use crate::layout::PartitionLayout;
use crate::outcome::{Done, Failure, Outcome, PartitionStep, error_chain};
use crate::partition;
use crate::plan::partition::{PartitionSelection, WantedPartition, plan_partitions};
use crate::plan::{PartitionAction, PartitionPlan};
use crate::{services, supervisord};

impl Run<'_> {
    pub(super) fn instances(&self, outcome: &mut Outcome) -> Result<(), RunError> {
        let Some((client, before)) = self.supervisor(outcome) else {
            return Ok(());
        };
        let Some(partitions) = self.partitions(outcome) else {
            self.start_known(&client, before, outcome);
            return Ok(());
        };
        let plans = self.plan_partitions(&partitions)?;
        let idle = |action: &PartitionAction| {
            matches!(action, PartitionAction::Ignore | PartitionAction::Keep)
        };
        let due: Vec<_> = partitions
            .iter()
            .zip(plans)
            .filter(|(_, plan)| !idle(&plan.action))
            .collect();
        let steps = self.work_on(Phase::Instances, &due, &client, partition::execute);
        outcome.partitions.extend(steps);
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
        let check = |document: &ComputerPartition| PartitionPlan {
            reference: document.partition_id.clone(),
            action: PartitionAction::CheckPromises,
        };
        let selected = self.selected(&partitions)?.into_iter().filter(shall_run);
        let due: Vec<_> = selected
            .map(|document| (document, check(document)))
            .collect();
        let client = supervisord::client(self.settings, self.interruption);
        let steps = self.work_on(Phase::Promises, &due, &client, |context, _| {
            partition::check_promises(context)
        });
        outcome.partitions.extend(steps);
        Ok(())
    }

    fn work_on(
        &self,
        phase: Phase,
        due: &[(&ComputerPartition, PartitionPlan)],
        client: &Client,
        work: impl Fn(&PartitionContext<'_>, &PartitionPlan) -> Result<Done, Failure> + Sync,
    ) -> Vec<PartitionStep> {
        self.in_parallel(phase, due, |(document, plan)| {
            let context = self.context(document, client);
            let work = |plan: &PartitionPlan| work(&context, plan);
            let step = self.step(&plan.reference, plan.clone(), work)?;
            Some(PartitionStep {
                step,
                promises: context.into_checks(),
            })
        })
    }

    pub(super) fn plan_partitions(
        &self,
        partitions: &[ComputerPartition],
    ) -> Result<Vec<PartitionPlan>, RunError> {
        let mode = self.settings.mode;
        self.refuse_unknown(partitions)?;
        let pairs: Vec<_> = partitions
            .iter()
            .map(|document| {
                let layout =
                    PartitionLayout::new(&self.settings.instance_root, &document.partition_id);
                let observed = partition::observe(&layout, document, self.settings);
                (wanted(document), observed)
            })
            .collect();
        let selection = PartitionSelection {
            only: self.settings.partition.only.clone(),
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
        let offline = outcome
            .failures()
            .any(|(_, failure)| failure.severity.is_of_master());
        if !offline && before != Presence::Absent {
            return;
        }
        if offline && !self.master_was_away {
            log::warn!("the master failed: starting the services that are known");
        }
        match services::start_known(client) {
            Ok(()) => outcome.offline |= offline,
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
