//! Everything that a master knows, as of one moment: what the panel and `show` tell people.

mod standing;

use std::collections::BTreeMap;

use md5::{Digest, Md5};
use slap_proto::instance_xml;
use slap_proto::marshal::{Value, decode};

pub(crate) use standing::Standing;

use crate::MasterError;
use crate::storage::{
    ComputerRow, NetworkRow, PartitionRow, Records, ReportKind, ReportRow, SlaveRow, SoftwareRow,
};

/// Every computer with all that belongs to it.
#[derive(Debug)]
pub(crate) struct Survey {
    pub(crate) computers: Vec<Computer>,
}

/// A computer with all that belongs to it.
#[derive(Debug)]
pub(crate) struct Computer {
    pub(crate) row: ComputerRow,
    pub(crate) releases: Vec<Release>,
    pub(crate) partitions: Vec<Partition>,
    pub(crate) slaves: Vec<Slave>,
    /// When it last sent a usage report, in seconds since 1970.
    pub(crate) last_usage: Option<f64>,
}

/// A release and what its computer reported of it.
#[derive(Debug)]
pub(crate) struct Release {
    pub(crate) computer: String,
    pub(crate) row: SoftwareRow,
    pub(crate) report: Option<ReportRow>,
}

/// A partition, its addresses and what its computer reported of the instance in it.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) row: PartitionRow,
    pub(crate) report: Option<ReportRow>,
    pub(crate) addresses: Vec<NetworkRow>,
    /// Since when the instance is no longer requested and kept all the same, in seconds since 1970.
    pub(crate) unrequested: Option<f64>,
}

/// A slave, and the parameters that its requester gave.
#[derive(Debug)]
pub(crate) struct Slave {
    pub(crate) row: SlaveRow,
    pub(crate) parameters: Parameters,
}

/// Parameters by name; an empty one has no text.
pub(crate) type Parameters = BTreeMap<String, Option<String>>;

impl Survey {
    /// Reads it. Of each report's message, at most the last `longest` characters are taken.
    pub(crate) fn read(records: &dyn Records, longest: u32) -> Result<Self, MasterError> {
        let rows = records.computers()?.into_iter();
        let computers = rows.map(|row| Computer::read(records, row, longest));
        Ok(Self {
            computers: computers.collect::<Result<_, _>>()?,
        })
    }

    /// The computer of that reference.
    pub(crate) fn computer(&self, reference: &str) -> Option<&Computer> {
        self.computers
            .iter()
            .find(|computer| computer.row.reference == reference)
    }

    /// The partition of that name.
    pub(crate) fn partition(&self, computer: &str, reference: &str) -> Option<&Partition> {
        let partitions = &self.computer(computer)?.partitions;
        partitions
            .iter()
            .find(|partition| partition.row.reference == reference)
    }

    /// The rows of computers that their nodes described.
    pub(crate) fn described(&self) -> impl Iterator<Item = &ComputerRow> {
        let rows = self.computers.iter().map(|computer| &computer.row);
        rows.filter(|row| row.described)
    }

    /// Every report: its kind, its computer, and itself.
    pub(crate) fn reports(&self) -> impl Iterator<Item = (&'static str, &str, &ReportRow)> {
        let software = self.releases().filter_map(|release| {
            let report = release.report.as_ref()?;
            Some((
                ReportKind::Software.as_str(),
                release.computer.as_str(),
                report,
            ))
        });
        let instances = self.instances().filter_map(|partition| {
            let computer = partition.row.computer_reference.as_str();
            let report = partition.report.as_ref()?;
            Some((ReportKind::Instance.as_str(), computer, report))
        });
        software.chain(instances)
    }

    /// The instances that are no longer requested, and since when.
    pub(crate) fn unrequested(&self) -> impl Iterator<Item = (&Partition, f64)> {
        self.instances()
            .filter_map(|partition| Some((partition, partition.unrequested?)))
    }

    pub(crate) fn releases(&self) -> impl Iterator<Item = &Release> {
        self.computers
            .iter()
            .flat_map(|computer| &computer.releases)
    }

    pub(crate) fn partitions(&self) -> impl Iterator<Item = &Partition> {
        self.computers
            .iter()
            .flat_map(|computer| &computer.partitions)
    }

    /// The partitions that hold an instance.
    pub(crate) fn instances(&self) -> impl Iterator<Item = &Partition> {
        self.partitions().filter(|partition| partition.row.busy)
    }

    pub(crate) fn slaves(&self) -> impl Iterator<Item = &Slave> {
        self.computers.iter().flat_map(|computer| &computer.slaves)
    }
}

