//! The other masters that requests may be forwarded to.

use std::sync::OnceLock;
use std::time::Duration;

use slap_client::proto::documents::SoftwareInstance;
use slap_client::{ClientError, Connection, InstanceRequest, OpenError, Slap, UrlError};

use crate::settings::MultimasterSettings;

/// How long a call may take. Clients wait 60 seconds for us, and shall hear what is wrong.
const TIMEOUT: Duration = Duration::from_secs(50);
/// How long to wait for the run id of a master that may be ourselves.
const RUN_ID_TIMEOUT: Duration = Duration::from_secs(5);
/// As whom we ask.
const USER_AGENT: &str = concat!("slapproxy/", env!("CARGO_PKG_VERSION"));

/// The configured masters, in the order of the file.
#[derive(Debug)]
pub(crate) struct Remotes(Vec<Remote>);

/// Another master.
#[derive(Debug)]
pub(crate) struct Remote {
    settings: MultimasterSettings,
    slap: OnceLock<Slap>,
}

/// Another master cannot be asked, or does not do what it is asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The section's URL is none.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// Its certificates cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A call failed.
    #[error(transparent)]
    Call(#[from] ClientError),
}

impl RemoteError {
    /// Whether the master could not be reached at all.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Call(error) if error.is_unreachable())
    }
}

impl Remotes {
    pub(crate) fn new(settings: &[MultimasterSettings]) -> Self {
        let remote = |settings: &MultimasterSettings| Remote {
            settings: settings.clone(),
            slap: OnceLock::new(),
        };
        Self(settings.iter().map(remote).collect())
    }

    /// The master of a URL, written with or without a slash at its end.
    pub(crate) fn of_url(&self, url: &str) -> Option<&Remote> {
        let mut remotes = self.0.iter();
        remotes.find(|remote| bare(&remote.settings.url) == bare(url))
    }

    /// The first master that shall host instances of a release.
    pub(crate) fn of_release(&self, release: &str) -> Option<&Remote> {
        let lists = |remote: &&Remote| {
            let mut releases = remote.settings.software_releases.iter();
            releases.any(|listed| listed == release)
        };
        self.0.iter().find(lists)
    }
}

impl Remote {
    /// Its URL, as it is configured.
    pub(crate) fn url(&self) -> &str {
        &self.settings.url
    }

    /// Its URL for messages, without a user and password.
    pub(crate) fn shown_url(&self) -> &str {
        self.slap().map_or("another master", Slap::master_url)
    }

    /// Whether it knows us as one of its users, not as one of its partitions.
    pub(crate) fn sees_a_user(&self) -> bool {
        self.settings.requester.is_none()
    }

    /// The random text by which it recognises itself.
    pub(crate) fn run_id(&self) -> Result<String, RemoteError> {
        Ok(self.slap()?.run_id()?)
    }

    /// Requests an instance there.
    pub(crate) fn request(
        &self,
        request: &InstanceRequest,
    ) -> Result<SoftwareInstance, RemoteError> {
        let slap = self.slap()?;
        let instance = match self.settings.requester.clone() {
            None => slap.register_open_order().request(request)?,
            Some(requester) => slap
                .register_computer_partition(requester.computer_id, requester.partition_id)
                .request(request)?,
        };
        Ok(instance)
    }

    /// The connection. Certificates that cannot be read now may be there at the next request.
    fn slap(&self) -> Result<&Slap, RemoteError> {
        if let Some(slap) = self.slap.get() {
            return Ok(slap);
        }
        let settings = &self.settings;
        let mut connection = Connection::to(&settings.url)?
            .user_agent(USER_AGENT)
            .timeout(TIMEOUT);
        if let Some((certificate, key)) = &settings.client_certificate {
            connection = connection.client_certificate(certificate, key);
        }
        if let Some(path) = &settings.ca_file {
            connection = connection.master_ca_file(path);
        }
        let slap = connection.open()?;
        Ok(self.slap.get_or_init(|| slap))
    }
}

/// The run id of a master that is not configured; asked without any certificate of ours.
pub(crate) fn foreign_run_id(url: &str) -> Result<String, RemoteError> {
    let connection = Connection::to(url)?.user_agent(USER_AGENT);
    Ok(connection.timeout(RUN_ID_TIMEOUT).open()?.run_id()?)
}

/// Without what makes no difference at the end.
pub(crate) fn bare(url: &str) -> &str {
    url.trim().trim_end_matches('/')
}
