//! What users of SlapOS and instances ask of a master on the command line: the tools slapos-request,
//! slapos-supply, slapos-remove, slapos-bang and slapos-instance. Each is a module with the function
//! `main` of its binary, and what others need to offer the same under another name.

pub mod bang;
pub mod instance;
mod parameters;
mod release;
pub mod request;
mod schema;
pub mod supply;

pub use parameters::{DuplicateKey, KeyValue, ParameterError};
pub use release::NoRelease;
pub use schema::{SchemaError, Serialisation};
