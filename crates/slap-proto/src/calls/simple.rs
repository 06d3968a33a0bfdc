//! The calls whose fields are plain texts.

use super::fields::FieldProblem;
use super::{Call, Fields, FormError, Method};
use crate::marshal::EncodeError;

/// One field: a `String` must be there, an `Option<String>` may be absent.
trait Field: Sized {
    fn write(&self, name: &str, fields: &mut Fields);
    fn read(name: &str, fields: &Fields) -> Result<Self, FormError>;
}

impl Field for String {
    fn write(&self, name: &str, fields: &mut Fields) {
        fields.push(name, self.as_str());
    }

    fn read(name: &str, fields: &Fields) -> Result<Self, FormError> {
        let value = Option::<Self>::read(name, fields)?;
        value.ok_or_else(|| FormError::new(name, FieldProblem::Missing))
    }
}

impl Field for Option<String> {
    fn write(&self, name: &str, fields: &mut Fields) {
        if let Some(value) = self {
            fields.push(name, value.as_str());
        }
    }

    fn read(name: &str, fields: &Fields) -> Result<Self, FormError> {
        let value = match name {
            "error_log" | "message" | "use_string" => fields.text(name),
            _ => fields.name(name),
        };
        Ok(value?.map(str::to_owned))
    }
}

