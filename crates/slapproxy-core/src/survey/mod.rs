//! Everything that a master knows, as of one moment: what the panel and `show` tell people.

mod grouped;
mod standing;

use std::collections::{BTreeMap, HashMap};

use md5::{Digest, Md5};
use slap_proto::instance_xml;
use slap_proto::marshal::{Value, decode};

pub(crate) use standing::Standing;

use crate::MasterError;
use crate::storage::{
    ComputerRow, NetworkRow, PartitionRow, Records, ReportKind, ReportRow, SlaveRow, SoftwareRow,
};
use grouped::Grouped;

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
    /// Reads it, by as many statements however many computers there are. Of each report's message,
    /// at most the last `longest` characters are taken.
    pub(crate) fn read(records: &dyn Records, longest: u32) -> Result<Self, MasterError> {
        let mut rows = Grouped::read(records, longest)?;
        let computers = records.computers()?.into_iter();
        let computers = computers.map(|row| Computer::of(row, &mut rows));
        Ok(Self {
            computers: computers.collect(),
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
    fn of(row: ComputerRow, rows: &mut Grouped) -> Self {
        let partitions = partitions(&row.reference, rows);
        Self {
            releases: releases(&row.reference, rows),
            slaves: slaves(rows.slaves.take(&row.reference), &partitions),
            partitions,
            row,
        }
    }

    /// How many partitions hold an instance.
    pub(crate) fn busy(&self) -> usize {
        self.partitions.iter().filter(|it| it.row.busy).count()
    }
}

fn releases(computer: &str, rows: &mut Grouped) -> Vec<Release> {
    let mut reports = by_subject(rows.software_reports.take(computer));
    let releases = rows.software.take(computer).into_iter();
    let releases = releases.map(|row| Release {
        computer: computer.to_owned(),
        report: reports.remove(&row.url),
        row,
    });
    releases.collect()
}

fn partitions(computer: &str, rows: &mut Grouped) -> Vec<Partition> {
    let mut reports = by_subject(rows.instance_reports.take(computer));
    let mut addresses: HashMap<_, Vec<_>> = HashMap::new();
    for (partition, address) in rows.addresses.take(computer) {
        addresses.entry(partition).or_default().push(address);
    }
    let unrequested = rows.unrequested.take(computer).into_iter();
    let unrequested: HashMap<_, _> = unrequested.map(|row| (row.reference, row.time)).collect();
    let partitions = rows.partitions.take(computer).into_iter();
    let partitions = partitions.map(|row| Partition {
        report: reports.remove(&row.reference).filter(|_| row.busy),
        addresses: addresses.remove(&row.reference).unwrap_or_default(),
        unrequested: unrequested.get(&row.reference).copied(),
        row,
    });
    partitions.collect()
}

fn by_subject(rows: Vec<ReportRow>) -> HashMap<String, ReportRow> {
    let rows = rows.into_iter();
    rows.map(|row| (row.subject.clone(), row)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{SqliteStorage, Storage, UnrequestedRow};

    fn report(subject: &str, message: &str) -> ReportRow {
        ReportRow {
            subject: subject.to_owned(),
            state: "error".to_owned(),
            message: message.to_owned(),
            time: 1.0,
        }
    }

    /// A computer with what others have, too, by the same names.
    fn add(records: &dyn Records, computer: &str) -> Result<(), MasterError> {
        records.set_software(computer, "u", "available")?;
        records.put_report(ReportKind::Software, computer, &report("u", computer))?;
        records.put_report(
            ReportKind::Instance,
            computer,
            &report("slappart0", computer),
        )?;
        for reference in ["slappart1", "slappart0"] {
            records.put_partition(&PartitionRow {
                reference: reference.to_owned(),
                computer_reference: computer.to_owned(),
                busy: true,
                ..PartitionRow::default()
            })?;
            let address = NetworkRow {
                reference: "tap".to_owned(),
                address: format!("{computer} {reference}"),
                netmask: None,
            };
            records.set_network(computer, reference, &[address])?;
        }
        records.put_unrequested(&UnrequestedRow {
            computer_reference: computer.to_owned(),
            reference: "slappart1".to_owned(),
            time: 2.0,
        })?;
        records.put_slave(&SlaveRow {
            reference: format!("_{computer}"),
            computer_reference: computer.to_owned(),
            connection_xml: None,
            hosted_by: "slappart0".to_owned(),
            requester_id: "user".to_owned(),
        })?;
        for time in [3.0, 4.0] {
            records.put_usage(computer, "", time)?;
        }
        Ok(())
    }

    #[test]
    fn each_computer_has_what_is_its_own_in_the_order_in_which_it_came() {
        let directory = tempfile::tempdir().unwrap();
        let storage = SqliteStorage::open(&directory.path().join("db"), "C").unwrap();
        let names = ["B", "A"];
        storage
            .write(|records| {
                records.set_computer("empty", None, None)?;
                names.iter().try_for_each(|name| add(records, name))?;
                Ok(records.set_computer("B", None, None)?)
            })
            .unwrap();
        let survey = storage.read(|records| Survey::read(records, 9)).unwrap();
        let references = survey.computers.iter().map(|it| it.row.reference.as_str());
        assert_eq!(references.collect::<Vec<_>>(), ["empty", "B", "A"]);
        let empty = survey.computer("empty").unwrap();
        assert!(empty.releases.is_empty() && empty.partitions.is_empty());
        assert_eq!(empty.row.last_usage, None);
        for name in names {
            let computer = survey.computer(name).unwrap();
            assert_eq!(computer.row.last_usage, Some(4.0));
            assert_eq!(computer.slaves.len(), 1);
            assert_eq!(computer.slaves[0].row.reference, format!("_{name}"));
            let release = computer.releases[0].report.as_ref();
            assert_eq!(release.map(|report| report.message.as_str()), Some(name));
            let [one, zero] = &computer.partitions[..] else {
                panic!("{:?}", computer.partitions);
            };
            assert_eq!(one.row.reference, "slappart1");
            assert_eq!((&one.report, one.unrequested), (&None, Some(2.0)));
            assert_eq!(one.addresses[0].address, format!("{name} slappart1"));
            assert_eq!(zero.report, Some(report("slappart0", name)));
            assert_eq!(zero.unrequested, None);
        }
    }
}
