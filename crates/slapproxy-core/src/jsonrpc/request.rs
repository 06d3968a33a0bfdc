//! The method by which instances are requested.

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use slap_proto::calls::RequestComputerPartition;
use slap_proto::documents::{Attributes, InstanceState};
use slap_proto::instance_xml;
use slap_proto::marshal::Value;

use super::answers::Instance;
use super::text::{Parameters, Release, SoftwareType, Title, Word};
use super::{Asked, Method};
use crate::MasterError;
use crate::master::{request, view};
use crate::naming::{Found, Names, find};
use crate::storage::Records;

/// The wish that names the host of a shared instance.
const HOST: &str = "instance_guid";
/// The wish that names the computer.
const COMPUTER: &str = "computer_guid";
/// The only wish that is a number.
const DELAY: &str = "retention_delay";

/// An instance shall exist.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SoftwareInstance {
    title: Title,
    software_release_uri: Release,
    software_type: SoftwareType,
    #[serde(default)]
    parameters: Parameters,
    #[serde(default)]
    state: Word<InstanceState>,
    #[serde(default)]
    sla_parameters: Wishes,
    #[serde(default)]
    shared: bool,
}

/// Where and how the instance shall be placed: texts, but for one.
#[derive(Debug, Default)]
struct Wishes(Attributes);

impl<'de> Deserialize<'de> for Wishes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wishes = Parameters::deserialize(deserializer)?.0;
        for (name, value) in &wishes {
            let is_right = match value {
                Value::Int(_) | Value::Float(_) => name == DELAY,
                Value::String(_) => name != DELAY,
                _ => false,
            };
            if !is_right {
                let kind = if name == DELAY { "a number" } else { "a text" };
                return Err(D::Error::custom(format!("{name} is not {kind}")));
            }
        }
        Ok(Self(wishes))
    }
}

impl Wishes {
    /// The filter of the call, which names a host by its computer and partition.
    fn into_filter(mut self, records: &dyn Records) -> Result<Attributes, MasterError> {
        let Some(host) = self.0.get(HOST).and_then(Value::as_str) else {
            return Ok(self.0);
        };
        match find(records, host) {
            Ok(Found::Instance(row)) => {
                self.0.insert(HOST.to_owned(), view::guid(&row).into());
                let computer = self.0.entry(COMPUTER.to_owned());
                computer.or_insert_with(|| row.computer_reference.into());
                Ok(self.0)
            }
            // It may be the call's name of a host.
            Ok(Found::Shared(_)) | Err(MasterError::NotFound(_)) => Ok(self.0),
            Err(error) => Err(error),
        }
    }
}

impl Method for SoftwareInstance {
    const PATH: &'static str = "/slapos.post.v0.software_instance";
    const WRITES: bool = true;
    type Answer = Instance;

    fn serve(self, asked: &Asked<'_>) -> Result<Instance, MasterError> {
        let records = asked.of_requester()?;
        let context = &asked.context;
        let call = RequestComputerPartition {
            software_release: self.software_release_uri.0,
            partition_reference: self.title.0,
            software_type: Some(self.software_type.0).filter(|text| !text.is_empty()),
            partition_parameter_dict: self.parameters.0,
            filter_dict: self.sla_parameters.into_filter(records)?,
            state: Some(self.state.0.as_str().to_owned()),
            shared: self.shared,
            computer_id: None,
            computer_partition_id: None,
        };
        let requester = request::requester(context, records, &call)?;
        let document = request::request(&call, &requester, context, records)?;
        let names = Names {
            title: call.partition_reference,
            root: requester.root,
            shared: call.shared,
        };
        let xml = instance_xml::to_xml(&call.partition_parameter_dict)?;
        let instance = Instance::new(&names, document, view::parameters(Some(&xml)));
        if call.shared {
            return Ok(instance);
        }
        instance.with_report(records)
    }
}
