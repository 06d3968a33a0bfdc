//! Slaves: shares of an instance, listed in the parameters of their host.

use slap_proto::calls::RequestComputerPartition;
use slap_proto::documents::{Attributes, InstanceState, SoftwareInstance};
use slap_proto::instance_xml;
use slap_proto::marshal::{Dict, Value, decode, encode_without_references};

use super::request::{DEFAULT_TYPE, Requester, computer};
use super::{Context, touch, tree, view};
use crate::MasterError;
use crate::storage::{PartitionRow, Records, SlaveRow};

/// The key of a slave's name in the list of its host.
const REFERENCE: &str = "slave_reference";
/// The same once more.
const TITLE: &str = "slave_title";
/// The key of a slave's type there.
const SOFTWARE_TYPE: &str = "slap_software_type";

/// Adds a slave to its host, changes it, or takes it off.
pub(super) fn request(
    call: &RequestComputerPartition,
    requester: &Requester,
    context: &Context<'_>,
    records: &dyn Records,
) -> Result<SoftwareInstance, MasterError> {
    let reference = tree::slave_reference(&requester.root, &call.partition_reference);
    let present = records.slave(&reference)?;
    if let Some(present) = &present
        && !tree::may_own(records, &requester.root, present)?
    {
        return Err(MasterError::BadRequest(format!(
            "field partition_reference: another tree has the slave {reference}"
        )));
    }
    let host = host(call, context, records, present.as_ref())?;
    if let Some(present) = present.as_ref().filter(|present| !is_host(&host, present)) {
        take_off(context, records, present)?;
    }
    let state = call
        .state
        .as_deref()
        .unwrap_or(InstanceState::Started.as_str());
    let connection_xml = present.and_then(|slave| slave.connection_xml);
    let host = relist(context, records, host, |slaves| {
        slaves.retain(|slave| name(slave) != Some(&reference));
        if state != InstanceState::Destroyed.as_str() {
            slaves.push(entry(call, &reference));
        }
    })?;
    if state == InstanceState::Destroyed.as_str() {
        records.remove_slave(&reference)?;
    } else {
        records.put_slave(&SlaveRow {
            reference,
            computer_reference: host.computer_reference.clone(),
            connection_xml: connection_xml.clone(),
            hosted_by: host.reference.clone(),
            requester_id: requester.id.clone(),
        })?;
    }
    let mut answer = view::instance(records, &host, None, connection_xml.as_deref())?;
    let parameters = instance_xml::to_xml(&call.partition_parameter_dict)?;
    answer.parameter_dict = view::parameters(Some(&parameters));
    answer.requested_state = Some(state.to_owned());
    Ok(answer)
}

fn is_host(row: &PartitionRow, slave: &SlaveRow) -> bool {
    row.reference == slave.hosted_by && row.computer_reference == slave.computer_reference
}

/// The instance that hosts the slave already, else the first that could.
fn host(
    call: &RequestComputerPartition,
    context: &Context<'_>,
    records: &dyn Records,
    present: Option<&SlaveRow>,
) -> Result<PartitionRow, MasterError> {
    let hosts = records.hosts(
        &computer(call, context),
        &call.software_release,
        call.software_type.as_deref(),
    )?;
    let guid = call
        .filter_dict
        .get("instance_guid")
        .filter(|value| value.is_truthy());
    let guid = guid.map(Value::to_text);
    let fits = |row: &&PartitionRow| {
        guid.as_ref()
            .is_none_or(|guid| *guid == view::guid(row) || *guid == row.reference)
    };
    let fitting: Vec<_> = hosts.iter().filter(fits).collect();
    let current = present.and_then(|slave| fitting.iter().find(|row| is_host(row, slave)));
    current
        .or(fitting.first())
        .map(|row| (**row).clone())
        .ok_or_else(|| {
            let release = &call.software_release;
            MasterError::NotFound(format!(
                "there is no instance of {release} to host the slave"
            ))
        })
}

/// Changes the list of a host, which is processed again if that makes a difference.
fn relist(
    context: &Context<'_>,
    records: &dyn Records,
    mut host: PartitionRow,
    change: impl FnOnce(&mut Vec<Value>),
) -> Result<PartitionRow, MasterError> {
    let before = list(&host);
    let mut slaves = before.clone();
    change(&mut slaves);
    slaves.sort_by(|left, right| name(left).cmp(&name(right)));
    if before != slaves {
        // With references of many slaves, it might be refused when it is read.
        let list = encode_without_references(&Value::list(slaves))?;
        host.slave_instance_list = Some(list);
        touch(&mut host, context.now);
        records.put_partition(&host)?;
    }
    Ok(host)
}

/// Takes a slave off the list of its host, if that is still there.
fn take_off(
    context: &Context<'_>,
    records: &dyn Records,
    slave: &SlaveRow,
) -> Result<(), MasterError> {
    if let Some(host) = records.partition(&slave.computer_reference, &slave.hosted_by)? {
        relist(context, records, host, |slaves| {
            slaves.retain(|entry| name(entry) != Some(&slave.reference));
        })?;
    }
    Ok(())
}

