//! Wire types of the SLAP protocol of SlapOS: marshal documents, forms, instance XML, usage reports.
//! No I/O.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod authorization;
pub mod calls;
pub mod documents;
pub mod instance_xml;
pub mod marshal;
pub mod usage;
