//! What a method is given beside its parameters.

use crate::MasterError;
use crate::caller::{NotAllowed, Speaker};
use crate::http::ExternalUrl;
use crate::master::{Context, check_computer};
use crate::naming::{self, Found};
use crate::storage::Records;

/// Who asks, and what the request says beside the parameters.
pub(super) struct Asker<'a> {
    pub(super) context: Context<'a>,
    pub(super) external: &'a ExternalUrl,
    pub(super) speaker: &'a Speaker,
}

impl Asker<'_> {
    /// Whether the sender may ask for the partition of the Authorization header, else for a user.
    pub(super) fn check_requester(&self) -> Result<(), NotAllowed> {
        match &self.context.identity {
            Some(identity) => self
                .speaker
                .check_partition(&identity.computer_id, &identity.partition_id),
            None => self.speaker.check_user(),
        }
    }
}

/// The request, and the database within one transaction. The rows are had only by naming whom
/// they are about, for whom the sender must be allowed to speak.
pub(super) struct Asked<'a> {
    pub(super) asker: &'a Asker<'a>,
    records: &'a dyn Records,
}

impl<'a> Asked<'a> {
    pub(super) fn new(asker: &'a Asker<'a>, records: &'a dyn Records) -> Self {
        Self { asker, records }
    }

    /// For what is about no node in particular.
    pub(super) fn of_users(&self) -> Result<&'a dyn Records, MasterError> {
        self.asker.speaker.check_user()?;
        Ok(self.records)
    }

    /// For what is about a computer, known or not.
    pub(super) fn of_computer(&self, computer: &str) -> Result<&'a dyn Records, MasterError> {
        self.asker.speaker.check_computer(computer)?;
        Ok(self.records)
    }

    /// For what is about a computer that is there.
    pub(super) fn of_known_computer(&self, computer: &str) -> Result<&'a dyn Records, MasterError> {
        let records = self.of_computer(computer)?;
        check_computer(&self.asker.context, records, computer)?;
        Ok(records)
    }

    /// For what is about a partition.
    pub(super) fn of_partition(
        &self,
        computer: &str,
        partition: &str,
    ) -> Result<&'a dyn Records, MasterError> {
        self.asker.speaker.check_partition(computer, partition)?;
        Ok(self.records)
    }

    /// For what is about an instance; a slave belongs to the partition of its host.
    pub(super) fn of_instance(&self, guid: &str) -> Result<(Found, &'a dyn Records), MasterError> {
        let found = naming::find(self.records, guid)?;
        let row = found.partition();
        let records = self.of_partition(&row.computer_reference, &row.reference)?;
        Ok((found, records))
    }

    /// For what the partition of the Authorization header does, else a user.
    pub(super) fn of_requester(&self) -> Result<&'a dyn Records, MasterError> {
        self.asker.check_requester()?;
        Ok(self.records)
    }
}
