//! requestComputerPartition: finds, changes or allocates an instance.

use slap_proto::calls::RequestComputerPartition;
use slap_proto::documents::{InstanceState, SoftwareInstance};
use slap_proto::instance_xml;

use super::subject::{About, Subject};
use super::{Answer, Context, Serve, forward, slave, touch, tree, view};
use crate::MasterError;
use crate::storage::{PartitionRow, Records, Storage};

/// Who is noted as requester of what users request.
pub(crate) const USER: &str = "user";
/// Type of an instance whose request names none.
pub(crate) const DEFAULT_TYPE: &str = "default";

/// Who requests: the root of its tree, and itself.
pub(crate) struct Requester {
    /// Title of the root; empty for a user.
    pub(crate) root: String,
    /// Reference of the partition; [`USER`] for a user.
    pub(crate) id: String,
}

impl Serve for RequestComputerPartition {
    const WRITES: bool = true;

    fn may_be_elsewhere(&self, context: &Context<'_>) -> bool {
        forward::may_be_elsewhere(self, context)
    }

    fn elsewhere<S: Storage>(
        &self,
        context: &Context<'_>,
        storage: &S,
    ) -> Result<Option<Answer>, MasterError> {
        let instance = forward::elsewhere(self, context, storage)?;
        Ok(instance.map(|instance| Answer::Document(instance.to_value())))
    }

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let requester = requester(context, records, &self)?;
        let instance = request(&self, &requester, context, records)?;
        Ok(Answer::Written(instance.to_document()?))
    }
}

/// Finds, changes or allocates an instance, or a slave.
pub(crate) fn request(
    call: &RequestComputerPartition,
    requester: &Requester,
    context: &Context<'_>,
    records: &dyn Records,
) -> Result<SoftwareInstance, MasterError> {
    if let Some(state) = &call.state {
        state
            .parse::<InstanceState>()
            .map_err(|error| MasterError::BadRequest(error.to_string()))?;
    }
    if call.shared {
        return slave::request(call, requester, context, records);
    }
    let present = records.instance(&call.partition_reference, &requester.root)?;
    let row = match present {
        Some(row) => change(row, call, requester, context, records)?,
        None => allocate(call, requester, context, records)?,
    };
    let (xml, connection_xml) = (row.xml.as_deref(), row.connection_xml.as_deref());
    view::instance(records, &row, xml, connection_xml)
}

/// Who requests.
pub(crate) fn requester(
    context: &Context<'_>,
    records: &dyn Records,
    call: &RequestComputerPartition,
) -> Result<Requester, MasterError> {
    let Subject::Partition(computer, partition) = call.subject(context.identity.as_ref()) else {
        return Ok(Requester {
            root: String::new(),
            id: USER.to_owned(),
        });
    };
    let row = records.partition(computer, partition)?;
    // Of no tree, what it requests would be a user's.
    let row = row.filter(|row| row.busy).ok_or_else(|| {
        MasterError::BadRequest(format!(
            "the requester {partition} on {computer} is unknown, or holds no instance"
        ))
    })?;
    Ok(Requester {
        root: tree::root_name(&row).to_owned(),
        id: row.reference,
    })
}

/// Brings a known instance to what is requested now.
fn change(
    row: PartitionRow,
    call: &RequestComputerPartition,
    requester: &Requester,
    context: &Context<'_>,
    records: &dyn Records,
) -> Result<PartitionRow, MasterError> {
    let mut wanted = row.clone();
    apply(&mut wanted, call, records, requester)?;
    if wanted != row {
        touch(&mut wanted, context.now);
    }
    // Who requests is no change of the instance.
    wanted.requester_id.clone_from(&requester.id);
    if wanted != row {
        records.put_partition(&wanted)?;
    }
    Ok(wanted)
}

/// Puts a new instance into a free partition.
fn allocate(
    call: &RequestComputerPartition,
    requester: &Requester,
    context: &Context<'_>,
    records: &dyn Records,
) -> Result<PartitionRow, MasterError> {
    let computer = computer(call, context);
    let free = records.free_partition(&computer)?.ok_or_else(|| {
        MasterError::NotFound(format!("there is no free partition on computer {computer}"))
    })?;
    let mut row = PartitionRow {
        busy: true,
        partition_reference: Some(call.partition_reference.clone()),
        requested_by: requester.root.clone(),
        requester_id: requester.id.clone(),
        requested_state: InstanceState::Started.as_str().to_owned(),
        software_type: Some(DEFAULT_TYPE.to_owned()),
        connection_xml: None,
        slave_instance_list: None,
        ..free
    };
    apply(&mut row, call, records, requester)?;
    touch(&mut row, context.now);
    records.put_partition(&row)?;
    Ok(row)
}

/// The computer that the filter names, else the default one.
pub(super) fn computer(call: &RequestComputerPartition, context: &Context<'_>) -> String {
    let named = call
        .filter_dict
        .get("computer_guid")
        .filter(|value| value.is_truthy());
    named.map_or_else(
        || context.settings.computer_id.clone(),
        |value| value.to_text(),
    )
}

/// Writes what the request says into a row. A child follows a root that is not started.
fn apply(
    row: &mut PartitionRow,
    call: &RequestComputerPartition,
    records: &dyn Records,
    requester: &Requester,
) -> Result<(), MasterError> {
    row.software_release = Some(call.software_release.clone());
    if let Some(software_type) = &call.software_type {
        row.software_type = Some(software_type.clone());
    }
    row.xml = Some(instance_xml::to_xml(&call.partition_parameter_dict)?);
    if let Some(state) = &call.state {
        row.requested_state.clone_from(state);
    }
    let root = match requester.root.as_str() {
        "" => None,
        title => records.instance(title, "")?,
    };
    let started = InstanceState::Started.as_str();
    if let Some(root) = root.filter(|root| root.requested_state != started) {
        row.requested_state = root.requested_state;
    }
    Ok(())
}
