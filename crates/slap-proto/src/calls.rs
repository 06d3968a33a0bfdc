//! Every call of the protocol as a type: its fields, and how they become a form (`spec/protocol.md`).
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
