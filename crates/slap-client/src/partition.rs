//! A partition, as its node and its instance speak of it.

use std::fmt;

use slap_proto::authorization::PartitionIdentity;
use slap_proto::calls;
use slap_proto::documents::{self, Attributes, SoftwareInstance};
use slap_proto::marshal::Value;

use crate::connection::{Slap, document, unexpected};
use crate::error::{ClientError, message};
use crate::order::InstanceRequest;

/// A partition of a computer. Its calls carry the partition's identity, by which a proxy knows
/// who is asking.
///
/// From inside an instance:
///
/// ```
/// use slap_client::{Attributes, InstanceRequest};
///
/// # let master = slap_testing::Master::start()?;
/// # let slap = master.slap();
/// # let request = InstanceRequest::new("https://example.org/hello/software.cfg", "my-hello");
/// # let request = request.parameter("name", "World").on_computer("COMP-1");
/// # let id = slap.register_open_order().request(&request)?.partition_id.unwrap();
/// let partition = slap.register_computer_partition("COMP-1", id);
/// let name = partition.fetch()?.parameter_dict["name"].to_text();
///
/// // What it needs itself is requested the same way.
/// let database = InstanceRequest::new("https://example.org/mariadb/software.cfg", "database");
/// let database = partition.request(&database)?;
/// assert!(database.partition_id.is_some());
///
/// let published: Attributes = [("greeting".to_owned(), format!("Hello, {name}!").into())].into();
/// partition.set_connection_dict(&published, None)?;
/// assert_eq!(partition.fetch()?.connection_dict["greeting"].as_str(), Some("Hello, World!"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "it asks and tells the master nothing by itself"]
pub struct ComputerPartition {
    slap: Slap,
    identity: PartitionIdentity,
}

/// A client certificate and its key, in PEM. Both are empty where the master has none.
///
/// ```
/// # let master = slap_testing::Master::start()?;
/// # let request = slap_client::InstanceRequest::new("https://example.org/software.cfg", "a");
/// # let id = master.slap().register_open_order().request(&request)?.partition_id.unwrap();
/// let partition = master.slap().register_computer_partition("COMP-1", id);
/// let certificate = partition.certificate()?;
/// assert!(certificate.key.is_empty(), "slapproxy has none to give");
/// assert!(!format!("{certificate:?}").contains("key"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Certificate {
    /// The certificate.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

/// The key is not told.
impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Certificate")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

impl Certificate {
    pub(crate) fn from_value(value: &Value) -> Option<Self> {
        let text = |name: &str| value.as_dict()?.get(name)?.as_str().map(str::to_owned);
        Some(Self {
            certificate: text("certificate")?,
            key: text("key")?,
        })
    }
}

/// What a master makes of the report that an instance is destroyed.
///
/// ```
/// use slap_client::{Destruction, InstanceRequest, InstanceState};
///
/// # let master = slap_testing::Master::start()?;
/// # let slap = master.slap();
/// let order = slap.register_open_order();
/// let request = InstanceRequest::new("https://example.org/hello/software.cfg", "my-hello");
/// let id = order.request(&request)?.partition_id.unwrap();
/// order.request(&request.state(InstanceState::Destroyed))?;
///
/// // The node has emptied the partition and reports it.
/// match slap.register_computer_partition("COMP-1", id).destroyed()? {
///     Destruction::Done => println!("the partition is free"),
///     Destruction::Delayed(text) => println!("children first: {text}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destruction {
    /// The partition is free.
    Done,
    /// The instance has children, which must go first: the master keeps the partition. Its text
    /// names them.
    Delayed(String),
}

impl Destruction {
    fn from_answer(answer: &[u8]) -> Self {
        let text = message(answer);
        if text.starts_with(calls::DESTRUCTION_DELAYED) {
            Self::Delayed(text)
        } else {
            Self::Done
        }
    }
}

impl Slap {
    /// The partition of these references; nothing is asked yet.
    pub fn register_computer_partition(
        &self,
        computer_id: impl Into<String>,
        partition_id: impl Into<String>,
    ) -> ComputerPartition {
        let identity = PartitionIdentity {
            computer_id: computer_id.into(),
            partition_id: partition_id.into(),
        };
        ComputerPartition {
            slap: self.clone(),
            identity,
        }
    }
}

