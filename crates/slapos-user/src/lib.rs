//! What users of SlapOS and instances ask of a master on the command line: the tools slapos-request,
//! slapos-supply, slapos-remove, slapos-bang and slapos-instance. Each is a module with the function
//! `main` of its binary, and what others need to offer the same under another name. The commands
//! `slapos service` and `slapos computer` have no tools of their own.

pub mod bang;
pub mod computer;
mod document;
mod hateoas;
pub mod instance;
mod parameters;
mod release;
pub mod request;
mod schema;
pub mod service;
pub mod supply;

pub use hateoas::{Hateoas, HateoasError, rest_url};
pub use parameters::{DuplicateKey, KeyValue, ParameterError};
pub use release::{ReleaseError, newest_release};
pub use schema::{SchemaError, Serialisation};
