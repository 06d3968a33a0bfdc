//! Slaves: shares of an instance, listed in the parameters of their host.

use slap_proto::calls::RequestComputerPartition;
use slap_proto::documents::InstanceState;
use slap_proto::instance_xml;
use slap_proto::marshal::{Dict, Value, decode, encode};

use super::request::{DEFAULT_TYPE, Requester, computer};
use super::{Answer, Context, touch, view};
use crate::MasterError;
use crate::storage::{PartitionRow, Records, SlaveRow};

/// The key of a slave's name in the list of its host.
const REFERENCE: &str = "slave_reference";

/// Adds a slave to its host, changes it, or takes it off.
pub(super) fn request(
    call: &RequestComputerPartition,
    requester: &Requester,
    context: &Context<'_>,
    records: &dyn Records,
) -> Result<Answer, MasterError> {
    let reference = format!("{}_{}", requester.root, call.partition_reference);
    let present = records.slave(&reference)?;
    let host = host(call, context, records, present.as_ref())?;
    let mut slaves = list(&host);
    let before = slaves.clone();
    let state = call
        .state
        .as_deref()
        .unwrap_or(InstanceState::Started.as_str());
    let stays = state != InstanceState::Destroyed.as_str();
    slaves.retain(|slave| name(slave) != Some(&reference));
    if stays {
        slaves.push(entry(call, &reference));
        slaves.sort_by(|left, right| name(left).cmp(&name(right)));
    }
    let connection_xml = present.and_then(|slave| slave.connection_xml);
    let host = update_host(host, &before, slaves, context, records)?;
    if stays {
        records.put_slave(&SlaveRow {
            reference,
            computer_reference: host.computer_reference.clone(),
            connection_xml: connection_xml.clone(),
            hosted_by: host.reference.clone(),
            requester_id: requester.id.clone(),
        })?;
    } else {
        records.remove_slave(&reference)?;
    }
    let parameters = instance_xml::to_xml(&call.partition_parameter_dict)?;
    let mut answer = view::instance(records, &host, Some(&parameters), connection_xml.as_deref())?;
    answer.requested_state = Some(state.to_owned());
    Ok(Answer::Document(answer.to_value()))
}

/// The instance that hosts the slave already, else the first that could.
fn host(
    call: &RequestComputerPartition,
    context: &Context<'_>,
    records: &dyn Records,
    present: Option<&SlaveRow>,
) -> Result<PartitionRow, MasterError> {
    let wanted_type = call
        .software_type
        .as_deref()
        .filter(|name| *name != DEFAULT_TYPE);
    let hosts = records.hosts(
        &computer(call, context),
        &call.software_release,
        wanted_type,
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
    let current =
        present.and_then(|slave| fitting.iter().find(|row| row.reference == slave.hosted_by));
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

fn update_host(
    mut host: PartitionRow,
    before: &[Value],
    slaves: Vec<Value>,
    context: &Context<'_>,
    records: &dyn Records,
) -> Result<PartitionRow, MasterError> {
    if before != slaves {
        host.slave_instance_list = Some(encode(&Value::list(slaves))?);
        touch(&mut host, context.now);
        records.put_partition(&host)?;
    }
    Ok(host)
}

/// A slave as its host sees it: its parameters and its names.
fn entry(call: &RequestComputerPartition, reference: &str) -> Value {
    let mut entry: Dict = call.partition_parameter_dict.clone().into_iter().collect();
    entry.insert("slave_title", reference.into());
    entry.insert(REFERENCE, reference.into());
    let software_type = call.software_type.as_deref().unwrap_or(DEFAULT_TYPE);
    entry.insert("slap_software_type", software_type.into());
    Value::Dict(entry.into())
}

/// The slaves of a host.
fn list(host: &PartitionRow) -> Vec<Value> {
    let document = host.slave_instance_list.as_deref().unwrap_or_default();
    let value = decode(document.as_bytes()).unwrap_or(Value::None);
    value.as_list().map(<[Value]>::to_vec).unwrap_or_default()
}

fn name(slave: &Value) -> Option<&str> {
    slave.as_dict()?.get(REFERENCE)?.as_str()
}

/// Gives a slave another reference, in its own row and in the list of its host.
pub(super) fn rename(
    host: PartitionRow,
    reference: &str,
    new_name: &str,
    context: &Context<'_>,
    records: &dyn Records,
) -> Result<(), MasterError> {
    let slave = records.slave(reference)?;
    let slave =
        slave.ok_or_else(|| MasterError::NotFound(format!("there is no slave {reference}")))?;
    let before = list(&host);
    let renamed = before.iter().map(|entry| match entry.as_dict() {
        Some(dict) if name(entry) == Some(reference) => {
            let mut dict = dict.clone();
            dict.insert("slave_title", new_name.into());
            dict.insert(REFERENCE, new_name.into());
            Value::Dict(dict.into())
        }
        _ => entry.clone(),
    });
    update_host(host, &before, renamed.collect(), context, records)?;
    records.remove_slave(reference)?;
    records.put_slave(&SlaveRow {
        reference: new_name.to_owned(),
        ..slave
    })?;
    Ok(())
}
