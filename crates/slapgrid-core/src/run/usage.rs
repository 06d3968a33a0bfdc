//! slapgrid-ur: what a run does about usage, and with instances that are no longer wanted.

use slap_proto::documents::{ComputerPartition, InstanceState};

use super::{Phase, Run, RunError};
use crate::context::PartitionContext;
use crate::layout::PartitionLayout;
use crate::outcome::Outcome;
use crate::partition;
use crate::plan::usage::{UsageFacts, plan_usage};
use crate::plan::{NodeAction, UsageAction, UsagePlan};
use crate::usage::{self, Usage};

impl Run<'_> {
    /// Reports the usage of instances, and destroys those that are no longer wanted.
    pub(super) fn usage(&self, outcome: &mut Outcome) -> Result<(), RunError> {
        let Some((client, _)) = self.supervisor(outcome) else {
            return Ok(());
        };
        let Some(partitions) = self.partitions(outcome) else {
            return Ok(());
        };
        let selected = self.selected(&partitions)?;
        let plans = self.plan_usage(&selected);
        let contexts: Vec<_> = selected
            .into_iter()
            .map(|document| self.context(document, &client))
            .collect();
        self.report_and_destroy(&contexts, &plans, outcome);
        let unfinished = self.unfinished_destructions(&partitions);
        let steps = self.in_parallel(Phase::Usage, &unfinished, |document| {
            let plan = destruction(document);
            self.step(&document.partition_id, plan, |_| {
                partition::finish_destruction(&self.context(document, &client))
            })
        });
        outcome.usage.extend(steps);
        Ok(())
    }

    /// Partitions that the master has set free when a run before was about to empty them.
    fn unfinished_destructions<'a>(
        &self,
        partitions: &'a [ComputerPartition],
    ) -> Vec<&'a ComputerPartition> {
        let root = &self.settings.instance_root;
        let is_unfinished = |document: &&ComputerPartition| {
            let layout = PartitionLayout::new(root, &document.partition_id);
            let is_free = document.is_free() && self.is_named(document);
            is_free && partition::is_destruction_unfinished(&layout)
        };
        partitions.iter().filter(is_unfinished).collect()
    }

    /// What is to be done with them.
    pub(super) fn plan_destructions(&self, partitions: &[ComputerPartition]) -> Vec<UsagePlan> {
        let unfinished = self.unfinished_destructions(partitions);
        unfinished.into_iter().map(destruction).collect()
    }

    pub(super) fn plan_usage(&self, selected: &[&ComputerPartition]) -> Vec<UsagePlan> {
        let facts = selected.iter().map(|document| {
            let reference = document.partition_id.as_str();
            let layout = PartitionLayout::new(&self.settings.instance_root, reference);
            let state = document.requested_state.as_deref();
            let unwanted = state == Some(InstanceState::Destroyed.as_str());
            UsageFacts {
                reference: reference.to_owned(),
                unwanted,
                retained: unwanted && partition::is_retained(layout.directory()),
                usage: usage::observe(&layout),
            }
        });
        plan_usage(&facts.collect::<Vec<_>>())
    }

    fn report_and_destroy(
        &self,
        contexts: &[PartitionContext<'_>],
        plans: &[UsagePlan],
        outcome: &mut Outcome,
    ) {
        if usage::waits(self.settings) {
            outcome.node.push(NodeAction::ResendUsage);
        }
        let usage = Usage {
            settings: self.settings,
            computer: &self.computer(),
            interruption: self.interruption,
            utc_offset: self.utc_offset,
        };
        let planned = plans.iter().filter_map(|plan| {
            let is_of =
                |context: &&PartitionContext<'_>| context.layout.reference() == plan.reference;
            Some((contexts.iter().find(is_of)?, plan))
        });
        let is_report = |plan: &UsagePlan| matches!(plan.action, UsageAction::ReportUsage(_));
        let (reporting, unwanted): (Vec<_>, Vec<_>) =
            planned.partition(|(_, plan)| is_report(plan));
        let reported = usage.report(contexts, &reporting);
        outcome.usage.extend(reported.steps);
        outcome.general.extend(reported.general);
        let steps = self.in_parallel(Phase::Usage, &unwanted, |(context, plan)| {
            let reference = context.layout.reference();
            self.step(reference, (*plan).clone(), |_| {
                partition::destroy(context, !reported.unsent.contains(reference))
            })
        });
        outcome.usage.extend(steps);
    }
}

fn destruction(document: &ComputerPartition) -> UsagePlan {
    UsagePlan {
        reference: document.partition_id.clone(),
        action: UsageAction::Destroy,
    }
}
