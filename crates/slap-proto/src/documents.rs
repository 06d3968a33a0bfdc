//! The documents of the protocol as types: what a node and a user see of a master's state.
//!
//! On the wire they are objects of the classes of `slapos.slap.slap`; attributes that a type does
//! not know are kept in its `extra`. Documents are made by naming what is known:
//!
//! ```
//! use slap_proto::documents::{Computer, SoftwareRelease, SoftwareState};
//!
//! let computer = Computer {
//!     computer_id: "COMP-1".to_owned(),
//!     software_release_list: vec![SoftwareRelease {
//!         url: Some("https://example.org/hello/software.cfg".to_owned()),
//!         requested_state: SoftwareState::Destroyed,
//!         ..SoftwareRelease::default()
//!     }],
//!     ..Computer::default()
//! };
//! let document = computer.to_document()?;
//! let read = Computer::from_document(document.as_bytes())?;
//! assert_eq!(read.software_release_list[0].requested_state, SoftwareState::Destroyed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod configuration;
mod fields;
mod instance;
mod node;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::marshal::{DecodeError, Value};

/// Attributes by name; parameters of an instance are one too.
///
/// ```
/// use slap_proto::documents::Attributes;
///
/// let mut parameters: Attributes = [("ram-size".to_owned(), 4096.into())].into();
/// parameters.insert("name".to_owned(), "machine".into());
/// ```
pub type Attributes = BTreeMap<String, Value>;

/// What a computer shall hold, and hence what a node has to do.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Computer {
    /// The computer's reference at the master, e.g. `COMP-1234`.
    pub computer_id: String,
    /// The releases to install or to remove.
    pub software_release_list: Vec<SoftwareRelease>,
    /// Every partition, free ones too.
    pub computer_partition_list: Vec<ComputerPartition>,
    /// Attributes that this version does not know.
    pub extra: Attributes,
}

/// Whether a computer shall have a release.
///
/// ```
/// use slap_proto::documents::SoftwareState;
///
/// assert_eq!("destroyed".parse(), Ok(SoftwareState::Destroyed));
/// assert_eq!(SoftwareState::Available.to_string(), "available");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SoftwareState {
    /// To be installed; what an absent state means.
    #[default]
    Available,
    /// To be removed.
    Destroyed,
}

/// A software release on a computer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SoftwareRelease {
    /// URL of the buildout profile. Masters of 0.27 send releases without one for free partitions.
    pub url: Option<String>,
    /// The computer that the release belongs to.
    pub computer_guid: Option<String>,
    /// Whether it is wanted.
    pub requested_state: SoftwareState,
    /// Attributes that this version does not know.
    pub extra: Attributes,
}

/// A partition of a computer and the instance in it, as a node sees it.
///
/// ```
/// use slap_proto::documents::ComputerPartition;
///
/// let mut partition = ComputerPartition {
///     computer_id: "COMP-1".to_owned(),
///     partition_id: "slappart0".to_owned(),
///     ..ComputerPartition::default()
/// };
/// assert!(partition.is_free());
/// partition.need_modification = true;
/// partition.parameter_dict.insert("timestamp".to_owned(), 1_700_000_000.into());
/// assert_eq!(partition.timestamp().as_deref(), Some("1700000000"));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ComputerPartition {
    /// The computer's reference.
    pub computer_id: String,
    /// The partition's reference, e.g. `slappart0`; untrusted: check it before it names a file.
    pub partition_id: String,
    /// Third constructor argument of 1.x clients; `Value::None` elsewhere.
    pub request_dict: Option<Value>,
    /// `started`, `stopped` or `destroyed`; another text is an error of the instance, not of the document.
    pub requested_state: Option<String>,
    /// Whether the partition is allocated.
    pub need_modification: bool,
    /// Identity of the instance.
    pub instance_guid: Option<String>,
    /// Parameters of the instance, and what the master adds to them (`timestamp`, `ip_list`, …).
    pub parameter_dict: Attributes,
    /// What the instance published.
    pub connection_dict: Attributes,
    /// The release that the instance runs; absent on free partitions.
    pub software_release: Option<SoftwareRelease>,
    /// The state that was last reported, where the master tells it.
    pub access_status: Option<String>,
    /// The request's filter (`retention_delay`, …), where the master tells it.
    pub filter_dict: Attributes,
    /// Attributes that this version does not know.
    pub extra: Attributes,
}

