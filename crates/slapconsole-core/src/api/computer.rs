//! A computer.

use std::fmt;

use allocative::Allocative;
use slap_client::Certificate;
use slap_client::proto::documents::{ComputerConfiguration, DocumentError};
use slap_client::proto::marshal;
use slapos_user::computer;
use starlark::environment::MethodsBuilder;
use starlark::starlark_module;
use starlark::values::dict::AllocDict;
use starlark::values::none::NoneType;
use starlark::values::{Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic, Value};

use super::partition::Partition;
use super::release::Release;
use super::{ApiError, api_type, failed};
use crate::context::Access;
use crate::convert::from_proto;

/// A computer of the master.
#[derive(Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct Computer {
    #[allocative(skip)]
    access: Access,
    #[allocative(skip)]
    computer: slap_client::Computer,
}

impl Computer {
    pub(super) fn new(access: &Access, computer_id: &str) -> Self {
        Self {
            access: access.clone(),
            computer: access.slap.register_computer(computer_id),
        }
    }
}

impl fmt::Display for Computer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "<Computer {}>", self.computer.id())
    }
}

/// Certificate and key as a dictionary.
pub(super) fn certificate_dict<'v>(certificate: &Certificate, heap: Heap<'v>) -> Value<'v> {
    heap.alloc(AllocDict([
        ("certificate", certificate.certificate.as_str()),
        ("key", certificate.key.as_str()),
    ]))
}

/// The description of a computer in a marshal document.
fn configuration(document: &str) -> Result<ComputerConfiguration, ApiError> {
    let value = marshal::decode(document.as_bytes()).map_err(DocumentError::from);
    let read = value.and_then(|value| ComputerConfiguration::from_value(&value));
    read.map_err(ApiError::Description)
}

api_type!(Computer, "Computer", COMPUTER = methods);

/// A computer.
#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// Reference of the computer.
    fn getId(this: &Computer) -> starlark::Result<String> {
        Ok(this.computer.id().to_owned())
    }

    /// Its partitions, free ones too, and the instances in them.
    fn getComputerPartitionList(this: &Computer) -> starlark::Result<Vec<Partition>> {
        let computer = this.computer.full_information().map_err(failed)?;
        let partitions = computer.computer_partition_list.into_iter();
        Ok(partitions
            .map(|partition| Partition::known(&this.access, partition))
            .collect())
    }

    /// The releases that are wanted on it, or shall be removed.
    fn getSoftwareReleaseList(this: &Computer) -> starlark::Result<Vec<Release>> {
        let computer = this.computer.full_information().map_err(failed)?;
        let releases = computer.software_release_list.into_iter();
        Ok(releases
            .map(|release| Release::of_computer(&this.access.slap, this.computer.id(), release))
            .collect())
    }

    /// Has every instance on it processed again. The message says why.
    fn bang(this: &Computer, message: &str) -> starlark::Result<NoneType> {
        this.computer.bang(message).map_err(failed)?;
        Ok(NoneType)
    }

    /// What it has reported last.
    fn getStatus<'v>(this: &Computer, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Ok(from_proto(&this.computer.status().map_err(failed)?, heap))
    }

    /// What the master tells users of it: a dictionary of its reference and title.
    fn getInformation<'v>(this: &Computer, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let hateoas = this.access.hateoas().map_err(ApiError::from)?;
        let id = this.computer.id();
        let found = computer::information(&hateoas, id).map_err(ApiError::from)?;
        let found = found.ok_or_else(|| ApiError::NotYours {
            kind: "computer",
            name: id.to_owned(),
        })?;
        let fields = [("reference", found.reference), ("title", found.title)];
        Ok(heap.alloc(AllocDict(fields)))
    }

    /// Sends a usage report, a journal document.
    fn reportUsage(this: &Computer, computer_usage: &str) -> starlark::Result<NoneType> {
        if !computer_usage.is_empty() {
            this.computer.report_usage(computer_usage).map_err(failed)?;
        }
        Ok(NoneType)
    }

    /// Tells the master how it is made. The description is a marshal document.
    fn updateConfiguration(this: &Computer, xml: &str) -> starlark::Result<NoneType> {
        this.computer
            .configure(&configuration(xml)?)
            .map_err(failed)?;
        Ok(NoneType)
    }

    /// Makes a client certificate for it: a dictionary of certificate and key.
    fn generateCertificate<'v>(this: &Computer, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let certificate = this.computer.generate_certificate().map_err(failed)?;
        Ok(certificate_dict(&certificate, heap))
    }

    /// Makes its client certificate invalid.
    fn revokeCertificate(this: &Computer) -> starlark::Result<NoneType> {
        this.computer.revoke_certificate().map_err(failed)?;
        Ok(NoneType)
    }
}
