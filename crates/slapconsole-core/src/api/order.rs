//! What users ask for: instances and releases.

use std::fmt;

use allocative::Allocative;
use slap_client::proto::documents::SoftwareState;
use slap_client::{ClientError, InstanceRequest, Slap};
use slapos_user::service;
use starlark::environment::MethodsBuilder;
use starlark::starlark_module;
use starlark::values::none::NoneOr;
use starlark::values::{Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic, Value};

use super::partition::Partition;
use super::release::Release;
use super::{ApiError, api_type, failed};
use crate::context::Access;
use crate::convert::{from_json, from_proto, to_attributes};

/// Where instances are requested.
#[derive(Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct OpenOrder {
    #[allocative(skip)]
    access: Access,
}

/// Where releases are asked for.
#[derive(Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct Supply {
    #[allocative(skip)]
    slap: Slap,
}

impl OpenOrder {
    pub(super) fn new(access: &Access) -> Self {
        Self {
            access: access.clone(),
        }
    }
}

impl Supply {
    pub(super) fn new(slap: &Slap) -> Self {
        Self { slap: slap.clone() }
    }
}

impl fmt::Display for OpenOrder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "<OpenOrder at {}>",
            self.access.slap.master_url()
        )
    }
}

impl fmt::Display for Supply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "<Supply at {}>", self.slap.master_url())
    }
}

/// The arguments of a request, however they are ordered.
pub(crate) struct Wish<'v> {
    pub(crate) software_release: &'v str,
    pub(crate) partition_reference: &'v str,
    pub(crate) partition_parameter_kw: NoneOr<Value<'v>>,
    pub(crate) software_type: NoneOr<&'v str>,
    pub(crate) filter_kw: NoneOr<Value<'v>>,
    pub(crate) state: NoneOr<&'v str>,
    pub(crate) shared: bool,
}

impl Wish<'_> {
    pub(super) fn to_request(&self) -> Result<InstanceRequest, ApiError> {
        let text = |text: NoneOr<&str>| text.into_option().map(str::to_owned);
        let mut request = InstanceRequest::new(self.software_release, self.partition_reference);
        request.parameters = to_attributes("partition_parameter_kw", self.partition_parameter_kw)?;
        request.filter = to_attributes("filter_kw", self.filter_kw)?;
        request.software_type = text(self.software_type);
        request.state = text(self.state);
        request.shared = self.shared;
        Ok(request)
    }
}

/// Requests an instance as a user.
pub(crate) fn request_as_user(access: &Access, wish: &Wish<'_>) -> starlark::Result<Partition> {
    let request = wish.to_request()?;
    let answer = access.slap.register_open_order().request(&request);
    Partition::requested(access, &request, answer).map_err(failed)
}

/// What the master tells a user of an instance.
pub(crate) fn information<'v>(
    access: &Access,
    reference: &str,
    heap: Heap<'v>,
) -> starlark::Result<Value<'v>> {
    let hateoas = access.hateoas().map_err(ApiError::from)?;
    let known = service::information(&hateoas, reference, true).map_err(ApiError::from)?;
    let known = known.ok_or_else(|| ApiError::NotYours {
        kind: "instance",
        name: reference.to_owned(),
    })?;
    Ok(from_json(&known, heap))
}

/// Asks a computer to have a release, or not to have it any more.
pub(crate) fn ask_for(
    slap: &Slap,
    url: &str,
    computer: NoneOr<&str>,
    state: &str,
) -> starlark::Result<Release> {
    let missing = "computer_guid (on which computer?)";
    let computer = computer.into_option().ok_or(ApiError::Missing(missing))?;
    let state: SoftwareState = state.parse().map_err(ApiError::State)?;
    let order = slap.register_supply();
    order.supply(url, computer, state).map_err(failed)?;
    Ok(Release::supplied(slap, url, computer, state))
}

api_type!(OpenOrder, "OpenOrder", ORDER = order_methods);
api_type!(Supply, "Supply", SUPPLY = supply_methods);

/// Where instances are requested.
#[starlark_module]
fn order_methods(builder: &mut MethodsBuilder) {
    /// Requests an instance, or changes one: help(request) says how.
    fn request<'v>(
        this: &OpenOrder,
        software_release: &'v str,
        partition_reference: &'v str,
        #[starlark(default = NoneOr::None)] partition_parameter_kw: NoneOr<Value<'v>>,
        #[starlark(default = NoneOr::None)] software_type: NoneOr<&'v str>,
        #[starlark(default = NoneOr::None)] filter_kw: NoneOr<Value<'v>>,
        #[starlark(default = NoneOr::None)] state: NoneOr<&'v str>,
        #[starlark(default = false)] shared: bool,
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
        request_as_user(&this.access, &wish)
    }

    /// What the master knows of an instance that you requested, by its name: a dictionary.
    fn getInformation<'v>(
        this: &OpenOrder,
        partition_reference: &str,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        information(&this.access, partition_reference, heap)
    }

    /// Requests a computer of this title; tells what the master says of it.
    fn requestComputer<'v>(
        this: &OpenOrder,
        computer_reference: &str,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let answer: Result<_, ClientError> = this.access.slap.request_computer(computer_reference);
        Ok(from_proto(&answer.map_err(failed)?, heap))
    }
}

/// Where releases are asked for.
#[starlark_module]
fn supply_methods(builder: &mut MethodsBuilder) {
    /// Asks a computer to install a release, or to remove it: help(supply) says how.
    fn supply(
        this: &Supply,
        software_release: &str,
        #[starlark(default = NoneOr::None)] computer_guid: NoneOr<&str>,
        #[starlark(default = "available")] state: &str,
    ) -> starlark::Result<Release> {
        ask_for(&this.slap, software_release, computer_guid, state)
    }
}
