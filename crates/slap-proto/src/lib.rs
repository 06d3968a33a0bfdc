//! Wire types of the SLAP protocol, which nodes and users of SlapOS speak with their master. No I/O.
//!
//! A [call](calls) is a form, sent by GET or POST to the master's URL with the call's name appended.
//! Its answer is a text, or a [document](documents): a [value](marshal::Value) of Python's in XML,
//! the [marshal] format. Connection parameters travel as [instance XML](instance_xml), and a call
//! for an instance has a [header](authorization) that names its partition. What instances consume
//! is told in usage reports, which are read and written with the feature `usage`.
//!
//! Whoever has an HTTP client or server of any kind has everything else here:
//!
//! ```
//! use slap_proto::calls::{Call, Fields, GetFullComputerInformation, Method};
//! use slap_proto::documents::{Computer, ComputerPartition};
//!
//! // A client says what it wants,
//! let call = GetFullComputerInformation { computer_id: "COMP-1".to_owned() };
//! assert_eq!(GetFullComputerInformation::METHOD, Method::Get);
//! let (name, form) = (GetFullComputerInformation::ENDPOINT, call.to_fields()?.to_urlencoded());
//! assert_eq!(format!("{name}?{form}"), "getFullComputerInformation?computer_id=COMP-1");
//!
//! // a master understands it, and answers,
//! let call = GetFullComputerInformation::from_fields(&Fields::from_urlencoded(form.as_bytes())?)?;
//! let answer = Computer { computer_id: call.computer_id, ..Computer::default() };
//! let body = answer.to_document()?;
//!
//! // and the client reads the answer.
//! assert_eq!(Computer::from_document(body.as_bytes())?, answer);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Documents are written byte for byte as slapos.core 1.26 writes them; those of 0.27 are read, too.
//! All that is read is taken for hostile: sizes, depths and names are bounded, and what is refused
//! is an error with its place. The crate `slap-client` is a blocking client made of these types.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod authorization;
pub mod calls;
pub mod documents;
pub mod instance_xml;
pub mod marshal;
#[cfg(feature = "usage")]
pub mod usage;
