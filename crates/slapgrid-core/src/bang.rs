//! Having an instance processed again, in its own name.

use std::path::Path;

use slap_client::{ClientError, Connection, OpenError, UrlError};

use crate::layout::PartitionLayout;
use crate::process::{CALL_GRACE, Interruption};

/// An instance could not be banged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BangError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Master(#[from] ClientError),
}

/// How instances reach the master.
pub(crate) struct InstanceAccess<'a> {
    pub(crate) master_url: &'a str,
    pub(crate) computer_id: &'a str,
    /// Checks the master's certificate, in place of the system's authorities.
    pub(crate) master_ca_file: Option<&'a Path>,
    /// Where the partitions' certificates are.
    pub(crate) certificate_repository: Option<&'a Path>,
    /// Gives the call up, for those who have one.
    pub(crate) interruption: Option<&'a Interruption>,
}

impl InstanceAccess<'_> {
    /// Tells the master that the instance in a partition is to be processed again, and why. The
    /// reference must be a plain file name.
    pub(crate) fn bang(&self, reference: &str, message: &str) -> Result<(), BangError> {
        let mut connection = Connection::to(self.master_url)?;
        if let Some(authority) = self.master_ca_file {
            connection = connection.master_ca_file(authority);
        }
        if let Some(repository) = self.certificate_repository {
            let layout = PartitionLayout::new(repository, reference);
            connection = connection
                .client_certificate(layout.certificate(repository), layout.key(repository));
        }
        if let Some(interruption) = self.interruption {
            connection = connection.cancelled_by(interruption.since(CALL_GRACE));
        }
        let slap = connection.open()?;
        let partition = slap.register_computer_partition(self.computer_id, reference);
        Ok(partition.bang(message)?)
    }
}
