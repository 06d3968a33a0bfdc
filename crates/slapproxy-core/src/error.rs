//! Why a call is not answered with success.

use slap_proto::authorization::MalformedAuthorization;
use slap_proto::calls::FormError;
use slap_proto::marshal::EncodeError;

use crate::caller::NotAllowed;
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
    /// 500: the database does not do what it should.
    #[error("the database failed")]
    Storage(#[from] StorageError),
    /// 500: what is stored cannot be written as a document.
    #[error("the answer cannot be written")]
    Encode(#[from] EncodeError),
}