/// The answer to a request for an instance.
///
/// ```
/// use slap_proto::documents::{DocumentError, SoftwareInstance};
///
/// let error = SoftwareInstance::from_document(b"<marshal><none/></marshal>").unwrap_err();
/// assert_eq!(error, DocumentError::Kind { expected: "SoftwareInstance" });
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SoftwareInstance {
    /// Computer on which the instance lives (`slap_computer_id`).
    pub computer_id: Option<String>,
    /// Its partition (`slap_computer_partition_id`).
    pub partition_id: Option<String>,
    /// URL of its release (`slap_software_release_url`).
    pub software_release_url: Option<String>,
    /// Its type (`slap_software_type`).
    pub software_type: Option<String>,
    /// Identity of the instance.
    pub instance_guid: Option<String>,
    /// The state that is asked of it.
    pub requested_state: Option<String>,
    /// Its parameters, as text, with `timestamp`.
    pub parameter_dict: Attributes,
    /// What it published.
    pub connection_dict: Attributes,
    /// The connection parameters as an instance document (see [`crate::instance_xml`]).
    pub connection_xml: Option<String>,
    /// Its addresses: (interface, address).
    pub ip_list: Vec<(String, String)>,
    /// Attributes that this version does not know (among them `slap_server_url`).
    pub extra: Attributes,
}

/// The computer as slapformat describes it to the master and keeps it in `computer_xml`.
///
/// ```
/// use slap_proto::documents::{ComputerConfiguration, PartitionAddress, PartitionConfiguration};
///
/// let computer = ComputerConfiguration {
///     reference: "COMP-1".to_owned(),
///     partition_list: vec![PartitionConfiguration {
///         reference: "slappart0".to_owned(),
///         user: Some("slapuser0".to_owned()),
///         address_list: vec![PartitionAddress {
///             addr: "10.0.0.1".to_owned(),
///             netmask: Some("255.255.255.255".to_owned()),
///         }],
///         ..PartitionConfiguration::default()
///     }],
///     ..ComputerConfiguration::default()
/// };
/// let document = computer.to_document()?;
/// assert_eq!(ComputerConfiguration::from_document(document.as_bytes())?, computer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ComputerConfiguration {
    /// The computer's reference.
    pub reference: String,
    /// Its own address.
    pub address: Option<String>,
    /// Netmask of that address.
    pub netmask: Option<String>,
    /// Interface of the IPv6 addresses, where it differs from the interface of the computer.
    pub ipv6_interface: Option<String>,
    /// Owner of the software root.
    pub software_user: Option<String>,
    /// Where partitions live.
    pub instance_root: Option<String>,
    /// Where releases live.
    pub software_root: Option<String>,
    /// The partitions in order.
    pub partition_list: Vec<PartitionConfiguration>,
    /// Attributes that this version does not know.
    pub extra: Attributes,
}

/// One partition of a [`ComputerConfiguration`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionConfiguration {
    /// The partition's reference.
    pub reference: String,
    /// Its directory.
    pub path: Option<String>,
    /// Name of its user (`user.name`).
    pub user: Option<String>,
    /// Name of its tap (`tap.name`).
    pub tap: Option<String>,
    /// Its addresses.
    pub address_list: Vec<PartitionAddress>,
    /// Attributes that this version does not know, those of `user` and `tap` included under
    /// these names (a dictionary each).
    pub extra: Attributes,
}

/// An address of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartitionAddress {
    /// The address itself.
    pub addr: String,
    /// Its netmask, in the address's own notation.
    pub netmask: Option<String>,
}

/// What is asked of an instance.
///
/// ```
/// use slap_proto::documents::InstanceState;
///
/// assert_eq!("stopped".parse(), Ok(InstanceState::Stopped));
/// let error = "asleep".parse::<InstanceState>().unwrap_err();
/// assert_eq!(error.to_string(), "unknown state \"asleep\"");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum InstanceState {
    /// To be installed and to run; what an absent state means in a request.
    #[default]
    Started,
    /// To be installed and not to run.
    Stopped,
    /// To be removed.
    Destroyed,
}

/// A state that the protocol does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown state {0:?}")]
pub struct UnknownState(pub String);

impl SoftwareState {
    /// The protocol's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Destroyed => "destroyed",
        }
    }
}

impl fmt::Display for SoftwareState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for SoftwareState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        [Self::Available, Self::Destroyed]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownState(text.to_owned()))
    }
}

impl InstanceState {
    /// The protocol's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::Destroyed => "destroyed",
        }
    }
}

impl fmt::Display for InstanceState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for InstanceState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        [Self::Started, Self::Stopped, Self::Destroyed]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownState(text.to_owned()))
    }
}

/// Why a document is not what its reader expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// It is no marshal document at all.
    #[error("the document cannot be read")]
    Decode(#[from] DecodeError),
    /// It holds another kind of value.
    #[error("the document holds no {expected}")]
    Kind {
        /// What was expected.
        expected: &'static str,
    },
    /// An attribute that must be there is not.
    #[error("{subject} has no {attribute}")]
    Missing {
        /// The kind of document.
        subject: &'static str,
        /// The attribute's name.
        attribute: &'static str,
    },
    /// An attribute has the wrong type.
    #[error("{attribute} of {subject} is not {expected}")]
    Type {
        /// The kind of document.
        subject: &'static str,
        /// The attribute's name.
        attribute: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A release is in a state that the protocol does not know.
    #[error("a software release cannot be read")]
    State(#[from] UnknownState),
}
