//! slapgrid-ur: what a run does about usage, and with instances that are no longer wanted.

use slap_proto::documents::InstanceState;

use super::{Run, RunError};
use crate::context::PartitionContext;
use crate::outcome::Outcome;
use crate::partition;
use crate::usage::Usage;

impl Run<'_> {
    /// Reports the usage of instances, and destroys those that are no longer wanted.
    pub(super) fn usage(&self, outcome: &mut Outcome) -> Result<(), RunError> {
        let Some((client, _)) = self.supervisor(outcome) else {
            return Ok(());
        };
        let Some(partitions) = self.partitions(outcome) else {
            return Ok(());
        };
        let contexts: Vec<_> = self
            .selected(&partitions)?
            .into_iter()
            .map(|document| self.context(document, &client))
            .collect();
        if self.settings.mode.dry_run {
            show_usage(&contexts);
            return Ok(());
        }
        self.report_and_destroy(&contexts, outcome);
        Ok(())
    }

    fn report_and_destroy(&self, contexts: &[PartitionContext<'_>], outcome: &mut Outcome) {
        let usage = Usage {
            settings: self.settings,
            computer: &self.computer(),
            interruption: &self.interruption,
            utc_offset: self.utc_offset,
        };
        let reported = usage.report(contexts);
        outcome.partitions.extend(reported.partitions);
        outcome.general.extend(reported.general);
        let unwanted: Vec<_> = contexts
            .iter()
            .filter(|context| is_unwanted(context))
            .collect();
        let reference = |context: &&PartitionContext<'_>| context.layout.reference().to_owned();
        let outcomes = self.in_parallel(&unwanted, reference, |context| {
            let sent = !reported.unsent.contains(context.layout.reference());
            partition::destroy(context, sent)
        });
        outcome.partitions.extend(outcomes);
    }
}

fn is_unwanted(context: &PartitionContext<'_>) -> bool {
    let state = context.document.requested_state.as_deref();
    state == Some(InstanceState::Destroyed.as_str())
}

fn show_usage(contexts: &[PartitionContext<'_>]) {
    for context in contexts {
        let reference = context.layout.reference();
        log::info!("would do: {reference}: report usage");
        if is_unwanted(context) {
            log::info!("would do: {reference}: destroy");
        }
    }
}
