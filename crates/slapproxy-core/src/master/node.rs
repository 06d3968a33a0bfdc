//! The calls by which a node learns what to do, and those that change instances.

use std::collections::HashSet;

use slap_proto::calls::{
    ComputerBang, DestroyedComputerPartition, DestroyedSoftwareRelease, GetComputerInformation,
    GetComputerPartitionCertificate, GetFullComputerInformation, GetHostingSubscriptionIpList,
    LoadComputerConfigurationFromXml, RegisterComputerPartition, SetComputerPartitionConnectionXml,
    SoftwareInstanceBang, SoftwareInstanceRename, UpdateComputerPartitionRelatedInstanceList,
};
use slap_proto::documents::{InstanceState, PartitionConfiguration};
use slap_proto::instance_xml;
use slap_proto::marshal::Value;

use super::{
    Answer, Context, Serve, check_computer, find, find_instance, report, slave, touch, tree, view,
};
use crate::MasterError;
use crate::storage::{NetworkRow, PartitionRow, Records, ReportKind, SlaveRow, UnrequestedRow};

/// The version of a computer's document, for whoever may have it; mostly by one statement.
fn version_of(
    context: &Context<'_>,
    records: &dyn Records,
    computer_id: &str,
) -> Result<Option<String>, MasterError> {
    if computer_id == context.settings.computer_id {
        return Ok(records.version(computer_id)?);
    }
    let version = records.described_version(computer_id)?;
    if version.is_none() {
        check_computer(context, records, computer_id)?;
    }
    Ok(version)
}

impl Serve for GetFullComputerInformation {
    const WRITES: bool = false;

    fn version(
        &self,
        context: &Context<'_>,
        records: &dyn Records,
    ) -> Result<Option<String>, MasterError> {
        version_of(context, records, &self.computer_id)
    }

    fn awaited(&self) -> Option<&str> {
        Some(&self.computer_id)
    }

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        check_computer(context, records, &self.computer_id)?;
        let document = view::computer(records, &self.computer_id)?;
        Ok(Answer::Written(document))
    }
}

impl Serve for GetComputerInformation {
    const WRITES: bool = false;

    fn version(
        &self,
        context: &Context<'_>,
        records: &dyn Records,
    ) -> Result<Option<String>, MasterError> {
        version_of(context, records, &self.computer_id)
    }

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        GetFullComputerInformation {
            computer_id: self.computer_id,
        }
        .serve(context, records)
    }
}

impl Serve for RegisterComputerPartition {
    const WRITES: bool = false;

    fn version(
        &self,
        _: &Context<'_>,
        records: &dyn Records,
    ) -> Result<Option<String>, MasterError> {
        let computer = &self.computer_reference;
        find(records, computer, &self.computer_partition_reference)?;
        Ok(records.version(computer)?)
    }

    fn serve(self, _: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let row = find(
            records,
            &self.computer_reference,
            &self.computer_partition_reference,
        )?;
        Ok(Answer::Written(
            view::partition(records, &row)?.to_document()?,
        ))
    }
}

impl Serve for GetComputerPartitionCertificate {
    const WRITES: bool = false;

    /// This master needs no certificates; nodes expect the dictionary all the same.
    fn serve(self, _: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        find(records, &self.computer_id, &self.computer_partition_id)?;
        Ok(Answer::Document(Value::dict([
            ("certificate", Value::from("")),
            ("key", Value::from("")),
        ])))
    }
}

impl Serve for GetHostingSubscriptionIpList {
    const WRITES: bool = false;

    fn serve(self, _: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let row = find(records, &self.computer_id, &self.computer_partition_id)?;
        let mut pairs = Vec::new();
        for member in tree::members(records, &row)? {
            let addresses = view::addresses(records, &member)?.into_iter();
            pairs.extend(addresses.map(|(name, ip)| Value::Tuple(vec![name.into(), ip.into()])));
        }
        Ok(Answer::Document(Value::list(pairs)))
    }
}

impl Serve for LoadComputerConfigurationFromXml {
    const WRITES: bool = true;

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let computer = &self.configuration;
        let partitions = computer.partition_list.iter();
        let partitions =
            partitions.map(|partition| (partition.reference.clone(), network(partition)));
        let address = computer.address.as_deref();
        let netmask = computer.netmask.as_deref();
        records.set_computer(&computer.reference, address, netmask)?;
        let partitions: Vec<_> = partitions.collect();
        set_partitions(context, records, &computer.reference, &partitions)?;
        Answer::text("done")
    }
}

