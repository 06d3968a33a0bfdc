//! The calls by which a node learns what to do, and those that change instances.

use slap_proto::calls::{
    ComputerBang, DestroyedComputerPartition, DestroyedSoftwareRelease, GetComputerInformation,
    GetComputerPartitionCertificate, GetFullComputerInformation, GetHostingSubscriptionIpList,
    LoadComputerConfigurationFromXml, RegisterComputerPartition, SetComputerPartitionConnectionXml,
    SoftwareInstanceBang, SoftwareInstanceRename, UpdateComputerPartitionRelatedInstanceList,
};
use slap_proto::documents::{InstanceState, PartitionConfiguration};
use slap_proto::instance_xml;
use slap_proto::marshal::Value;

use super::request::USER;
use super::{Answer, Context, Serve, check_computer, find, slave, touch, view};
use crate::MasterError;
use crate::storage::{NetworkRow, PartitionRow, Records, SlaveRow};

impl Serve for GetFullComputerInformation {
    const WRITES: bool = false;

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        check_computer(context, records, &self.computer_id)?;
        Ok(Answer::Document(
            view::computer(records, &self.computer_id)?.to_value(),
        ))
    }
}

impl Serve for GetComputerInformation {
    const WRITES: bool = false;

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        GetFullComputerInformation {
            computer_id: self.computer_id,
        }
        .serve(context, records)
    }
}

impl Serve for RegisterComputerPartition {
    const WRITES: bool = false;

    fn serve(self, _: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let row = find(
            records,
            &self.computer_reference,
            &self.computer_partition_reference,
        )?;
        Ok(Answer::Document(view::partition(records, &row)?.to_value()))
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
        for member in tree(records, &row)? {
            let addresses = view::addresses(records, &member)?.into_iter();
            pairs.extend(addresses.map(|(name, ip)| Value::Tuple(vec![name.into(), ip.into()])));
        }
        Ok(Answer::Document(Value::list(pairs)))
    }
}

impl Serve for LoadComputerConfigurationFromXml {
    const WRITES: bool = true;

    fn serve(self, _: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let computer = &self.configuration;
        let reference = &computer.reference;
        records.set_computer(
            reference,
            computer.address.as_deref(),
            computer.netmask.as_deref(),
        )?;
        let listed = |row: &PartitionRow| {
            computer
                .partition_list
                .iter()
                .any(|partition| partition.reference == row.reference)
        };
        for row in records
            .partitions(reference)?
            .iter()
            .filter(|row| !listed(row))
        {
            records.remove_partition(reference, &row.reference)?;
        }
        for partition in &computer.partition_list {
            if records
                .partition(reference, &partition.reference)?
                .is_none()
            {
                records.put_partition(&PartitionRow {
                    reference: partition.reference.clone(),
                    computer_reference: reference.clone(),
                    requested_state: InstanceState::Started.as_str().to_owned(),
                    ..PartitionRow::default()
                })?;
            }
            records.set_network(reference, &partition.reference, &network(partition))?;
        }
        Answer::text("done")
    }
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

    fn serve(self, _: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        records.remove_software(&self.computer_id, &self.url)?;
        Answer::text("OK")
    }
}

impl Serve for DestroyedComputerPartition {
    const WRITES: bool = true;

    /// Frees the partition, but not that of a root before its children are gone: these are then
    /// marked as destroyed, and the node comes back.
    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let row = find(records, &self.computer_id, &self.computer_partition_id)?;
        let title = row
            .partition_reference
            .as_deref()
            .filter(|_| row.requested_by.is_empty());
        let children = title.map_or_else(|| Ok(Vec::new()), |title| records.children(title))?;
        if children.is_empty() {
            records.put_partition(&PartitionRow {
                reference: row.reference,
                computer_reference: row.computer_reference,
                requested_state: InstanceState::Started.as_str().to_owned(),
                timestamp: row.timestamp,
                ..PartitionRow::default()
            })?;
            return Answer::text("OK");
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
        let names = names.join(", ");
        Ok(Answer::Text(format!(
            "Not destroyed yet, its children must go first: {names}"
        )))
    }
}

