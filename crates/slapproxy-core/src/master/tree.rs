//! Trees of instances: a root that a user requested, and what its members requested in turn.

use super::request::USER;
use super::touch;
use crate::MasterError;
use crate::storage::{PartitionRow, Records, SlaveRow};

/// The name of the root of an instance's tree; empty for a free partition.
pub(crate) fn root_name(row: &PartitionRow) -> &str {
    if !row.busy {
        // Other masters may have left names behind.
        ""
    } else if row.requested_by.is_empty() {
        row.partition_reference.as_deref().unwrap_or_default()
    } else {
        &row.requested_by
    }
}

/// Every instance of the tree that an instance belongs to.
pub(super) fn members(
    records: &dyn Records,
    row: &PartitionRow,
) -> Result<Vec<PartitionRow>, MasterError> {
    let root = root_name(row);
    if root.is_empty() {
        return Ok(vec![row.clone()]);
    }
    let mut members = records.children(root)?;
    members.extend(records.instance(root, "")?);
    Ok(members)
}

/// The instances that a requester's reference may stand for: tables tell its partition, not its
/// computer.
fn requesters(records: &dyn Records, requester: &str) -> Result<Vec<PartitionRow>, MasterError> {
    if requester.is_empty() || requester == USER {
        return Ok(Vec::new());
    }
    let mut rows = records.namesakes(requester)?;
    rows.retain(|row| row.busy);
    Ok(rows)
}

/// The partitions that requested an instance.
pub(super) fn requesters_of_instance(
    records: &dyn Records,
    row: &PartitionRow,
) -> Result<Vec<PartitionRow>, MasterError> {
    let mut rows = requesters(records, &row.requester_id)?;
    rows.retain(|requester| root_name(requester) == row.requested_by);
    Ok(rows)
}

/// The partitions that may have requested a slave: a reference does not tell where the name of its
/// root ends.
fn claimants(records: &dyn Records, slave: &SlaveRow) -> Result<Vec<PartitionRow>, MasterError> {
    let mut rows = requesters(records, &slave.requester_id)?;
    rows.retain(|row| slave_title(&slave.reference, root_name(row)).is_some());
    Ok(rows)
}

/// Whether a slave may be of the tree of this root, which is empty for a user. One whose requester
/// is gone or unknown may be anyone's.
pub(super) fn may_own(
    records: &dyn Records,
    root: &str,
    slave: &SlaveRow,
) -> Result<bool, MasterError> {
    if slave.requester_id == USER {
        return Ok(root.is_empty());
    }
    let claimants = claimants(records, slave)?;
    let is_of_root = |row: &PartitionRow| root_name(row) == root;
    Ok(claimants.is_empty() || claimants.iter().any(is_of_root))
}

/// The partitions that requested a slave. Where names of roots begin alike, it is of the longest.
pub(crate) fn requesters_of_slave(
    records: &dyn Records,
    slave: &SlaveRow,
) -> Result<Vec<PartitionRow>, MasterError> {
    let mut rows = claimants(records, slave)?;
    let longest = rows.iter().map(|row| root_name(row).len()).max();
    rows.retain(|row| Some(root_name(row).len()) == longest);
    Ok(rows)
}

/// The slaves that an instance requested.
pub(super) fn slaves_of(
    records: &dyn Records,
    row: &PartitionRow,
) -> Result<Vec<SlaveRow>, MasterError> {
    let mut slaves = Vec::new();
    for slave in records.slaves_of(&row.reference)? {
        let requesters = requesters_of_slave(records, &slave)?;
        let is_this = |other: &PartitionRow| other.computer_reference == row.computer_reference;
        if requesters.iter().any(is_this) {
            slaves.push(slave);
        }
    }
    Ok(slaves)
}

/// Has partitions processed again, as what they requested has changed.
pub(super) fn touch_all(
    records: &dyn Records,
    rows: Vec<PartitionRow>,
    now: f64,
) -> Result<(), MasterError> {
    for mut row in rows {
        touch(&mut row, now);
        records.put_partition(&row)?;
    }
    Ok(())
}

/// How a slave is called that is requested in a tree.
pub(crate) fn slave_reference(root: &str, title: &str) -> String {
    format!("{root}_{title}")
}

/// The requester's name of a slave, if its reference is of that tree.
pub(crate) fn slave_title<'a>(reference: &'a str, root: &str) -> Option<&'a str> {
    reference.strip_prefix(root)?.strip_prefix('_')
}
