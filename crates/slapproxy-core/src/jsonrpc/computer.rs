//! Methods about a computer.

use serde::Deserialize;
use slap_proto::calls::{ComputerBang, GetComputerStatus, UseComputer};
use slap_proto::marshal::{Dict, Value};

use super::answers::{Done, KeyPair};
use super::text::{Journal, Message, Object, Reference, present};
use super::{Asked, Method};
use crate::MasterError;
use crate::master::{Answer, Serve, node, report};
use crate::storage::{NetworkRow, ReportKind};

/// A node tells its partitions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Format {
    computer_guid: Reference,
    compute_partition_list: Vec<Object<Partition>>,
}

/// Nodes may tell more of a partition than a master keeps.
#[derive(Debug, Clone, Deserialize)]
struct Partition {
    partition_id: Reference,
    #[serde(default)]
    ip_list: Vec<Object<Address>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Address {
    ip_address: Reference,
    #[serde(default, deserialize_with = "present")]
    netmask: Option<Reference>,
    #[serde(default, deserialize_with = "present")]
    network_interface: Option<Reference>,
}

impl Partition {
    fn into_rows(self) -> (String, Vec<NetworkRow>) {
        let partition = self.partition_id.0;
        let rows = self.ip_list.into_iter().map(|Object(address)| NetworkRow {
            reference: address
                .network_interface
                .map_or_else(|| partition.clone(), |interface| interface.0),
            address: address.ip_address.0,
            netmask: address.netmask.map(|netmask| netmask.0),
        });
        let rows = rows.collect();
        (partition, rows)
    }
}

impl Method for Format {
    const PATH: &'static str = "/slapos.put.v0.compute_node_format";
    const WRITES: bool = true;
    type Answer = Done;

    fn serve(self, asked: &Asked<'_>) -> Result<Done, MasterError> {
        let computer = self.computer_guid.0;
        let partitions = self.compute_partition_list.into_iter();
        let partitions: Vec<_> = partitions.map(|Object(it)| it.into_rows()).collect();
        let records = asked.of_computer(&computer)?;
        if !records.has_computer(&computer)? {
            records.set_computer(&computer, None, None)?;
        }
        node::set_partitions(&asked.asker.context, records, &computer, &partitions)?;
        Ok(Done::new("Formatted"))
    }
}

/// Every instance of a computer shall be processed again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bang {
    computer_guid: Reference,
    message: Message,
}

impl Method for Bang {
    const PATH: &'static str = "/slapos.put.v0.compute_node_bang";
    const WRITES: bool = true;
    type Answer = Done;

    fn serve(self, asked: &Asked<'_>) -> Result<Done, MasterError> {
        let computer_id = self.computer_guid.0;
        let records = asked.of_known_computer(&computer_id)?;
        let call = ComputerBang {
            computer_id,
            message: Some(self.message.0),
        };
        call.serve(&asked.asker.context, records)?;
        Ok(Done::new("Bang handled"))
    }
}

/// What a computer reported last.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Status {
    computer_guid: Reference,
}

impl Method for Status {
    const PATH: &'static str = "/slapos.get.v0.compute_node_status";
    const WRITES: bool = false;
    type Answer = Value;

    /// The reports as `getComputerStatus` tells them, and all of them in one line.
    fn serve(self, asked: &Asked<'_>) -> Result<Value, MasterError> {
        let computer = self.computer_guid.0;
        let records = asked.of_known_computer(&computer)?;
        let mut reports = records.reports(ReportKind::Software, &computer)?;
        reports.extend(records.reports(ReportKind::Instance, &computer)?);
        let text = report::summary(&reports);
        let call = GetComputerStatus {
            computer_id: computer,
        };
        let answer = call.serve(&asked.asker.context, records)?;
        let mut status = match &answer {
            Answer::Document(Value::Dict(dict)) => dict.as_ref().clone(),
            _ => Dict::default(),
        };
        status.insert("text", text.into());
        Ok(Value::Dict(status.into()))
    }
}

/// What a computer has used.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Usage {
    computer_guid: Reference,
    tioxml: Journal,
}

impl Method for Usage {
    const PATH: &'static str = "/slapos.post.v0.compute_node_usage";
    const WRITES: bool = true;
    type Answer = Done;

    fn serve(self, asked: &Asked<'_>) -> Result<Done, MasterError> {
        let computer_id = self.computer_guid.0;
        let records = asked.of_known_computer(&computer_id)?;
        let call = UseComputer {
            computer_id,
            use_string: self.tioxml.0,
        };
        call.serve(&asked.asker.context, records)?;
        Ok(Done::new("Recorded"))
    }
}

/// A certificate by which a computer may be recognised.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCertificate {
    computer_guid: Reference,
}

impl Method for NewCertificate {
    const PATH: &'static str = "/slapos.post.v0.compute_node_certificate";
    const WRITES: bool = false;
    type Answer = KeyPair;

    fn serve(self, asked: &Asked<'_>) -> Result<KeyPair, MasterError> {
        asked.of_known_computer(&self.computer_guid.0)?;
        Ok(KeyPair::default())
    }
}

/// The certificate of a computer shall be worth nothing.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoveCertificate {
    computer_guid: Reference,
}

impl Method for RemoveCertificate {
    const PATH: &'static str = "/slapos.remove.v0.compute_node_certificate";
    const WRITES: bool = false;
    type Answer = Done;

    fn serve(self, asked: &Asked<'_>) -> Result<Done, MasterError> {
        asked.of_known_computer(&self.computer_guid.0)?;
        Ok(Done::new("Ignored"))
    }
}
