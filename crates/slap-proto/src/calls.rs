//! Every call of the protocol as a type: its fields, and how they become a form.
//!
//! A client writes [`Call::to_fields`], a master reads [`Call::from_fields`]. The answer of each
//! call is told in its documentation; types of answers are in [`crate::documents`].

mod fields;
mod instance;
mod simple;

pub use fields::{FieldProblem, Fields, FormError, LONGEST_NAME, LONGEST_TEXT};
pub use instance::{
    LoadComputerConfigurationFromXml, RequestComputerPartition, SetComputerPartitionConnectionXml,
    SupplySupply, UpdateComputerPartitionRelatedInstanceList,
};
pub use simple::*;

use crate::marshal::EncodeError;

/// What the answer to [`DestroyedComputerPartition`] begins with where the partition stays as it
/// is, because its instance has children that must go first; it goes on with their names.
pub const DESTRUCTION_DELAYED: &str = "Not destroy";

/// How a call is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// The fields are the query of the URL.
    Get,
    /// The fields are the body, `application/x-www-form-urlencoded`.
    Post,
}

/// A call of the protocol.
///
/// ```
/// use slap_proto::calls::{Call, ComputerBang, Fields, FormError};
///
/// let call = ComputerBang { computer_id: "COMP-1".to_owned(), message: None };
/// assert_eq!(ComputerBang::ENDPOINT, "computerBang");
/// assert_eq!(call.to_fields()?.to_urlencoded(), "computer_id=COMP-1");
///
/// let error = ComputerBang::from_fields(&Fields::default()).unwrap_err();
/// assert_eq!(error.to_string(), "field computer_id: missing");
/// # Ok::<(), slap_proto::marshal::EncodeError>(())
/// ```
pub trait Call: Sized {
    /// How it is sent.
    const METHOD: Method;
    /// Its path below the master's URL, without a slash.
    const ENDPOINT: &'static str;

    /// The fields, in the order in which the peer sends them.
    ///
    /// # Errors
    /// A value cannot be written as a marshal document.
    fn to_fields(&self) -> Result<Fields, EncodeError>;

    /// The call from the fields of a request. Fields that the call does not know are ignored.
    ///
    /// # Errors
    /// A field is missing or cannot be read; the error names it.
    fn from_fields(fields: &Fields) -> Result<Self, FormError>;
}
