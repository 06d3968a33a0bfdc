//! All rows, by their computers.

use std::collections::HashMap;

use crate::MasterError;
use crate::storage::{
    NetworkRow, PartitionRow, Records, ReportKind, ReportRow, SlaveRow, SoftwareRow, UnrequestedRow,
};

/// Rows by the references of their computers, each in the order in which they were read.
pub(super) struct ByComputer<T>(HashMap<String, Vec<T>>);

impl<T> ByComputer<T> {
    /// Those of a computer, which has none afterwards.
    pub(super) fn take(&mut self, computer: &str) -> Vec<T> {
        self.0.remove(computer).unwrap_or_default()
    }
}

impl<T> FromIterator<(String, T)> for ByComputer<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(rows: I) -> Self {
        let mut grouped: HashMap<_, Vec<_>> = HashMap::new();
        for (computer, row) in rows {
            grouped.entry(computer).or_default().push(row);
        }
        Self(grouped)
    }
}

/// What belongs to computers.
pub(super) struct Grouped {
    pub(super) software: ByComputer<SoftwareRow>,
    pub(super) software_reports: ByComputer<ReportRow>,
    pub(super) partitions: ByComputer<PartitionRow>,
    pub(super) instance_reports: ByComputer<ReportRow>,
    /// With the references of their partitions.
    pub(super) addresses: ByComputer<(String, NetworkRow)>,
    pub(super) unrequested: ByComputer<UnrequestedRow>,
    pub(super) slaves: ByComputer<SlaveRow>,
}

impl Grouped {
    /// Reads all there are. Of each report's message, at most the last `longest` characters are
    /// taken.
    pub(super) fn read(records: &dyn Records, longest: u32) -> Result<Self, MasterError> {
        let reports = |kind| records.report_ends(kind, longest);
        let partitions = records.all_partitions()?.into_iter();
        let unrequested = records.unrequested()?.into_iter();
        let slaves = records.slaves()?.into_iter();
        Ok(Self {
            software: records.all_software()?.into_iter().collect(),
            software_reports: reports(ReportKind::Software)?.into_iter().collect(),
            partitions: partitions
                .map(|row| (row.computer_reference.clone(), row))
                .collect(),
            instance_reports: reports(ReportKind::Instance)?.into_iter().collect(),
            addresses: records.all_addresses()?.into_iter().collect(),
            unrequested: unrequested
                .map(|row| (row.computer_reference.clone(), row))
                .collect(),
            slaves: slaves
                .map(|row| (row.computer_reference.clone(), row))
                .collect(),
        })
    }
}
