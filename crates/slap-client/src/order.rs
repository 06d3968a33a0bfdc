//! What users ask for: instances and releases.

use slap_proto::authorization::PartitionIdentity;
use slap_proto::calls::{RequestComputerPartition, SupplySupply};
use slap_proto::documents::{Attributes, InstanceState, SoftwareInstance, SoftwareState};
use slap_proto::marshal::Value;

use crate::connection::{Slap, document};
use crate::error::ClientError;

/// A request for an instance. Sent again with changes, it changes the instance.
///
/// ```
/// use slap_client::{InstanceRequest, InstanceState, Value};
///
/// let request = InstanceRequest::new("https://example.org/kvm/software.cfg", "my-machine")
///     .software_type("single")
///     .parameter("ram-size", 4096)
///     .parameter("ports", vec![22, 80])
///     .on_computer("COMP-1")
///     .state(InstanceState::Stopped);
/// assert_eq!(request.parameters["ram-size"], Value::Int(4096));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "it is to be handed to a method that requests"]
#[non_exhaustive]
pub struct InstanceRequest {
    /// URL of the release.
    pub software_release: String,
    /// The requester's name of the instance.
    pub partition_reference: String,
    /// Type of the instance; `None` for the release's default.
    pub software_type: Option<String>,
    /// Parameters.
    pub parameters: Attributes,
    /// Where it may be placed (`computer_guid`), and other wishes (`retention_delay`).
    pub filter: Attributes,
    /// Word of an [`InstanceState`], of which masters may know more; `None` leaves it as it is.
    pub state: Option<String>,
    /// Whether a slave is wanted: a share of an instance that exists.
    pub shared: bool,
}

impl InstanceRequest {
    /// A request without parameters, for the default type and state.
    pub fn new(
        software_release: impl Into<String>,
        partition_reference: impl Into<String>,
    ) -> Self {
        Self {
            software_release: software_release.into(),
            partition_reference: partition_reference.into(),
            software_type: None,
            parameters: Attributes::new(),
            filter: Attributes::new(),
            state: None,
            shared: false,
        }
    }

    /// Adds a parameter.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.parameters.insert(name.into(), value.into());
        self
    }

    /// Asks for a certain type of instance.
    pub fn software_type(mut self, software_type: impl Into<String>) -> Self {
        self.software_type = Some(software_type.into());
        self
    }

    /// Asks for a certain computer.
    pub fn on_computer(self, computer_id: impl Into<String>) -> Self {
        self.filter("computer_guid", computer_id.into())
    }

    /// Adds a wish of where or how it is placed; which there are is up to the master.
    pub fn filter(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.filter.insert(name.into(), value.into());
        self
    }

    /// Asks for a state, such as [`InstanceState::Destroyed`] to give the instance up.
    pub fn state(mut self, state: InstanceState) -> Self {
        self.state = Some(state.as_str().to_owned());
        self
    }

    /// Asks for a slave: a share of an instance that exists.
    pub fn shared(mut self) -> Self {
        self.shared = true;
        self
    }

    pub(crate) fn send(
        &self,
        slap: &Slap,
        requester: Option<&PartitionIdentity>,
    ) -> Result<SoftwareInstance, ClientError> {
        let call = RequestComputerPartition {
            software_release: self.software_release.clone(),
            partition_reference: self.partition_reference.clone(),
            software_type: self.software_type.clone(),
            partition_parameter_dict: self.parameters.clone(),
            filter_dict: self.filter.clone(),
            state: self.state.clone(),
            shared: self.shared,
            computer_id: requester.map(|identity| identity.computer_id.clone()),
            computer_partition_id: requester.map(|identity| identity.partition_id.clone()),
        };
        let answer = slap.call(&call, requester)?;
        SoftwareInstance::from_document(&answer).map_err(document("requestComputerPartition"))
    }
}

/// Where users request instances.
///
/// ```
/// use slap_client::{InstanceRequest, InstanceState};
///
/// # let master = slap_testing::Master::start()?;
/// let order = master.slap().register_open_order();
/// let request = InstanceRequest::new("https://example.org/hello/software.cfg", "my-hello");
/// let instance = order.request(&request)?;
/// assert_eq!(instance.computer_id.as_deref(), Some("COMP-1"));
/// order.request(&request.state(InstanceState::Destroyed))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "it asks and tells the master nothing by itself"]
pub struct OpenOrder {
    slap: Slap,
}

/// Where users ask computers to install releases.
///
/// ```
/// use slap_client::SoftwareState;
///
/// # let master = slap_testing::Master::start()?;
/// let supply = master.slap().register_supply();
/// let url = "https://example.org/hello/software.cfg";
/// supply.supply(url, "COMP-1", SoftwareState::Available)?;
///
/// let computer = master.slap().register_computer("COMP-1").full_information()?;
/// assert_eq!(computer.software_release_list[0].url.as_deref(), Some(url));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "it asks and tells the master nothing by itself"]
pub struct Supply {
    slap: Slap,
}

impl Slap {
    /// Where to request instances.
    pub fn register_open_order(&self) -> OpenOrder {
        OpenOrder { slap: self.clone() }
    }

    /// Where to ask computers to install releases.
    pub fn register_supply(&self) -> Supply {
        Supply { slap: self.clone() }
    }
}

impl OpenOrder {
    /// Requests an instance.
    ///
    /// # Errors
    /// The call failed; [`ClientError::ResourceNotReady`] while the master provisions it.
    pub fn request(&self, request: &InstanceRequest) -> Result<SoftwareInstance, ClientError> {
        request.send(&self.slap, None)
    }
}

impl Supply {
    /// Asks a computer to install a release, or to remove it.
    ///
    /// # Errors
    /// The call failed.
    pub fn supply(
        &self,
        url: &str,
        computer_id: &str,
        state: SoftwareState,
    ) -> Result<(), ClientError> {
        let (url, computer_id) = (url.to_owned(), computer_id.to_owned());
        self.slap
            .call(
                &SupplySupply {
                    url,
                    computer_id,
                    state: Some(state),
                },
                None,
            )
            .map(drop)
    }
}
