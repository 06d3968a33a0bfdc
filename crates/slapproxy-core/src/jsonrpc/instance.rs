//! Methods about an instance that exists.

use serde::Deserialize;
use slap_proto::calls::{
    SetComputerPartitionConnectionXml, SoftwareInstanceBang, SoftwareInstanceRename,
};

use super::answers::{Done, Instance, KeyPair};
use super::text::{Guid, Message, Reference, Title, Values};
use super::{Asked, Method};
use crate::MasterError;
use crate::master::{Serve, find_instance};
use crate::naming::{Found, root};

/// An instance by its name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Get {
    instance_guid: Guid,
}

impl Method for Get {
    const PATH: &'static str = "/slapos.get.v0.software_instance";
    const WRITES: bool = false;
    type Answer = Instance;

    fn serve(self, asked: &Asked<'_>) -> Result<Instance, MasterError> {
        let (found, records) = asked.of_instance(&self.instance_guid.0)?;
        Instance::of_found(records, &found)
    }
}

/// The instance in a partition.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfPartition {
    computer_guid: Reference,
    compute_partition_id: Reference,
}

impl Method for OfPartition {
    const PATH: &'static str = "/slapos.get.v0.compute_partition";
    const WRITES: bool = false;
    type Answer = Instance;

    fn serve(self, asked: &Asked<'_>) -> Result<Instance, MasterError> {
        let (computer, partition) = (self.computer_guid.0, self.compute_partition_id.0);
        let records = asked.of_partition(&computer, &partition)?;
        let row = find_instance(records, &computer, &partition)?;
        Instance::of_partition(records, &row)
    }
}

/// The root of a tree, shared or not.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tree {
    title: Title,
}

impl Method for Tree {
    const PATH: &'static str = "/slapos.get.v0.instance_tree";
    const WRITES: bool = false;
    type Answer = Instance;

    fn serve(self, asked: &Asked<'_>) -> Result<Instance, MasterError> {
        let title = self.title.0;
        let records = asked.of_users()?;
        let found = root(records, &title)?
            .ok_or_else(|| MasterError::NotFound(format!("there is no instance tree {title}")))?;
        Instance::of_found(records, &found)
    }
}

/// The certificate of an instance.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Certificate {
    instance_guid: Guid,
}

impl Method for Certificate {
    const PATH: &'static str = "/slapos.get.v0.software_instance_certificate";
    const WRITES: bool = false;
    type Answer = KeyPair;

    fn serve(self, asked: &Asked<'_>) -> Result<KeyPair, MasterError> {
        asked.of_instance(&self.instance_guid.0)?;
        Ok(KeyPair::default())
    }
}

/// Every instance of a tree shall be processed again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bang {
    instance_guid: Guid,
    message: Message,
}

impl Method for Bang {
    const PATH: &'static str = "/slapos.put.v0.software_instance_bang";
    const WRITES: bool = true;
    type Answer = Done;

    fn serve(self, asked: &Asked<'_>) -> Result<Done, MasterError> {
        let guid = self.instance_guid.0;
        let (found, records) = asked.of_instance(&guid)?;
        let Found::Instance(row) = found else {
            let message = format!("{guid} is a shared instance: only its host can be processed");
            return Err(MasterError::NotFound(message));
        };
        let call = SoftwareInstanceBang {
            computer_id: row.computer_reference,
            computer_partition_id: row.reference,
            message: Some(self.message.0),
        };
        call.serve(&asked.asker.context, records)?;
        Ok(Done::new("Bang handled"))
    }
}

/// An instance gets another title.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rename {
    instance_guid: Guid,
    title: Title,
}

impl Method for Rename {
    const PATH: &'static str = "/slapos.put.v0.software_instance_title";
    const WRITES: bool = true;
    type Answer = Done;

    fn serve(self, asked: &Asked<'_>) -> Result<Done, MasterError> {
        let (found, records) = asked.of_instance(&self.instance_guid.0)?;
        let row = found.partition();
        let call = SoftwareInstanceRename {
            computer_id: row.computer_reference.clone(),
            computer_partition_id: row.reference.clone(),
            new_name: self.title.0,
            slave_reference: found.slave_reference(),
        };
        call.serve(&asked.asker.context, records)?;
        Ok(Done::new("Renamed"))
    }
}

/// What an instance publishes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Publish {
    instance_guid: Guid,
    connection_parameter_dict: Values,
}

impl Method for Publish {
    const PATH: &'static str = "/slapos.put.v0.software_instance_connection_parameter";
    const WRITES: bool = true;
    type Answer = Done;

    fn serve(self, asked: &Asked<'_>) -> Result<Done, MasterError> {
        let (found, records) = asked.of_instance(&self.instance_guid.0)?;
        let row = found.partition();
        let call = SetComputerPartitionConnectionXml {
            computer_id: row.computer_reference.clone(),
            computer_partition_id: row.reference.clone(),
            connection_dict: self.connection_parameter_dict.0,
            slave_reference: found.slave_reference(),
        };
        call.serve(&asked.asker.context, records)?;
        Ok(Done::new("Updated"))
    }
}