/// Defines the calls that only report a state.
macro_rules! reports {
    ($($(#[$documentation:meta])* $name:ident: $call:ident;)*) => {$(
        $(#[$documentation])*
        ///
        /// # Errors
        /// The call failed.
        pub fn $name(&self) -> Result<(), ClientError> {
            let (computer_id, computer_partition_id) = self.names();
            self.send(&calls::$call { computer_id, computer_partition_id })
        }
    )*};
}

impl ComputerPartition {
    /// Reference of the computer.
    pub fn computer_id(&self) -> &str {
        &self.identity.computer_id
    }

    /// Reference of the partition.
    pub fn id(&self) -> &str {
        &self.identity.partition_id
    }

    /// The partition and its instance as the master knows them.
    ///
    /// # Errors
    /// The call failed, or the answer is no partition.
    pub fn fetch(&self) -> Result<documents::ComputerPartition, ClientError> {
        let (computer_reference, computer_partition_reference) = self.names();
        let call = calls::RegisterComputerPartition {
            computer_reference,
            computer_partition_reference,
        };
        let answer = self.slap.call(&call, Some(&self.identity))?;
        documents::ComputerPartition::from_document(&answer)
            .map_err(document("registerComputerPartition"))
    }

    /// Certificate and key of the instance.
    ///
    /// # Errors
    /// The call failed, or the answer holds none.
    pub fn certificate(&self) -> Result<Certificate, ClientError> {
        let (computer_id, computer_partition_id) = self.names();
        let call = calls::GetComputerPartitionCertificate {
            computer_id,
            computer_partition_id,
        };
        let value = self.slap.value(&call, Some(&self.identity))?;
        Certificate::from_value(&value)
            .ok_or_else(|| unexpected("getComputerPartitionCertificate", "certificate and key"))
    }

    /// Addresses of all instances of the tree: (interface, address).
    ///
    /// # Errors
    /// The call failed, or the answer is no such list.
    pub fn hosting_subscription_ip_list(&self) -> Result<Vec<(String, String)>, ClientError> {
        let (computer_id, computer_partition_id) = self.names();
        let call = calls::GetHostingSubscriptionIpList {
            computer_id,
            computer_partition_id,
        };
        let value = self.slap.value(&call, Some(&self.identity))?;
        let pair = |item: &Value| match item.as_list()? {
            [interface, address] => {
                Some((interface.as_str()?.to_owned(), address.as_str()?.to_owned()))
            }
            _ => None,
        };
        let pairs = value
            .as_list()
            .and_then(|items| items.iter().map(pair).collect());
        pairs.ok_or_else(|| unexpected("getHostingSubscriptionIpList", "list of addresses"))
    }

    /// What the partition reported last, as the master tells it.
    ///
    /// # Errors
    /// The call failed.
    pub fn status(&self) -> Result<Value, ClientError> {
        let (computer_id, computer_partition_id) = self.names();
        let call = calls::GetComputerPartitionStatus {
            computer_id,
            computer_partition_id,
        };
        self.slap.value(&call, Some(&self.identity))
    }

    reports! {
        /// Reports that the instance is being installed.
        building: BuildingComputerPartition;
        /// Reports that the instance is installed and not started yet; only masters of 0.27 care.
        available: AvailableComputerPartition;
        /// Reports that the instance runs and its promises hold.
        started: StartedComputerPartition;
        /// Reports that the instance is stopped.
        stopped: StoppedComputerPartition;
    }

    /// Reports that the instance is removed, so that the partition is free; the master may know
    /// better.
    ///
    /// # Errors
    /// The call failed.
    pub fn destroyed(&self) -> Result<Destruction, ClientError> {
        let (computer_id, computer_partition_id) = self.names();
        let call = calls::DestroyedComputerPartition {
            computer_id,
            computer_partition_id,
        };
        let answer = self.slap.call(&call, Some(&self.identity))?;
        Ok(Destruction::from_answer(&answer))
    }

    /// Reports what went wrong with the instance, or for one of its slaves.
    ///
    /// # Errors
    /// The call failed.
    pub fn error(&self, log: &str, slave_reference: Option<&str>) -> Result<(), ClientError> {
        let (computer_id, computer_partition_id) = self.names();
        self.send(&calls::SoftwareInstanceError {
            computer_id,
            computer_partition_id,
            error_log: Some(log.to_owned()),
            slave_reference: slave_reference.map(str::to_owned),
        })
    }

    /// Has every instance of the tree processed again.
    ///
    /// # Errors
    /// The call failed.
    pub fn bang(&self, message: &str) -> Result<(), ClientError> {
        let (computer_id, computer_partition_id) = self.names();
        let message = Some(message.to_owned());
        self.send(&calls::SoftwareInstanceBang {
            computer_id,
            computer_partition_id,
            message,
        })
    }

    /// Renames the instance, or one of its slaves.
    ///
    /// # Errors
    /// The call failed.
    pub fn rename(&self, new_name: &str, slave_reference: Option<&str>) -> Result<(), ClientError> {
        let (computer_id, computer_partition_id) = self.names();
        self.send(&calls::SoftwareInstanceRename {
            computer_id,
            computer_partition_id,
            new_name: new_name.to_owned(),
            slave_reference: slave_reference.map(str::to_owned),
        })
    }

    /// Publishes the connection parameters of the instance, or of one of its slaves. They replace
    /// those of before.
    ///
    /// # Errors
    /// The call failed, or a text cannot be written.
    pub fn set_connection_dict(
        &self,
        connection_dict: &Attributes,
        slave_reference: Option<&str>,
    ) -> Result<(), ClientError> {
        let (computer_id, computer_partition_id) = self.names();
        self.send(&calls::SetComputerPartitionConnectionXml {
            computer_id,
            computer_partition_id,
            connection_dict: connection_dict.clone(),
            slave_reference: slave_reference.map(str::to_owned),
        })
    }

    /// Tells which instances the partition requested in its last run.
    ///
    /// # Errors
    /// The call failed; masters of slapos.core 1.26 and before answer 404.
    pub fn update_related_instance_list(&self, references: &[String]) -> Result<(), ClientError> {
        let (computer_id, computer_partition_id) = self.names();
        self.send(&calls::UpdateComputerPartitionRelatedInstanceList {
            computer_id,
            computer_partition_id,
            instance_reference_list: references.to_vec(),
        })
    }

    /// Requests another instance, as a child of this one.
    ///
    /// # Errors
    /// The call failed; [`ClientError::ResourceNotReady`] while the master provisions it.
    pub fn request(&self, request: &InstanceRequest) -> Result<SoftwareInstance, ClientError> {
        request.send(&self.slap, Some(&self.identity))
    }

    fn names(&self) -> (String, String) {
        (
            self.identity.computer_id.clone(),
            self.identity.partition_id.clone(),
        )
    }

    fn send<C: calls::Call>(&self, call: &C) -> Result<(), ClientError> {
        self.slap.call(call, Some(&self.identity)).map(drop)
    }
}
