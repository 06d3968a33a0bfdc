//! A software release on a computer.

use slap_proto::calls;

use crate::connection::Slap;
use crate::error::ClientError;

/// A software release on a computer, as the node that installs it speaks of it.
///
/// ```
/// # let master = slap_testing::Master::start()?;
/// # let slap = master.slap();
/// let url = "https://example.org/hello/software.cfg";
/// slap.register_supply().supply(url, "COMP-1", slap_client::SoftwareState::Available)?;
///
/// let release = slap.register_software_release(url, "COMP-1");
/// release.building()?;
/// // The node builds it here, and says release.error(…) if that fails.
/// release.available()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "it asks and tells the master nothing by itself"]
pub struct SoftwareRelease {
    slap: Slap,
    url: String,
    computer_id: String,
}

impl Slap {
    /// The release of this URL on a computer; nothing is asked yet.
    pub fn register_software_release(
        &self,
        url: impl Into<String>,
        computer_id: impl Into<String>,
    ) -> SoftwareRelease {
        SoftwareRelease {
            slap: self.clone(),
            url: url.into(),
            computer_id: computer_id.into(),
        }
    }
}

impl SoftwareRelease {
    /// URL of the release.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Reports that the installation begins.
    ///
    /// # Errors
    /// The call failed.
    pub fn building(&self) -> Result<(), ClientError> {
        let (url, computer_id) = self.names();
        self.slap
            .call(&calls::BuildingSoftwareRelease { url, computer_id }, None)
            .map(drop)
    }

    /// Reports that the release is installed.
    ///
    /// # Errors
    /// The call failed.
    pub fn available(&self) -> Result<(), ClientError> {
        let (url, computer_id) = self.names();
        self.slap
            .call(&calls::AvailableSoftwareRelease { url, computer_id }, None)
            .map(drop)
    }

    /// Reports that the release is removed.
    ///
    /// # Errors
    /// The call failed.
    pub fn destroyed(&self) -> Result<(), ClientError> {
        let (url, computer_id) = self.names();
        self.slap
            .call(&calls::DestroyedSoftwareRelease { url, computer_id }, None)
            .map(drop)
    }

    /// Reports that the release cannot be installed.
    ///
    /// # Errors
    /// The call failed.
    pub fn error(&self, log: &str) -> Result<(), ClientError> {
        let (url, computer_id) = self.names();
        let error_log = Some(log.to_owned());
        self.slap
            .call(
                &calls::SoftwareReleaseError {
                    url,
                    computer_id,
                    error_log,
                },
                None,
            )
            .map(drop)
    }

    fn names(&self) -> (String, String) {
        (self.url.clone(), self.computer_id.clone())
    }
}
