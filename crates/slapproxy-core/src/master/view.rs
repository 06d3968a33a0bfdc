//! Rows as the documents that clients read.

use std::collections::{BTreeMap, HashMap};

use slap_proto::documents::{
    Attributes, Computer, ComputerPartition, SoftwareInstance, SoftwareRelease, SoftwareState,
};
use slap_proto::instance_xml;
use slap_proto::marshal::{Value, decode};

use super::tree;
use crate::MasterError;
use crate::storage::{PartitionRow, Records};

/// The state of a partition without instance.
const FREE_STATE: &str = "destroyed";

/// The document of a computer with its releases and partitions.
pub(super) fn computer(records: &dyn Records, computer: &str) -> Result<String, MasterError> {
    let releases = records
        .software(computer)?
        .into_iter()
        .map(|row| SoftwareRelease {
            url: Some(row.url),
            computer_guid: Some(computer.to_owned()),
            requested_state: row
                .requested_state
                .parse()
                .unwrap_or(SoftwareState::Available),
            extra: Attributes::new(),
        });
    let mut addresses: HashMap<_, Vec<_>> = HashMap::new();
    for (partition, row) in records.addresses(computer)? {
        let pair = (row.reference, row.address);
        addresses.entry(partition).or_default().push(pair);
    }
    let partitions = records.partitions(computer)?.into_iter().map(|row| {
        let addresses = addresses.remove(&row.reference).unwrap_or_default();
        partition_at(&row, addresses)
    });
    let computer = Computer {
        computer_id: computer.to_owned(),
        software_release_list: releases.collect(),
        ..Computer::default()
    };
    Ok(computer.to_document_with(partitions)?)
}

/// A partition as its node sees it.
pub(super) fn partition(
    records: &dyn Records,
    row: &PartitionRow,
) -> Result<ComputerPartition, MasterError> {
    Ok(partition_at(row, addresses(records, row)?))
}

/// A partition with these (interface, address) pairs.
fn partition_at(row: &PartitionRow, addresses: Vec<(String, String)>) -> ComputerPartition {
    let mut partition = ComputerPartition {
        computer_id: row.computer_reference.clone(),
        partition_id: row.reference.clone(),
        requested_state: Some(FREE_STATE.to_owned()),
        instance_guid: Some(guid(row)),
        ..ComputerPartition::default()
    };
    if row.busy {
        partition.need_modification = true;
        partition.requested_state = Some(row.requested_state.clone());
        partition.parameter_dict = node_parameters(row, addresses);
        partition.connection_dict = parameters(row.connection_xml.as_deref());
        partition.software_release = Some(SoftwareRelease {
            url: row.software_release.clone(),
            computer_guid: Some(row.computer_reference.clone()),
            ..SoftwareRelease::default()
        });
    }
    partition
}

/// Identity of the instance in a partition.
pub(crate) fn guid(row: &PartitionRow) -> String {
    format!("{}-{}", row.computer_reference, row.reference)
}

/// The parameters of an instance and what every master adds to them.
fn node_parameters(row: &PartitionRow, addresses: Vec<(String, String)>) -> Attributes {
    let mut dict = parameters(row.xml.as_deref());
    let title = row.partition_reference.clone().unwrap_or_default();
    let addresses = addresses.into_iter();
    let pairs = addresses.map(|(name, address)| Value::Tuple(vec![name.into(), address.into()]));
    let slaves = row.slave_instance_list.as_deref();
    let slaves = slaves.and_then(|document| decode(document.as_bytes()).ok());
    let added = [
        ("ip_list", Value::list(pairs.collect())),
        ("full_address_list", Value::list(Vec::new())),
        ("slap_software_type", row.software_type.clone().into()),
        ("instance_title", title.into()),
        ("root_instance_title", tree::root_name(row).into()),
        ("slap_computer_id", row.computer_reference.clone().into()),
        ("slap_computer_partition_id", row.reference.clone().into()),
        (
            "slap_software_release_url",
            row.software_release.clone().into(),
        ),
        (
            "slave_instance_list",
            slaves.unwrap_or_else(|| Value::list(Vec::new())),
        ),
        ("timestamp", timestamp(row).into()),
    ];
    dict.extend(added.map(|(name, value)| (name.to_owned(), value)));
    dict
}

/// Whole seconds as text: nodes of every generation can read that.
fn timestamp(row: &PartitionRow) -> String {
    format!("{:.0}", row.timestamp.unwrap_or(0.0).floor())
}

/// The answer to whoever requested the instance.
pub(crate) fn instance(
    records: &dyn Records,
    row: &PartitionRow,
    parameter_xml: Option<&str>,
    connection_xml: Option<&str>,
) -> Result<SoftwareInstance, MasterError> {
    let mut parameter_dict = parameters(parameter_xml);
    parameter_dict.insert("timestamp".to_owned(), timestamp(row).into());
    Ok(SoftwareInstance {
        computer_id: Some(row.computer_reference.clone()),
        partition_id: Some(row.reference.clone()),
        software_release_url: row.software_release.clone(),
        software_type: row.software_type.clone(),
        instance_guid: Some(guid(row)),
        requested_state: Some(row.requested_state.clone()),
        parameter_dict,
        connection_dict: parameters(connection_xml),
        connection_xml: connection_xml.map(str::to_owned),
        ip_list: addresses(records, row)?,
        extra: Attributes::new(),
    })
}

/// (interface, address) pairs of a partition.
pub(super) fn addresses(
    records: &dyn Records,
    row: &PartitionRow,
) -> Result<Vec<(String, String)>, MasterError> {
    let rows = records.network(&row.computer_reference, &row.reference)?;
    Ok(rows
        .into_iter()
        .map(|row| (row.reference, row.address))
        .collect())
}

/// Parameters of a stored instance document; one that another program broke counts as empty.
pub(crate) fn parameters(xml: Option<&str>) -> Attributes {
    let read: BTreeMap<_, _> =
        instance_xml::from_xml(xml.unwrap_or_default()).unwrap_or_else(|error| {
            log::warn!("a stored instance document cannot be read: {error}");
            BTreeMap::new()
        });
    read.into_iter()
        .map(|(key, value)| (key, value.into()))
        .collect()
}