/// Brings a computer to exactly these partitions, each with its addresses. The slaves that an
/// instance hosts or has requested go with its partition.
pub(crate) fn set_partitions(
    context: &Context<'_>,
    records: &dyn Records,
    computer: &str,
    partitions: &[(String, Vec<NetworkRow>)],
) -> Result<(), MasterError> {
    let listed: HashSet<_> = partitions.iter().map(|(reference, _)| reference).collect();
    let mut present = HashSet::new();
    for row in records.partitions(computer)? {
        if listed.contains(&row.reference) {
            present.insert(row.reference);
        } else {
            slave::leave_with(context, records, &row)?;
            records.remove_partition(computer, &row.reference)?;
        }
    }
    for (reference, addresses) in partitions {
        if present.insert(reference.clone()) {
            records.put_partition(&PartitionRow {
                reference: reference.clone(),
                computer_reference: computer.to_owned(),
                requested_state: InstanceState::Started.as_str().to_owned(),
                ..PartitionRow::default()
            })?;
        }
        records.set_network(computer, reference, addresses)?;
    }
    Ok(())
}

/// Addresses of a partition, under the name of its tap.
fn network(partition: &PartitionConfiguration) -> Vec<NetworkRow> {
    let name = partition.tap.as_ref().unwrap_or(&partition.reference);
    let rows = partition.address_list.iter().map(|address| NetworkRow {
        reference: name.clone(),
        address: address.addr.clone(),
        netmask: address.netmask.clone(),
    });
    rows.collect()
}

impl Serve for DestroyedSoftwareRelease {
    const WRITES: bool = true;

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        check_computer(context, records, &self.computer_id)?;
        records.remove_software(&self.computer_id, &self.url)?;
        records.remove_report(ReportKind::Software, &self.computer_id, &self.url)?;
        Answer::text("OK")
    }
}

impl Serve for DestroyedComputerPartition {
    const WRITES: bool = true;

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let row = find(records, &self.computer_id, &self.computer_partition_id)?;
        let children = free(context, records, row)?;
        if children.is_empty() {
            return Answer::text("OK");
        }
        Ok(Answer::Text(still_there(&children)))
    }
}

/// What is said when a partition cannot be freed before its children are gone.
pub(crate) fn still_there(children: &[String]) -> String {
    let names = children.join(", ");
    format!("Not destroyed yet, its children must go first: {names}")
}

/// Frees a partition, but not that of a root before its children are gone: these are then marked
/// as destroyed, and the node comes back. Returns their names.
pub(crate) fn free(
    context: &Context<'_>,
    records: &dyn Records,
    row: PartitionRow,
) -> Result<Vec<String>, MasterError> {
    let title = row
        .partition_reference
        .as_deref()
        .filter(|_| row.busy && row.requested_by.is_empty());
    let children = title.map_or_else(|| Ok(Vec::new()), |title| records.children(title))?;
    if children.is_empty() {
        empty(context, records, row)?;
    }
    let destroyed = InstanceState::Destroyed.as_str();
    let mut names = Vec::new();
    for mut child in children {
        names.push(child.partition_reference.clone().unwrap_or_default());
        if child.requested_state != destroyed {
            child.requested_state = destroyed.to_owned();
            touch(&mut child, context.now);
            records.put_partition(&child)?;
        }
    }
    Ok(names)
}

/// Takes the instance out of a partition; the slaves that it hosts or has requested go with it.
fn empty(
    context: &Context<'_>,
    records: &dyn Records,
    row: PartitionRow,
) -> Result<(), MasterError> {
    if row.busy {
        slave::leave_with(context, records, &row)?;
        report::destroyed(context, records, &row)?;
    }
    records.remove_unrequested(&row.computer_reference, &row.reference)?;
    records.put_partition(&PartitionRow {
        reference: row.reference,
        computer_reference: row.computer_reference,
        requested_state: InstanceState::Started.as_str().to_owned(),
        timestamp: row.timestamp,
        ..PartitionRow::default()
    })?;
    Ok(())
}

impl Serve for SetComputerPartitionConnectionXml {
    const WRITES: bool = true;

