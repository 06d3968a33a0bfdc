//! A partition and the instance in it; also the answer to a request.

use std::fmt;

use allocative::Allocative;
use slap_client::proto::documents::{self, Attributes};
use slap_client::{ClientError, ComputerPartition, Destruction, InstanceRequest};
use starlark::environment::MethodsBuilder;
use starlark::starlark_module;
use starlark::values::list::UnpackList;
use starlark::values::none::{NoneOr, NoneType};
use starlark::values::{Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic, Value};

use super::computer::certificate_dict;
use super::order::Wish;
use super::release::Release;
use super::{ApiError, api_type, failed};
use crate::context::Access;
use crate::convert::{from_attributes, from_proto, to_attributes};

/// A partition and the instance in it, as the master knew them when it was asked.
#[derive(Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct Partition {
    #[allocative(skip)]
    access: Access,
    /// None while the master prepares what was requested.
    #[allocative(skip)]
    handle: Option<ComputerPartition>,
    #[allocative(skip)]
    facts: Facts,
}

/// What the master said.
#[derive(Debug, Default)]
struct Facts {
    /// What the requester calls the instance.
    reference: String,
    state: Option<String>,
    guid: Option<String>,
    software_type: Option<String>,
    release: Option<String>,
    parameters: Attributes,
    connection: Attributes,
    access_status: Option<String>,
    is_free: bool,
}

impl Partition {
    pub(super) fn fetch(
        access: &Access,
        computer: &str,
        partition: &str,
    ) -> Result<Self, ClientError> {
        let handle = access.slap.register_computer_partition(computer, partition);
        let document = handle.fetch()?;
        Ok(Self {
            access: access.clone(),
            handle: Some(handle),
            facts: Facts::of_partition(document),
        })
    }

    pub(super) fn known(access: &Access, document: documents::ComputerPartition) -> Self {
        let (computer, partition) = (&document.computer_id, &document.partition_id);
        Self {
            access: access.clone(),
            handle: Some(access.slap.register_computer_partition(computer, partition)),
            facts: Facts::of_partition(document),
        }
    }

    /// From the answer to a request. That the master is still at it is no error: the same request,
    /// made again, tells when it is done.
    pub(super) fn requested(
        access: &Access,
        request: &InstanceRequest,
        answer: Result<documents::SoftwareInstance, ClientError>,
    ) -> Result<Self, ClientError> {
        let instance = match answer {
            Ok(instance) => instance,
            Err(ClientError::ResourceNotReady { .. }) => documents::SoftwareInstance::default(),
            Err(error) => return Err(error),
        };
        let names = instance
            .computer_id
            .as_ref()
            .zip(instance.partition_id.as_ref());
        let slap = &access.slap;
        let handle = names
            .map(|(computer, partition)| slap.register_computer_partition(computer, partition));
        Ok(Self {
            access: access.clone(),
            handle,
            facts: Facts::of_instance(request, instance),
        })
    }

    fn handle(&self) -> Result<&ComputerPartition, ApiError> {
        self.handle.as_ref().ok_or_else(|| ApiError::NotReady {
            reference: self.facts.reference.clone(),
        })
    }

    /// What the master said, once it has said something.
    fn facts(&self) -> Result<&Facts, ApiError> {
        self.handle().map(|_| &self.facts)
    }
}

impl Facts {
    fn of_partition(document: documents::ComputerPartition) -> Self {
        let software_type = document.parameter_dict.get("slap_software_type");
        Self {
            is_free: document.is_free(),
            reference: String::new(),
            software_type: software_type.map(|text| text.to_text()),
            state: document.requested_state,
            guid: document.instance_guid,
            release: document.software_release.and_then(|release| release.url),
            parameters: document.parameter_dict,
            connection: document.connection_dict,
            access_status: document.access_status,
        }
    }

    fn of_instance(request: &InstanceRequest, instance: documents::SoftwareInstance) -> Self {
        Self {
            is_free: false,
            reference: request.partition_reference.clone(),
            state: instance.requested_state,
            guid: instance.instance_guid,
            software_type: instance.software_type,
            release: instance.software_release_url,
            parameters: instance.parameter_dict,
            connection: instance.connection_dict,
            access_status: None,
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(handle) = &self.handle else {
            let reference = &self.facts.reference;
            return write!(formatter, "<ComputerPartition of {reference:?}, not ready>");
        };
        let (computer, partition) = (handle.computer_id(), handle.id());
        let state = match &self.facts {
            Facts { is_free: true, .. } => "free",
            facts => facts.state.as_deref().unwrap_or("in unknown state"),
        };
        write!(
            formatter,
            "<ComputerPartition {computer}/{partition} {state}>"
        )
    }
}

/// One of the parameters.
fn parameter<'v>(
    kind: &'static str,
    parameters: &Attributes,
    name: &str,
    heap: Heap<'v>,
) -> starlark::Result<Value<'v>> {
    let value = parameters.get(name).ok_or_else(|| ApiError::NoParameter {
        kind,
        name: name.to_owned(),
        present: parameters.keys().cloned().collect(),
    })?;
    Ok(from_proto(value, heap))
}

