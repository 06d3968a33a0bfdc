//! What a run would do, found out without doing anything.

use slap_proto::documents::{Computer, ComputerPartition};
use supervisor::Presence;

use super::{Phase, Run, RunError};
use crate::layout::PartitionLayout;
use crate::outcome::{Failure, Outcome, Severity};
use crate::partition;
use crate::plan::{
    NodeAction, PartitionAction, PartitionPlan, PlannedPartition, ReleaseAction, RunPlan,
    SCHEMA_VERSION,
};
use crate::supervisord;
use crate::usage;

impl Run<'_> {
    /// The plans of all phases. What cannot be told is among the errors.
    pub(super) fn planned(&self, phases: &[Phase]) -> Result<RunPlan, RunError> {
        let mut outcome = Outcome::begin();
        let mut plan = RunPlan {
            version: SCHEMA_VERSION,
            computer: self.settings.computer_id.clone(),
            master: self.slap.master_url().to_owned(),
            changes: false,
            node: Vec::new(),
            releases: Vec::new(),
            partitions: Vec::new(),
            usage: Vec::new(),
            errors: Vec::new(),
        };
        if phases != [Phase::Software] {
            self.plan_supervisord(&mut plan, &mut outcome);
        }
        if let Some(computer) = self.ask_master(&mut outcome) {
            self.plan_phases(phases, computer, &mut plan, &mut outcome)?;
        }
        plan.changes = plan.wants_changes();
        plan.errors = outcome.general;
        Ok(plan)
    }

    fn plan_supervisord(&self, plan: &mut RunPlan, outcome: &mut Outcome) {
        match supervisord::find(self.settings, self.interruption) {
            Ok((_, Presence::Running)) => {}
            Ok((_, Presence::Absent)) => plan.node.push(NodeAction::LaunchSupervisord),
            Err(error) => {
                let failure = Failure::new(Severity::Failed, &error);
                log::error!("{failure}");
                outcome.general.push(failure);
            }
        }
    }

    fn plan_phases(
        &self,
        phases: &[Phase],
        computer: Computer,
        plan: &mut RunPlan,
        outcome: &mut Outcome,
    ) -> Result<(), RunError> {
        if phases.contains(&Phase::Software) {
            let releases = self.plan_releases(&computer, outcome)?;
            let considered = releases.unwrap_or_default().into_iter();
            plan.releases = considered
                .filter(|plan| plan.action != ReleaseAction::Ignore)
                .collect();
        }
        if phases == [Phase::Software] {
            return Ok(());
        }
        let partitions = self.usable(computer.computer_partition_list, outcome);
        if phases.contains(&Phase::Instances) {
            plan.partitions = self.plan_instances(&partitions)?;
        }
        if phases.contains(&Phase::Usage) {
            plan.usage = self.plan_usage(&self.selected(&partitions)?);
            // Otherwise the instances' phase does it.
            if !phases.contains(&Phase::Instances) {
                plan.usage.extend(self.plan_destructions(&partitions));
            }
            if usage::waits(self.settings) {
                plan.node.push(NodeAction::ResendUsage);
            }
        }
        Ok(())
    }

    fn plan_instances(
        &self,
        partitions: &[ComputerPartition],
    ) -> Result<Vec<PlannedPartition>, RunError> {
        let plans = self.plan_partitions(partitions)?.into_iter();
        let considered = plans.filter(|plan| plan.action != PartitionAction::Ignore);
        let with_promises = |plan: PartitionPlan| {
            let layout = PartitionLayout::new(&self.settings.instance_root, &plan.reference);
            let checks = plan.action == PartitionAction::CheckPromises;
            PlannedPartition {
                promises_due: checks.then(|| partition::due_promises(&layout)),
                plan,
            }
        };
        Ok(considered.map(with_promises).collect())
    }
}
