//! Why a call is not answered with success.

use slap_client::ClientError;
use slap_proto::authorization::MalformedAuthorization;
use slap_proto::calls::FormError;
use slap_proto::marshal::EncodeError;

use crate::caller::NotAllowed;
use crate::multimaster::RemoteError;
use crate::storage::StorageError;

/// Why a call is not answered with success.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MasterError {
    /// 404: there is no such computer, partition or slave, or no free partition.
    #[error("{0}")]
    NotFound(String),
    /// 403: the sender may not speak for whom it names.
    #[error("{0}")]
    NotAllowed(#[from] NotAllowed),
    /// 400: a field is missing or wrong.
    #[error("{0}")]
    Form(#[from] FormError),
    /// 400: the Authorization header is of our scheme and names no partition.
    #[error("{0}")]
    Authorization(#[from] MalformedAuthorization),
    /// 400: a field is well-formed and makes no sense.
    #[error("{0}")]
    BadRequest(String),
    /// 408: another master has taken the request, and the instance is not there yet.
    #[error("the master {0} is preparing the instance; ask again later")]
    NotReady(String),
    /// 523: another master is wanted and does not answer.
    #[error("the master {url} cannot be reached")]
    Unreachable {
        /// Its URL.
        url: String,
        /// Why.
        source: RemoteError,
    },
    /// 502: another master refuses the request, or cannot be asked.
    #[error("the master {url} did not take the request")]
    Remote {
        /// Its URL.
        url: String,
        /// Why.
        source: RemoteError,
    },
    /// 503: too many requests wait for the database already.
    #[error("too many requests wait for the database; try again later")]
    Overloaded,
    /// 503: the database is away, or overloaded. 500: it does not do what it should.
    #[error("the database failed")]
    Storage(#[from] StorageError),
    /// 500: what is stored cannot be written as a document.
    #[error("the answer cannot be written")]
    Encode(#[from] EncodeError),
}

impl MasterError {
    /// Of a request that was forwarded. What the other master says of it is handed on, and comes
    /// first: of what has come through several masters, the end is cut off.
    pub(crate) fn of_remote(url: &str, source: RemoteError) -> Self {
        let url = url.to_owned();
        match source {
            RemoteError::Call(ClientError::NotFound { message, .. }) => {
                Self::NotFound(format!("{message} (says the master {url})"))
            }
            RemoteError::Call(ClientError::BadRequest { message, .. }) => {
                Self::BadRequest(format!("{message} (says the master {url})"))
            }
            RemoteError::Call(ClientError::ResourceNotReady { .. }) => Self::NotReady(url),
            source if source.is_unreachable() => Self::Unreachable { url, source },
            source => Self::Remote { url, source },
        }
    }
}

/// What is wrong and why, in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