fn said(text: Option<&String>, what: &'static str) -> starlark::Result<String> {
    Ok(text.cloned().ok_or(ApiError::Unsaid(what))?)
}

api_type!(Partition, "ComputerPartition", PARTITION = methods);

/// A partition of a computer and the instance in it, as the master knew them when it was asked.
#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// Reference of the partition.
    fn getId(this: &Partition) -> starlark::Result<String> {
        Ok(this.handle()?.id().to_owned())
    }

    /// Reference of the computer.
    fn getComputerId(this: &Partition) -> starlark::Result<String> {
        Ok(this.handle()?.computer_id().to_owned())
    }

    /// What is wanted: started, stopped or destroyed.
    fn getState(this: &Partition) -> starlark::Result<String> {
        said(this.facts()?.state.as_ref(), "its state")
    }

    /// Identity of the instance.
    fn getInstanceGuid(this: &Partition) -> starlark::Result<String> {
        said(this.facts()?.guid.as_ref(), "the instance's guid")
    }

    /// Type of the instance.
    fn getType(this: &Partition) -> starlark::Result<String> {
        said(this.facts()?.software_type.as_ref(), "the instance's type")
    }

    /// The release that the instance runs.
    fn getSoftwareRelease(this: &Partition) -> starlark::Result<Release> {
        let url = said(this.facts()?.release.as_ref(), "its release")?;
        let computer = this.handle()?.computer_id();
        Ok(Release::named(&this.access.slap, &url, Some(computer)))
    }

    /// Whether the master can be reached by the instance, where it tells.
    fn getAccessStatus(this: &Partition) -> starlark::Result<String> {
        said(this.facts()?.access_status.as_ref(), "its access status")
    }

    /// What the instance published, by name.
    fn getConnectionParameterDict<'v>(
        this: &Partition,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        Ok(from_attributes(&this.facts()?.connection, heap))
    }

    /// One of the parameters that the instance published.
    fn getConnectionParameter<'v>(
        this: &Partition,
        key: &str,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        parameter("connection parameter", &this.facts()?.connection, key, heap)
    }

    /// Parameters of the instance, and what the master adds to them.
    fn getInstanceParameterDict<'v>(
        this: &Partition,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        Ok(from_attributes(&this.facts()?.parameters, heap))
    }

    /// One of the parameters of the instance.
    fn getInstanceParameter<'v>(
        this: &Partition,
        key: &str,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        parameter("parameter", &this.facts()?.parameters, key, heap)
    }

    /// What the node reported last.
    fn getStatus<'v>(this: &Partition, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Ok(from_proto(&this.handle()?.status().map_err(failed)?, heap))
    }

    /// Fails: it found nothing in slapos.core. getInformation(NAME) tells of instances of yours.
    fn getInformation(
        #[expect(unused_variables, reason = "it is a method")] this: &Partition,
        #[expect(unused_variables, reason = "the master cannot be asked")]
        partition_reference: &str,
    ) -> starlark::Result<NoneType> {
        let instead = "ComputerPartition.getInformation() cannot find the instances of its tree; \
                       getInformation(NAME) tells of instances that you requested";
        Err(ApiError::InVain(instead).into())
    }

    /// Fails: nothing came of it in slapos.core. Computer.reportUsage() sends a usage report.
    fn setUsage(
        #[expect(unused_variables, reason = "it is a method")] this: &Partition,
        #[expect(unused_variables, reason = "the master cannot be told")] usage_log: &str,
    ) -> starlark::Result<NoneType> {
        let instead = "setUsage() tells the master nothing; \
                       Computer.reportUsage() sends a usage report";
        Err(ApiError::InVain(instead).into())
    }

    /// Certificate and key of the instance, as a dictionary.
    fn getCertificate<'v>(this: &Partition, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let certificate = this.handle()?.certificate().map_err(failed)?;
        Ok(certificate_dict(&certificate, heap))
    }

    /// Addresses of all instances of the tree: pairs of interface and address.
    fn getFullHostingIpAddressList(this: &Partition) -> starlark::Result<Vec<(String, String)>> {
        this.handle()?
            .hosting_subscription_ip_list()
            .map_err(failed)
    }

    /// Has every instance of its tree processed again. The message says why.
    fn bang(this: &Partition, message: &str) -> starlark::Result<NoneType> {
        this.handle()?.bang(message).map_err(failed)?;
        Ok(NoneType)
    }

    /// Renames the instance, or one of its slaves.
    fn rename(
        this: &Partition,
        new_name: &str,
        #[starlark(default = NoneOr::None)] slave_reference: NoneOr<&str>,
    ) -> starlark::Result<NoneType> {
        let slave = slave_reference.into_option();
        this.handle()?.rename(new_name, slave).map_err(failed)?;
        Ok(NoneType)
    }

    /// Publishes connection parameters, as the instance, in place of those of before; or those of
    /// one of its slaves.
    fn setConnectionDict<'v>(
        this: &Partition,
        connection_dict: Value<'v>,
        #[starlark(default = NoneOr::None)] slave_reference: NoneOr<&str>,
    ) -> starlark::Result<NoneType> {
        let dict = to_attributes("connection_dict", NoneOr::Other(connection_dict))?;
        let slave = slave_reference.into_option();
        this.handle()?
            .set_connection_dict(&dict, slave)
            .map_err(failed)?;
        Ok(NoneType)
    }

    /// Tells, as the instance, which instances it requested in its last run, by their references.
    fn setComputerPartitionRelatedInstanceList(
        this: &Partition,
        instance_reference_list: UnpackList<String>,
    ) -> starlark::Result<NoneType> {
        let references = instance_reference_list.items;
        let told = this.handle()?.update_related_instance_list(&references);
        told.map_err(failed)?;
        Ok(NoneType)
    }

    /// Requests another instance, as a child of this one.
    fn request<'v>(
        this: &Partition,
        software_release: &'v str,
        software_type: NoneOr<&'v str>,
        partition_reference: &'v str,
        #[starlark(default = false)] shared: bool,
        #[starlark(default = NoneOr::None)] partition_parameter_kw: NoneOr<Value<'v>>,
        #[starlark(default = NoneOr::None)] filter_kw: NoneOr<Value<'v>>,
        #[starlark(default = NoneOr::None)] state: NoneOr<&'v str>,
    ) -> starlark::Result<Partition> {
        let wish = Wish {
            software_release,
            partition_reference,
            partition_parameter_kw,
            software_type,
            filter_kw,
            state,
            shared,
        };
        let request = wish.to_request()?;
        let answer = this.handle()?.request(&request);
        Partition::requested(&this.access, &request, answer).map_err(failed)
    }

    /// Reports, as the node, that the instance is being installed.
    fn building(this: &Partition) -> starlark::Result<NoneType> {
        this.handle()?.building().map_err(failed)?;
        Ok(NoneType)
    }

    /// Reports, as the node, that the instance is installed; only masters of 0.27 care.
    fn available(this: &Partition) -> starlark::Result<NoneType> {
        this.handle()?.available().map_err(failed)?;
        Ok(NoneType)
    }

    /// Reports, as the node, that the instance runs.
    fn started(this: &Partition) -> starlark::Result<NoneType> {
        this.handle()?.started().map_err(failed)?;
        Ok(NoneType)
    }

    /// Reports, as the node, that the instance is stopped.
    fn stopped(this: &Partition) -> starlark::Result<NoneType> {
        this.handle()?.stopped().map_err(failed)?;
        Ok(NoneType)
    }

    /// Reports, as the node, that the instance is removed: the partition is free then. Returns what
    /// the master says if it keeps the partition.
    fn destroyed(this: &Partition) -> starlark::Result<NoneOr<String>> {
        Ok(match this.handle()?.destroyed().map_err(failed)? {
            Destruction::Done => NoneOr::None,
            Destruction::Delayed(why) => NoneOr::Other(why),
        })
    }

    /// Reports, as the node, what went wrong with the instance, or for one of its slaves.
    fn error(
        this: &Partition,
        error_log: &str,
        #[starlark(default = NoneOr::None)] slave_reference: NoneOr<&str>,
    ) -> starlark::Result<NoneType> {
        let slave = slave_reference.into_option();
        this.handle()?.error(error_log, slave).map_err(failed)?;
        Ok(NoneType)
    }
}
