//! `slap`: the master.

use std::fmt;
use std::time::Duration;

use allocative::Allocative;
use slap_client::Connection;
use slapos_user::{computer, service};
use starlark::environment::MethodsBuilder;
use starlark::starlark_module;
use starlark::values::dict::AllocDict;
use starlark::values::none::{NoneOr, NoneType};
use starlark::values::{Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic, Value};

use super::computer::Computer;
use super::order::{OpenOrder, Supply};
use super::partition::Partition;
use super::release::Release;
use super::token::Token;
use super::{ApiError, api_type, failed};
use crate::context::{Access, Link};
use crate::convert::from_json;

/// The master.
#[derive(Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct Master {
    #[allocative(skip)]
    pub(crate) link: Link,
}

impl fmt::Display for Master {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "<slap {}>", self.link.access().slap.master_url())
    }
}

/// How long a call may take.
fn seconds(timeout: i32) -> Result<Duration, ApiError> {
    let seconds = u64::try_from(timeout).ok().filter(|seconds| *seconds > 0);
    seconds.map(Duration::from_secs).ok_or(ApiError::Timeout)
}

api_type!(Master, "slap", MASTER = methods);

/// The master: what it knows is reached from here.
#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// The computer of this reference. Nothing is asked of the master yet.
    fn registerComputer(this: &Master, computer_guid: &str) -> starlark::Result<Computer> {
        Ok(Computer::new(&this.link.access(), computer_guid))
    }

    /// A partition of a computer, and the instance in it, as the master knows them.
    fn registerComputerPartition(
        this: &Master,
        computer_guid: &str,
        partition_id: &str,
    ) -> starlark::Result<Partition> {
        Partition::fetch(&this.link.access(), computer_guid, partition_id).map_err(failed)
    }

    /// Where instances are requested; request() is a short way to it.
    fn registerOpenOrder(this: &Master) -> starlark::Result<OpenOrder> {
        Ok(OpenOrder::new(&this.link.access()))
    }

    /// Where releases are asked for; supply() is a short way to it.
    fn registerSupply(this: &Master) -> starlark::Result<Supply> {
        Ok(Supply::new(&this.link.access().slap))
    }

    /// Where a token is had that registers a computer.
    fn registerToken(this: &Master) -> starlark::Result<Token> {
        Ok(Token::new(&this.link.access()))
    }

    /// Your instances: a dictionary of their names and the URLs of their releases. slapos.core has
    /// objects in place of the URLs; getInformation(NAME) tells what they held.
    fn getOpenOrderDict<'v>(this: &Master, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let hateoas = this.link.access().hateoas().map_err(ApiError::from)?;
        let releases = service::releases(&hateoas).map_err(ApiError::from)?;
        let releases = releases.iter();
        let entries = releases.map(|(name, url)| (name.as_str(), from_json(url, heap)));
        Ok(heap.alloc(AllocDict(entries.collect::<Vec<_>>())))
    }

    /// Your computers: a dictionary of their references and Computer objects. slapos.core has their
    /// titles as keys, and documents without methods.
    fn getComputerDict<'v>(this: &Master, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let access = this.link.access();
        let hateoas = access.hateoas().map_err(ApiError::from)?;
        let computers = computer::computers(&hateoas).map_err(ApiError::from)?;
        let entries = computers.into_iter().map(|known| {
            let computer = Computer::new(&access, &known.reference);
            (known.reference, computer)
        });
        Ok(heap.alloc(AllocDict(entries.collect::<Vec<_>>())))
    }

    /// A software release, to report of it: on a computer, if one is named.
    fn registerSoftwareRelease(
        this: &Master,
        software_release: &str,
        #[starlark(default = NoneOr::None)] computer_guid: NoneOr<&str>,
    ) -> starlark::Result<Release> {
        let computer = computer_guid.into_option();
        Ok(Release::named(
            &this.link.access().slap,
            software_release,
            computer,
        ))
    }

    /// URLs of the releases of a product, or of the product that a release belongs to.
    fn getSoftwareReleaseListFromSoftwareProduct(
        this: &Master,
        #[starlark(default = NoneOr::None)] software_product_reference: NoneOr<&str>,
        #[starlark(default = NoneOr::None)] software_release_url: NoneOr<&str>,
    ) -> starlark::Result<Vec<String>> {
        let slap = this.link.access().slap;
        match (software_product_reference, software_release_url) {
            (NoneOr::Other(reference), NoneOr::None) => slap
                .software_release_list_of_product(reference)
                .map_err(failed),
            (NoneOr::None, NoneOr::Other(url)) => {
                slap.software_release_list_beside(url).map_err(failed)
            }
            _ => {
                let either = "one of software_product_reference and software_release_url";
                Err(ApiError::Missing(either).into())
            }
        }
    }

    /// Speaks to another master from now on. Objects that are there already stay with theirs. A call
    /// takes timeout seconds at most.
    fn initializeConnection(
        this: &Master,
        slapgrid_uri: &str,
        #[starlark(default = NoneOr::None)] key_file: NoneOr<&str>,
        #[starlark(default = NoneOr::None)] cert_file: NoneOr<&str>,
        #[starlark(default = NoneOr::None)] master_ca_file: NoneOr<&str>,
        #[starlark(default = 60)] timeout: i32,
        #[starlark(default = NoneOr::None)] slapgrid_rest_uri: NoneOr<&str>,
    ) -> starlark::Result<NoneType> {
        let interruption = this.link.interruption.clone();
        let mut connection = Connection::to(slapgrid_uri)
            .map_err(ApiError::from)?
            .timeout(seconds(timeout)?)
            .cancelled_by(move || interruption.is_requested());
        connection = match (cert_file, key_file) {
            (NoneOr::Other(certificate), NoneOr::Other(key)) => {
                connection.client_certificate(certificate, key)
            }
            (NoneOr::None, NoneOr::None) => connection,
            (NoneOr::None, _) => return Err(ApiError::Missing("cert_file").into()),
            (_, NoneOr::None) => return Err(ApiError::Missing("key_file").into()),
        };
        if let NoneOr::Other(authority) = master_ca_file {
            connection = connection.master_ca_file(authority);
        }
        this.link.replace(Access {
            slap: connection.open().map_err(ApiError::from)?,
            rest_url: slapgrid_rest_uri.into_option().map(str::to_owned),
        });
        Ok(NoneType)
    }
}