impl Computer {
    fn read(records: &dyn Records, row: ComputerRow, longest: u32) -> Result<Self, MasterError> {
        let partitions = partitions(records, &row.reference, longest)?;
        Ok(Self {
            releases: releases(records, &row.reference, longest)?,
            slaves: slaves(records.slaves(&row.reference)?, &partitions),
            partitions,
            last_usage: records.last_usage(&row.reference)?,
            row,
        })
    }

    /// How many partitions hold an instance.
    pub(crate) fn busy(&self) -> usize {
        self.partitions.iter().filter(|it| it.row.busy).count()
    }
}

fn releases(
    records: &dyn Records,
    computer: &str,
    longest: u32,
) -> Result<Vec<Release>, MasterError> {
    let mut reports = by_subject(records, ReportKind::Software, computer, longest)?;
    let rows = records.software(computer)?.into_iter();
    let releases = rows.map(|row| Release {
        computer: computer.to_owned(),
        report: reports.remove(&row.url),
        row,
    });
    Ok(releases.collect())
}

fn partitions(
    records: &dyn Records,
    computer: &str,
    longest: u32,
) -> Result<Vec<Partition>, MasterError> {
    let mut reports = by_subject(records, ReportKind::Instance, computer, longest)?;
    let mut addresses: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (partition, address) in records.addresses(computer)? {
        addresses.entry(partition).or_default().push(address);
    }
    let unrequested = records.unrequested(computer)?.into_iter();
    let unrequested: BTreeMap<_, _> = unrequested.map(|row| (row.reference, row.time)).collect();
    let rows = records.partitions(computer)?.into_iter();
    let partitions = rows.map(|row| Partition {
        report: reports.remove(&row.reference).filter(|_| row.busy),
        addresses: addresses.remove(&row.reference).unwrap_or_default(),
        unrequested: unrequested.get(&row.reference).copied(),
        row,
    });
    Ok(partitions.collect())
}

fn by_subject(
    records: &dyn Records,
    kind: ReportKind,
    computer: &str,
    longest: u32,
) -> Result<BTreeMap<String, ReportRow>, MasterError> {
    let rows = records.report_ends(kind, computer, longest)?.into_iter();
    Ok(rows.map(|row| (row.subject.clone(), row)).collect())
}

impl Partition {
    /// The name that its requester gave the instance.
    pub(crate) fn title(&self) -> &str {
        self.row.partition_reference.as_deref().unwrap_or_default()
    }

    /// The name of the root of the instance's tree, which may be the instance itself.
    pub(crate) fn root(&self) -> &str {
        if self.is_root() {
            self.title()
        } else {
            &self.row.requested_by
        }
    }

    /// Whether the instance was requested by a user.
    pub(crate) fn is_root(&self) -> bool {
        self.row.requested_by.is_empty()
    }
}

/// The word of the peer's column for whether a partition holds an instance.
pub(crate) fn slap_state(row: &PartitionRow) -> &'static str {
    if row.busy { "busy" } else { "free" }
}

/// The MD5 of a release's URL, by which nodes name its directory.
pub(crate) fn md5(url: &str) -> String {
    let digest = Md5::digest(url.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The parameters of a stored instance document; none of one that cannot be read.
pub(crate) fn parameters(document: Option<&str>) -> Parameters {
    instance_xml::from_xml(document.unwrap_or_default()).unwrap_or_default()
}

/// Slaves with the parameters that their hosts are told.
fn slaves(rows: Vec<SlaveRow>, hosts: &[Partition]) -> Vec<Slave> {
    let lists = hosts
        .iter()
        .filter_map(|host| host.row.slave_instance_list.as_deref());
    let mut told: BTreeMap<_, _> = lists.flat_map(slave_list).collect();
    let slaves = rows.into_iter().map(|row| Slave {
        parameters: told.remove(&row.reference).unwrap_or_default(),
        row,
    });
    slaves.collect()
}

/// The slaves of a stored list by their references.
fn slave_list(document: &str) -> Vec<(String, Parameters)> {
    let document = decode(document.as_bytes()).unwrap_or(Value::None);
    let entries = document.as_list().unwrap_or_default().iter();
    entries.filter_map(slave_entry).collect()
}

fn slave_entry(entry: &Value) -> Option<(String, Parameters)> {
    let entry = entry.as_dict()?;
    let reference = entry.get("slave_reference")?.to_text();
    let parameters = entry
        .iter()
        .map(|(key, value)| (key.to_text(), Some(value.to_text())))
        .filter(|(key, _)| !matches!(key.as_str(), "slave_reference" | "slave_title"));
    Some((reference, parameters.collect()))
}