/// A slave as its host sees it: its parameters and its names.
fn entry(call: &RequestComputerPartition, reference: &str) -> Value {
    let mut entry: Dict = call.partition_parameter_dict.clone().into_iter().collect();
    entry.insert(TITLE, reference.into());
    entry.insert(REFERENCE, reference.into());
    let software_type = call.software_type.as_deref().unwrap_or(DEFAULT_TYPE);
    entry.insert(SOFTWARE_TYPE, software_type.into());
    Value::Dict(entry.into())
}

/// The slaves of a host.
pub(crate) fn list(host: &PartitionRow) -> Vec<Value> {
    let document = host.slave_instance_list.as_deref().unwrap_or_default();
    let value = decode(document.as_bytes()).unwrap_or(Value::None);
    value.as_list().map(<[Value]>::to_vec).unwrap_or_default()
}

/// The reference of a slave in the list of its host.
pub(crate) fn name(slave: &Value) -> Option<&str> {
    slave.as_dict()?.get(REFERENCE)?.as_str()
}

/// The type of a slave, by its entry in the list of its host.
pub(crate) fn software_type(entry: &Dict) -> String {
    let software_type = entry.get(SOFTWARE_TYPE).map(Value::to_text);
    software_type.unwrap_or_else(|| DEFAULT_TYPE.to_owned())
}

/// The parameters of a slave, by its entry in the list of its host.
pub(crate) fn parameters(entry: &Dict) -> Attributes {
    let own = [TITLE, REFERENCE, SOFTWARE_TYPE];
    let pairs = entry
        .iter()
        .map(|(key, value)| (key.to_text(), value.clone()));
    pairs
        .filter(|(key, _)| !own.contains(&key.as_str()))
        .collect()
}

/// A slave of that host, or 404.
pub(super) fn find(
    records: &dyn Records,
    host: &PartitionRow,
    reference: &str,
) -> Result<SlaveRow, MasterError> {
    let slave = records.slave(reference)?;
    slave.filter(|slave| is_host(host, slave)).ok_or_else(|| {
        let (computer, host) = (&host.computer_reference, &host.reference);
        MasterError::NotFound(format!(
            "there is no slave {reference} on partition {host} of computer {computer}"
        ))
    })
}

/// Gives a slave another title; it stays in the tree of its requester.
pub(super) fn rename(
    context: &Context<'_>,
    records: &dyn Records,
    slave: SlaveRow,
    new_title: &str,
) -> Result<(), MasterError> {
    let requesters = tree::requesters_of_slave(records, &slave)?;
    let root = requesters.first().map(tree::root_name).unwrap_or_default();
    let reference = tree::slave_reference(root, new_title);
    if reference == slave.reference {
        return Ok(());
    }
    set_reference(context, records, slave, reference)
}

/// Renames the slaves that members of a tree requested as the root is renamed.
pub(super) fn follow_root(
    context: &Context<'_>,
    records: &dyn Records,
    root: &PartitionRow,
    new_root: &str,
) -> Result<(), MasterError> {
    let old_root = tree::root_name(root);
    for member in tree::members(records, root)? {
        for slave in tree::slaves_of(records, &member)? {
            let title = tree::slave_title(&slave.reference, old_root);
            if let Some(reference) = title.map(|title| tree::slave_reference(new_root, title)) {
                set_reference(context, records, slave, reference)?;
            }
        }
    }
    Ok(())
}

/// Gives a slave another reference, in its own row and in the list of its host, unless another
/// slave has it.
fn set_reference(
    context: &Context<'_>,
    records: &dyn Records,
    slave: SlaveRow,
    reference: String,
) -> Result<(), MasterError> {
    if records.slave(&reference)?.is_some() {
        return Err(MasterError::BadRequest(format!(
            "field new_name: there is a slave {reference} already"
        )));
    }
    if let Some(host) = records.partition(&slave.computer_reference, &slave.hosted_by)? {
        relist(context, records, host, |slaves| {
            for entry in slaves {
                if let Value::Dict(dict) = entry
                    && dict.get(REFERENCE).and_then(Value::as_str) == Some(&slave.reference)
                {
                    let mut renamed = Dict::clone(dict);
                    renamed.insert(TITLE, reference.as_str().into());
                    renamed.insert(REFERENCE, reference.as_str().into());
                    *dict = renamed.into();
                }
            }
        })?;
    }
    records.remove_slave(&slave.reference)?;
    records.put_slave(&SlaveRow { reference, ..slave })?;
    Ok(())
}

/// Forgets the slaves that an instance hosts, and those that it requested, as it goes.
pub(super) fn leave_with(
    context: &Context<'_>,
    records: &dyn Records,
    row: &PartitionRow,
) -> Result<(), MasterError> {
    for slave in tree::slaves_of(records, row)? {
        take_off(context, records, &slave)?;
        records.remove_slave(&slave.reference)?;
    }
    Ok(records.remove_slaves(&row.computer_reference, &row.reference)?)
}