    /// What is published anew has whoever requested it processed again.
    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let mut row = find(records, &self.computer_id, &self.computer_partition_id)?;
        let xml = Some(instance_xml::to_xml(&self.connection_dict)?);
        let requesters = match &self.slave_reference {
            Some(reference) => {
                let slave = slave::find(records, &row, reference)?;
                if slave.connection_xml == xml {
                    return Answer::text("done");
                }
                let slave = SlaveRow {
                    connection_xml: xml,
                    ..slave
                };
                records.put_slave(&slave)?;
                tree::requesters_of_slave(records, &slave)?
            }
            None if row.connection_xml == xml => return Answer::text("done"),
            None => {
                row.connection_xml = xml;
                records.put_partition(&row)?;
                tree::requesters_of_instance(records, &row)?
            }
        };
        tree::touch_all(records, requesters, context.now)?;
        Answer::text("done")
    }
}

impl Serve for SoftwareInstanceRename {
    const WRITES: bool = true;

    /// What was requested by the old name is found by the new one: children and slaves of a
    /// renamed root keep belonging to it.
    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let (computer, partition) = (&self.computer_id, &self.computer_partition_id);
        let mut row = find_instance(records, computer, partition)?;
        if let Some(reference) = &self.slave_reference {
            let slave = slave::find(records, &row, reference)?;
            slave::rename(context, records, slave, &self.new_name)?;
            return Answer::text("done");
        }
        if row.partition_reference.as_ref() == Some(&self.new_name) {
            return Answer::text("done");
        }
        let namesake = records.instance(&self.new_name, &row.requested_by)?;
        if namesake.is_some() {
            return Err(MasterError::BadRequest(format!(
                "field new_name: there is an instance {} already",
                self.new_name
            )));
        }
        if row.requested_by.is_empty() {
            rename_tree(context, records, &row, &self.new_name)?;
            // A root may host slaves of its own tree.
            row = find_instance(records, computer, partition)?;
        }
        row.partition_reference = Some(self.new_name);
        records.put_partition(&row)?;
        Answer::text("done")
    }
}

/// Gives the tree of a root another name.
fn rename_tree(
    context: &Context<'_>,
    records: &dyn Records,
    root: &PartitionRow,
    new_name: &str,
) -> Result<(), MasterError> {
    slave::follow_root(context, records, root, new_name)?;
    for mut child in records.children(tree::root_name(root))? {
        new_name.clone_into(&mut child.requested_by);
        records.put_partition(&child)?;
    }
    Ok(())
}

impl Serve for SoftwareInstanceBang {
    const WRITES: bool = true;

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let row = find(records, &self.computer_id, &self.computer_partition_id)?;
        let mut members = tree::members(records, &row)?;
        members.retain(|member| member.busy);
        tree::touch_all(records, members, context.now)?;
        Answer::text("OK")
    }
}

impl Serve for ComputerBang {
    const WRITES: bool = true;

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        check_computer(context, records, &self.computer_id)?;
        let mut rows = records.partitions(&self.computer_id)?;
        rows.retain(|row| row.busy);
        tree::touch_all(records, rows, context.now)?;
        Ok(Answer::Document(Value::from("")))
    }
}

impl Serve for UpdateComputerPartitionRelatedInstanceList {
    const WRITES: bool = true;

    /// Instances that are no longer requested are kept: destroying data takes a request. Since
    /// when they are not is noted, for those who look.
    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let row = find(records, &self.computer_id, &self.computer_partition_id)?;
        let members = tree::members(records, &row)?;
        let namesakes = members.iter().filter(|it| it.reference == row.reference);
        // Of several, on as many computers, it is not noted which requested an instance.
        let is_sure = namesakes.count() == 1;
        let requested: HashSet<_> = self.instance_reference_list.iter().collect();
        for child in members
            .into_iter()
            .filter(|member| member.requester_id == row.reference)
        {
            let title = child.partition_reference.unwrap_or_default();
            if requested.contains(&title) {
                records.remove_unrequested(&child.computer_reference, &child.reference)?;
                continue;
            }
            if !is_sure {
                continue;
            }
            log::info!(
                "{} no longer requests {title}, which is kept",
                row.reference
            );
            records.put_unrequested(&UnrequestedRow {
                computer_reference: child.computer_reference,
                reference: child.reference,
                time: context.now,
            })?;
        }
        Answer::text("OK")
    }
}