impl Serve for SetComputerPartitionConnectionXml {
    const WRITES: bool = true;

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let mut row = find(records, &self.computer_id, &self.computer_partition_id)?;
        let xml = Some(instance_xml::to_xml(&self.connection_dict)?);
        let requester = match &self.slave_reference {
            Some(reference) => {
                let slave = records.slave(reference)?;
                let slave = slave.ok_or_else(|| {
                    MasterError::NotFound(format!("there is no slave {reference}"))
                })?;
                if slave.connection_xml == xml {
                    return Answer::text("done");
                }
                records.put_slave(&SlaveRow {
                    connection_xml: xml,
                    ..slave.clone()
                })?;
                slave.requester_id
            }
            None if row.connection_xml == xml => return Answer::text("done"),
            None => {
                row.connection_xml = xml;
                records.put_partition(&row)?;
                row.requester_id.clone()
            }
        };
        tell(records, &row.computer_reference, &requester, context.now)?;
        Answer::text("done")
    }
}

/// Has the partition that requested something processed again, as its answer has changed.
fn tell(
    records: &dyn Records,
    computer: &str,
    requester: &str,
    now: f64,
) -> Result<(), MasterError> {
    if requester.is_empty() || requester == USER {
        return Ok(());
    }
    if let Some(mut row) = records.partition(computer, requester)? {
        touch(&mut row, now);
        records.put_partition(&row)?;
    }
    Ok(())
}

impl Serve for SoftwareInstanceRename {
    const WRITES: bool = true;

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let mut row = find(records, &self.computer_id, &self.computer_partition_id)?;
        if let Some(reference) = &self.slave_reference {
            slave::rename(row, reference, &self.new_name, context, records)?;
            return Answer::text("done");
        }
        let old = row.partition_reference.replace(self.new_name.clone());
        if let Some(old) = old.filter(|_| row.requested_by.is_empty()) {
            for mut child in records.children(&old)? {
                child.requested_by.clone_from(&self.new_name);
                records.put_partition(&child)?;
            }
        }
        records.put_partition(&row)?;
        Answer::text("done")
    }
}

impl Serve for SoftwareInstanceBang {
    const WRITES: bool = true;

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let row = find(records, &self.computer_id, &self.computer_partition_id)?;
        for mut member in tree(records, &row)? {
            touch(&mut member, context.now);
            records.put_partition(&member)?;
        }
        Answer::text("OK")
    }
}

impl Serve for ComputerBang {
    const WRITES: bool = true;

    fn serve(self, context: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        check_computer(context, records, &self.computer_id)?;
        for mut row in records
            .partitions(&self.computer_id)?
            .into_iter()
            .filter(|row| row.busy)
        {
            touch(&mut row, context.now);
            records.put_partition(&row)?;
        }
        Ok(Answer::Document(Value::from("")))
    }
}

/// Every instance of the tree that an instance belongs to.
fn tree(records: &dyn Records, row: &PartitionRow) -> Result<Vec<PartitionRow>, MasterError> {
    let own = row.partition_reference.as_deref().unwrap_or_default();
    let title = if row.requested_by.is_empty() {
        own
    } else {
        &row.requested_by
    };
    if title.is_empty() {
        return Ok(vec![row.clone()]);
    }
    let mut members = records.children(title)?;
    members.extend(records.instance(title, "")?);
    Ok(members)
}

impl Serve for UpdateComputerPartitionRelatedInstanceList {
    const WRITES: bool = true;

    /// Instances that are no longer requested are kept: destroying data takes a request.
    fn serve(self, _: &Context<'_>, records: &dyn Records) -> Result<Answer, MasterError> {
        let row = find(records, &self.computer_id, &self.computer_partition_id)?;
        let children = tree(records, &row)?;
        let forgotten = children
            .iter()
            .filter(|child| child.requester_id == row.reference)
            .filter(|child| {
                let title = child.partition_reference.as_ref();
                title.is_some_and(|title| !self.instance_reference_list.contains(title))
            });
        for child in forgotten {
            let title = child.partition_reference.as_deref().unwrap_or_default();
            log::info!(
                "{} no longer requests {title}, which is kept",
                row.reference
            );
        }
        Answer::text("OK")
    }
}
