//! What the master says of the partitions of this computer, as far as it can be used.

use slap_client::ClientError;
use slap_proto::documents::ComputerPartition;
use slapos_fs::check_file_name;

use super::instances::wanted;
use super::{Run, RunError};
use crate::outcome::{Failure, Outcome, Severity, SubjectOutcome};
use crate::plan::partition::unknown_names;

impl Run<'_> {
    /// The partitions of the master; its failure is an outcome.
    pub(super) fn partitions(&self, outcome: &mut Outcome) -> Option<Vec<ComputerPartition>> {
        match self.computer().full_information() {
            Ok(computer) => Some(self.usable(computer.computer_partition_list, outcome)),
            Err(error) => {
                outcome.general.push(master_failure(&error));
                None
            }
        }
    }

    /// Partitions whose references can name directories; the others fail.
    fn usable(
        &self,
        list: Vec<ComputerPartition>,
        outcome: &mut Outcome,
    ) -> Vec<ComputerPartition> {
        let mut usable = Vec::new();
        for partition in list {
            match check_file_name(&partition.partition_id) {
                Ok(()) => usable.push(partition),
                Err(error) => {
                    let failure = Failure::new(Severity::Failed, &error);
                    log::error!("a partition of the master: {failure}");
                    let subject = partition.partition_id.escape_debug().to_string();
                    outcome.partitions.push(SubjectOutcome {
                        subject,
                        result: Err(failure),
                    });
                }
            }
        }
        usable
    }

    /// The partitions with an instance, of those that are named if any are.
    pub(super) fn selected<'a>(
        &self,
        partitions: &'a [ComputerPartition],
    ) -> Result<Vec<&'a ComputerPartition>, RunError> {
        let only = &self.settings.partition.only;
        let unknown = unknown_partitions(only, partitions);
        if !unknown.is_empty() {
            return Err(RunError::UnknownPartitions(unknown));
        }
        let selected = partitions.iter().filter(|document| {
            let named = only.is_empty() || only.contains(&document.partition_id);
            named && !document.is_free()
        });
        Ok(selected.collect())
    }
}

/// References that were given on the command line and that the master does not know.
pub(super) fn unknown_partitions(only: &[String], partitions: &[ComputerPartition]) -> Vec<String> {
    let wanted: Vec<_> = partitions.iter().map(wanted).collect();
    unknown_names(only, &wanted)
}

pub(super) fn master_failure(error: &ClientError) -> Failure {
    let failure = Failure::new(Severity::of_call(error), error);
    log::error!("{failure}");
    failure
}
