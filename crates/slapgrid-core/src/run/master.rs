//! What the master says of this computer, as far as it can be used.

use std::time::Instant;

use slap_proto::documents::{Computer, ComputerPartition};
use slapos_fs::check_file_name;

use super::instances::wanted;
use super::{Run, RunError, unambiguous};
use crate::outcome::{Failure, Outcome, Severity, error_chain};
use crate::plan::partition::unknown_names;

impl Run<'_> {
    /// What the master says of this computer; its failure is an outcome.
    pub(super) fn ask_master(&self, outcome: &mut Outcome) -> Option<Computer> {
        let clock = Instant::now();
        match self.known.refresh(&self.computer()) {
            Ok(computer) => {
                outcome.master.note(&computer, clock.elapsed());
                Some(computer)
            }
            Err(error) => {
                let failure = Failure::new(Severity::of_call(&error), &error);
                let level = super::level(&failure, self.master_was_away);
                log::log!(level, "{failure}");
                outcome.master.answers = Some(false);
                outcome.general.push(failure);
                None
            }
        }
    }

    /// The partitions of the master that can be worked on.
    pub(super) fn partitions(&self, outcome: &mut Outcome) -> Option<Vec<ComputerPartition>> {
        let computer = self.ask_master(outcome)?;
        Some(self.usable(computer.computer_partition_list, outcome))
    }

    /// Partitions whose references can name directories and of which one thing is wanted; the others
    /// are failures.
    pub(super) fn usable(
        &self,
        list: Vec<ComputerPartition>,
        outcome: &mut Outcome,
    ) -> Vec<ComputerPartition> {
        let mut refused = Vec::new();
        let mut usable = Vec::new();
        for partition in list {
            match check_file_name(&partition.partition_id) {
                Ok(()) => usable.push(partition),
                Err(error) => {
                    refused.push(format!(
                        "a partition of the master: {}",
                        error_chain(&error)
                    ));
                }
            }
        }
        let reference = |partition: &ComputerPartition| partition.partition_id.clone();
        let (usable, ambiguous) = unambiguous::take(usable, reference);
        refused.extend(ambiguous.iter().map(ToString::to_string));
        refuse(refused, outcome);
        usable
    }

    /// The partitions with an instance, of those that are named if any are.
    pub(super) fn selected<'a>(
        &self,
        partitions: &'a [ComputerPartition],
    ) -> Result<Vec<&'a ComputerPartition>, RunError> {
        self.refuse_unknown(partitions)?;
        let selected = partitions
            .iter()
            .filter(|document| self.is_named(document) && !document.is_free());
        Ok(selected.collect())
    }

    /// Whether a partition is named on the command line, or none is.
    pub(super) fn is_named(&self, document: &ComputerPartition) -> bool {
        let only = &self.settings.partition.only;
        only.is_empty() || only.contains(&document.partition_id)
    }

    /// References that were given on the command line must be known to the master.
    pub(super) fn refuse_unknown(&self, partitions: &[ComputerPartition]) -> Result<(), RunError> {
        let wanted: Vec<_> = partitions.iter().map(wanted).collect();
        let unknown = unknown_names(&self.settings.partition.only, &wanted);
        if unknown.is_empty() {
            Ok(())
        } else {
            Err(RunError::UnknownPartitions(unknown))
        }
    }
}

/// What cannot be done for the node: each is a failure.
pub(super) fn refuse(messages: Vec<String>, outcome: &mut Outcome) {
    for message in messages {
        log::error!("{message}");
        outcome.general.push(Failure {
            severity: Severity::Failed,
            message,
        });
    }
}
