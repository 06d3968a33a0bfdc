//! Methods that list what there is.

use serde::{Deserialize, Serialize};
use slap_proto::documents::{Attributes, InstanceState};

use super::answers::Listing;
use super::text::{Guid, Reference};
use super::{Asked, Method};
use crate::MasterError;
use crate::hateoas;
use crate::master::slave;
use crate::naming::{Found, Names, shares, trees};

/// The releases of a computer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Installations {
    computer_guid: Reference,
}

#[derive(Debug, Serialize)]
pub(super) struct Installation {
    software_release_uri: String,
    state: String,
}

impl Method for Installations {
    const PATH: &'static str = "/slapos.allDocs.v0.compute_node_software_installation_list";
    const WRITES: bool = false;
    type Answer = Listing<Installation>;

    fn serve(self, asked: &Asked<'_>) -> Result<Self::Answer, MasterError> {
        let records = asked.of_known_computer(&self.computer_guid.0)?;
        let rows = records.software(&self.computer_guid.0)?.into_iter();
        let result_list = rows.map(|row| Installation {
            software_release_uri: row.url,
            state: row.requested_state,
        });
        Ok(Listing {
            result_list: result_list.collect(),
        })
    }
}

/// The instances on a computer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Instances {
    computer_guid: Reference,
}

#[derive(Debug, Serialize)]
pub(super) struct InstanceOfComputer {
    title: String,
    instance_guid: String,
    state: String,
    compute_partition_id: String,
    software_release_uri: String,
}

impl Method for Instances {
    const PATH: &'static str = "/slapos.allDocs.v0.compute_node_instance_list";
    const WRITES: bool = false;
    type Answer = Listing<InstanceOfComputer>;

    fn serve(self, asked: &Asked<'_>) -> Result<Self::Answer, MasterError> {
        let records = asked.of_known_computer(&self.computer_guid.0)?;
        let rows = records.partitions(&self.computer_guid.0)?.into_iter();
        let result_list = rows.filter(|row| row.busy).map(|row| {
            let names = Names::of_partition(&row);
            InstanceOfComputer {
                instance_guid: names.to_string(),
                title: names.title,
                state: row.requested_state,
                compute_partition_id: row.reference,
                software_release_uri: row.software_release.unwrap_or_default(),
            }
        });
        Ok(Listing {
            result_list: result_list.collect(),
        })
    }
}

/// The shared instances of a host.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shares {
    instance_guid: Guid,
}

#[derive(Debug, Serialize)]
pub(super) struct Share {
    title: String,
    instance_guid: String,
    software_type: String,
    state: String,
    parameters: Attributes,
    compute_partition_id: String,
}

impl Method for Shares {
    const PATH: &'static str = "/slapos.allDocs.v0.instance_node_instance_list";
    const WRITES: bool = false;
    type Answer = Listing<Share>;

    fn serve(self, asked: &Asked<'_>) -> Result<Self::Answer, MasterError> {
        let guid = self.instance_guid.0;
        let (found, records) = asked.of_instance(&guid)?;
        let Found::Instance(host) = found else {
            let message = format!("{guid} is a shared instance and hosts none");
            return Err(MasterError::NotFound(message));
        };
        let shares = shares(records, &host)?.into_iter().map(|share| Share {
            instance_guid: share.names.to_string(),
            title: share.names.title,
            software_type: slave::software_type(&share.entry),
            state: InstanceState::Started.as_str().to_owned(),
            parameters: slave::parameters(&share.entry),
            compute_partition_id: host.reference.clone(),
        });
        Ok(Listing {
            result_list: shares.collect(),
        })
    }
}

/// The roots of all trees.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trees {}

#[derive(Debug, Serialize)]
pub(super) struct Tree {
    title: String,
}

impl Method for Trees {
    const PATH: &'static str = "/slapos.allDocs.v0.instance_tree_list";
    const WRITES: bool = false;
    type Answer = Listing<Tree>;

    fn serve(self, asked: &Asked<'_>) -> Result<Self::Answer, MasterError> {
        let trees = trees(asked.of_users()?)?.into_iter();
        let result_list = trees.map(|tree| Tree { title: tree.title }).collect();
        Ok(Listing { result_list })
    }
}

/// The computers. Masters call this method a draft.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Computers {}

#[derive(Debug, Serialize)]
pub(super) struct Computer {
    computer_guid: String,
}

impl Method for Computers {
    const PATH: &'static str = "/slapos.allDocs.WIP.compute_node_list";
    const WRITES: bool = false;
    type Answer = Listing<Computer>;

    fn serve(self, asked: &Asked<'_>) -> Result<Self::Answer, MasterError> {
        let rows = asked
            .of_users()?
            .computers()?
            .into_iter()
            .filter(|row| row.described);
        let result_list = rows.map(|row| Computer {
            computer_guid: row.reference,
        });
        Ok(Listing {
            result_list: result_list.collect(),
        })
    }
}

/// Where the hateoas API is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HateoasUrl {}

#[derive(Debug, Serialize)]
pub(super) struct Place {
    hateoas_url: String,
}

impl Method for HateoasUrl {
    const PATH: &'static str = "/slapos.get.v0.hateoas_url";
    const WRITES: bool = false;
    type Answer = Place;

    fn serve(self, asked: &Asked<'_>) -> Result<Place, MasterError> {
        Ok(Place {
            hateoas_url: hateoas::url(asked.asker.external),
        })
    }
}