/// Defines calls: the name is that of the endpoint, the fields are those of the form.
macro_rules! calls {
    ($(
        $(#[$documentation:meta])*
        $method:ident $endpoint:literal $call:ident {
            $($(#[$about:meta])* $field:ident: $type:ty,)*
        }
    )*) => {$(
        $(#[$documentation])*
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct $call {
            $($(#[$about])* pub $field: $type,)*
        }

        impl Call for $call {
            const METHOD: Method = Method::$method;
            const ENDPOINT: &'static str = $endpoint;

            fn to_fields(&self) -> Result<Fields, EncodeError> {
                #[allow(unused_mut, reason = "some calls have no fields")]
                let mut fields = Fields::default();
                $(self.$field.write(stringify!($field), &mut fields);)*
                Ok(fields)
            }

            fn from_fields(_fields: &Fields) -> Result<Self, FormError> {
                Ok(Self {
                    $($field: Field::read(stringify!($field), _fields)?,)*
                })
            }
        }
    )*};
}

calls! {
    /// What a computer shall hold; answered by [`crate::documents::Computer`].
    Get "getFullComputerInformation" GetFullComputerInformation {
        /// Reference of the computer.
        computer_id: String,
    }

    /// The older name of [`GetFullComputerInformation`].
    Get "getComputerInformation" GetComputerInformation {
        /// Reference of the computer.
        computer_id: String,
    }

    /// One partition; answered by [`crate::documents::ComputerPartition`].
    Get "registerComputerPartition" RegisterComputerPartition {
        /// Reference of the computer.
        computer_reference: String,
        /// Reference of the partition.
        computer_partition_reference: String,
    }

    /// Certificate and key of a partition; answered by a dictionary of both.
    Get "getComputerPartitionCertificate" GetComputerPartitionCertificate {
        /// Reference of the computer.
        computer_id: String,
        /// Reference of the partition.
        computer_partition_id: String,
    }

    /// Addresses of the whole tree of instances; answered by a list of (interface, address).
    Get "getHostingSubscriptionIpList" GetHostingSubscriptionIpList {
        /// Reference of the computer.
        computer_id: String,
        /// Reference of the partition.
        computer_partition_id: String,
    }

    /// What a computer reported last.
    Get "getComputerStatus" GetComputerStatus {
        /// Reference of the computer.
        computer_id: String,
    }

    /// What a partition reported last.
    Get "getComputerPartitionStatus" GetComputerPartitionStatus {
        /// Reference of the computer.
        computer_id: String,
        /// Reference of the partition.
        computer_partition_id: String,
    }

    /// A random text made when the master started; answered as plain text.
    Get "getRunId" GetRunId {}

    /// URL of the hateoas API; answered as plain text, 404 where there is none.
    Get "getHateoasUrl" GetHateoasUrl {}

    /// Releases of a product, or newer ones of a release; answered by a list of URLs.
    Get "getSoftwareReleaseListFromSoftwareProduct" GetSoftwareReleaseListFromSoftwareProduct {
        /// Reference of the product.
        software_product_reference: Option<String>,
        /// URL of a release of the product.
        software_release_url: Option<String>,
    }

    /// The node begins to install a release.
    Post "buildingSoftwareRelease" BuildingSoftwareRelease {
        /// URL of the release.
        url: String,
        /// Reference of the computer.
        computer_id: String,
    }

    /// The node has installed a release.
    Post "availableSoftwareRelease" AvailableSoftwareRelease {
        /// URL of the release.
        url: String,
        /// Reference of the computer.
        computer_id: String,
    }

    /// The node has removed a release.
    Post "destroyedSoftwareRelease" DestroyedSoftwareRelease {
        /// URL of the release.
        url: String,
        /// Reference of the computer.
        computer_id: String,
    }

    /// The node could not install a release.
    Post "softwareReleaseError" SoftwareReleaseError {
        /// URL of the release.
        url: String,
        /// Reference of the computer.
        computer_id: String,
        /// What went wrong.
        error_log: Option<String>,
    }

    /// The node begins to install an instance.
    Post "buildingComputerPartition" BuildingComputerPartition {
        /// Reference of the computer.
        computer_id: String,
        /// Reference of the partition.
        computer_partition_id: String,
    }

    /// The node has installed an instance and not started it yet; sent by nodes of 0.27 only.
    Post "availableComputerPartition" AvailableComputerPartition {
        /// Reference of the computer.
        computer_id: String,
        /// Reference of the partition.
        computer_partition_id: String,
    }

    /// The instance runs and its promises hold.
    Post "startedComputerPartition" StartedComputerPartition {
        /// Reference of the computer.
        computer_id: String,
        /// Reference of the partition.
        computer_partition_id: String,
    }

    /// The instance is stopped.
    Post "stoppedComputerPartition" StoppedComputerPartition {
        /// Reference of the computer.
        computer_id: String,
        /// Reference of the partition.
        computer_partition_id: String,
    }

    /// The instance is removed: the partition is free.
    Post "destroyedComputerPartition" DestroyedComputerPartition {
        /// Reference of the computer.
        computer_id: String,
        /// Reference of the partition.
        computer_partition_id: String,
    }

    /// The node could not bring an instance to its state.
    Post "softwareInstanceError" SoftwareInstanceError {
        /// Reference of the computer.
        computer_id: String,
        /// Reference of the partition.
        computer_partition_id: String,
        /// What went wrong.
        error_log: Option<String>,
        /// The slave that it went wrong for.
        slave_reference: Option<String>,
    }

    /// Every instance of the tree shall be processed again.
    Post "softwareInstanceBang" SoftwareInstanceBang {
        /// Reference of the computer.
        computer_id: String,
        /// Reference of the partition.
        computer_partition_id: String,
        /// Why.
        message: Option<String>,
    }

    /// An instance, or one of its slaves, gets another name.
    Post "softwareInstanceRename" SoftwareInstanceRename {
        /// Reference of the computer.
        computer_id: String,
        /// Reference of the partition.
        computer_partition_id: String,
        /// The new name.
        new_name: String,
        /// The slave to rename instead.
        slave_reference: Option<String>,
    }

    /// Every instance of the computer shall be processed again.
    Post "computerBang" ComputerBang {
        /// Reference of the computer.
        computer_id: String,
        /// Why.
        message: Option<String>,
    }

    /// Usage report of a computer.
    Post "useComputer" UseComputer {
        /// Reference of the computer.
        computer_id: String,
        /// The journal document: an XML text.
        use_string: String,
    }

    /// A new computer for a user.
    Post "requestComputer" RequestComputer {
        /// Its title.
        computer_title: String,
    }

    /// A client certificate for a computer; answered by a dictionary of certificate and key.
    Post "generateComputerCertificate" GenerateComputerCertificate {
        /// Reference of the computer.
        computer_id: String,
    }

    /// The computer's certificate is no longer valid.
    Post "revokeComputerCertificate" RevokeComputerCertificate {
        /// Reference of the computer.
        computer_id: String,
    }
}
