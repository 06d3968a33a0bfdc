//! The method by which instances are requested.

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};
use slap_proto::calls::{LONGEST_NAME, RequestComputerPartition};
use slap_proto::documents::{self, Attributes, InstanceState};
use slap_proto::instance_xml;
use slap_proto::marshal::Value;

use super::answers::Instance;
use super::asked::Asker;
use super::text::{Release, SoftwareType, Title, Values, Word};
use super::{Asked, Method};
use crate::MasterError;
use crate::master::request::{self, Requester};
use crate::master::{forward, view};
use crate::naming::{Found, Names, find};
use crate::storage::{Records, Storage};

/// What the description calls the status of an instance that is not there yet.
const NOT_READY: u16 = 102;

/// The wish that names the host of a shared instance.
const HOST: &str = "instance_guid";
/// The wish that names the computer.
const COMPUTER: &str = "computer_guid";
/// The only wish that is a number.
const DELAY: &str = "retention_delay";

/// An instance shall exist.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Parameters")]
pub(super) struct SoftwareInstance(RequestComputerPartition);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    title: Title,
    software_release_uri: Release,
    software_type: SoftwareType,
    #[serde(default)]
    parameters: Values,
    #[serde(default)]
    state: Word<InstanceState>,
    #[serde(default)]
    sla_parameters: Wishes,
    #[serde(default)]
    shared: bool,
}

impl From<Parameters> for SoftwareInstance {
    fn from(parameters: Parameters) -> Self {
        let software_type = parameters.software_type.0;
        Self(RequestComputerPartition {
            software_release: parameters.software_release_uri.0,
            partition_reference: parameters.title.0,
            software_type: Some(software_type).filter(|text| !text.is_empty()),
            partition_parameter_dict: parameters.parameters.0,
            filter_dict: parameters.sla_parameters.0,
            state: Some(parameters.state.0.as_str().to_owned()),
            shared: parameters.shared,
            computer_id: None,
            computer_partition_id: None,
        })
    }
}

/// Where and how the instance shall be placed: texts, but for one.
#[derive(Debug, Clone, Default)]
struct Wishes(Attributes);

impl<'de> Deserialize<'de> for Wishes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wishes = Values::deserialize(deserializer)?.0;
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
            if value.to_text().len() > LONGEST_NAME {
                let message = format!("{name} is longer than {LONGEST_NAME} bytes");
                return Err(D::Error::custom(message));
            }
        }
        Ok(Self(wishes))
    }
}

/// Names the host that a filter wishes by its computer and partition, as the call knows it.
fn name_host(filter: &mut Attributes, records: &dyn Records) -> Result<(), MasterError> {
    let Some(host) = filter.get(HOST).and_then(Value::as_str) else {
        return Ok(());
    };
    match find(records, host) {
        Ok(Found::Instance(row)) => {
            filter.insert(HOST.to_owned(), view::guid(&row).into());
            let computer = filter.entry(COMPUTER.to_owned());
            computer.or_insert_with(|| row.computer_reference.into());
            Ok(())
        }
        // It may be the call's name of a host.
        Ok(Found::Shared(_)) | Err(MasterError::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The instance; or another master is asked for it and does not have it yet.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Requested {
    Instance(Box<Instance>),
    NotReady {
        status: u16,
        name: &'static str,
        message: String,
    },
}

impl Method for SoftwareInstance {
    const PATH: &'static str = "/slapos.post.v0.software_instance";
    const WRITES: bool = true;
    type Answer = Requested;

    fn may_be_elsewhere(&self, asker: &Asker<'_>) -> bool {
        forward::may_be_elsewhere(&self.0, &asker.context)
    }

    fn elsewhere<S: Storage>(
        &self,
        asker: &Asker<'_>,
        storage: &S,
    ) -> Result<Option<Requested>, MasterError> {
        asker.check_requester()?;
        let call = &self.0;
        let document = match forward::elsewhere(call, &asker.context, storage) {
            Ok(None) => return Ok(None),
            Ok(Some(document)) => document,
            Err(error @ MasterError::NotReady(_)) => {
                return Ok(Some(Requested::NotReady {
                    status: NOT_READY,
                    name: "SoftwareInstanceNotReady",
                    message: error.to_string(),
                }));
            }
            Err(error) => return Err(error),
        };
        let read = |records: &dyn Records| request::requester(&asker.context, records, call);
        let instance = answer(call, storage.read(read)?, document)?;
        Ok(Some(Requested::Instance(instance.into())))
    }

    fn serve(self, asked: &Asked<'_>) -> Result<Requested, MasterError> {
        let records = asked.of_requester()?;
        let context = &asked.asker.context;
        let mut call = self.0;
        name_host(&mut call.filter_dict, records)?;
        let requester = request::requester(context, records, &call)?;
        let document = request::request(&call, &requester, context, records)?;
        let mut instance = answer(&call, requester, document)?;
        if !call.shared {
            instance = instance.with_report(records)?;
        }
        Ok(Requested::Instance(instance.into()))
    }
}

fn answer(
    call: &RequestComputerPartition,
    requester: Requester,
    document: documents::SoftwareInstance,
) -> Result<Instance, MasterError> {
    let names = Names {
        title: call.partition_reference.clone(),
        root: requester.root,
        shared: call.shared,
    };
    let xml = instance_xml::to_xml(&call.partition_parameter_dict)?;
    Ok(Instance::new(
        &names,
        document,
        view::parameters(Some(&xml)),
    ))
}
