//! Whom each call is about, by the fields that it reads and no others: that decides who may make it.

use slap_proto::authorization::PartitionIdentity;
use slap_proto::calls::*;

/// Whom a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject<'a> {
    /// Nobody in particular; anyone may know the answer.
    Anyone,
    /// What only users do.
    Users,
    /// A computer and all that is on it.
    Computer(&'a str),
    /// A partition: its computer's reference and its own.
    Partition(&'a str, &'a str),
}

/// A call that is about someone.
pub(crate) trait About {
    /// Whom it is about, when it comes from the partition of the Authorization header.
    fn subject<'a>(&'a self, identity: Option<&'a PartitionIdentity>) -> Subject<'a>;
}

/// The subject of calls which the header does not change.
macro_rules! about {
    ($call:pat => $subject:expr; $($type:ident)*) => {$(
        impl About for $type {
            fn subject<'a>(&'a self, _: Option<&'a PartitionIdentity>) -> Subject<'a> {
                let $call = self;
                $subject
            }
        }
    )*};
}

about! { _ => Subject::Anyone; GetRunId GetSoftwareReleaseListFromSoftwareProduct }
about! { _ => Subject::Users; SupplySupply }
about! { call => Subject::Computer(&call.configuration.reference); LoadComputerConfigurationFromXml }
about! {
    call => Subject::Computer(&call.computer_id);
    GetFullComputerInformation GetComputerInformation GetComputerStatus ComputerBang UseComputer
    BuildingSoftwareRelease AvailableSoftwareRelease DestroyedSoftwareRelease SoftwareReleaseError
}
about! {
    call => Subject::Partition(&call.computer_reference, &call.computer_partition_reference);
    RegisterComputerPartition
}
about! {
    call => Subject::Partition(&call.computer_id, &call.computer_partition_id);
    GetComputerPartitionCertificate GetHostingSubscriptionIpList GetComputerPartitionStatus
    BuildingComputerPartition AvailableComputerPartition StartedComputerPartition
    StoppedComputerPartition DestroyedComputerPartition SoftwareInstanceError SoftwareInstanceBang
    SoftwareInstanceRename SetComputerPartitionConnectionXml
    UpdateComputerPartitionRelatedInstanceList
}

impl About for RequestComputerPartition {
    /// The requester: the partition of the header before that of the fields, else a user.
    fn subject<'a>(&'a self, identity: Option<&'a PartitionIdentity>) -> Subject<'a> {
        match (identity, &self.computer_id, &self.computer_partition_id) {
            (Some(identity), ..) => {
                Subject::Partition(&identity.computer_id, &identity.partition_id)
            }
            (None, Some(computer), Some(partition)) => Subject::Partition(computer, partition),
            _ => Subject::Users,
        }
    }
}
