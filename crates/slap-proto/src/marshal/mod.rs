//! The marshal format: every structured value on the SLAP wire.
//!
//! It is that of the Python package xml_marshaller: values of Python in an XML document.
//! [`encode`] writes a [`Value`] byte for byte as the peer does; [`decode`] reads what any
//! generation of it writes. Documents come from the network, so the reader is bounded: see
//! [`MAX_DEPTH`] and [`MAX_REPEATED`].
//!
//! ```
//! use slap_proto::marshal::{Problem, Value, decode, encode};
//!
//! let value = Value::list(vec![Value::None, 1.into(), "a < b".into()]);
//! let document = encode(&value)?;
//! assert_eq!(
//!     document,
//!     "<marshal><list id=\"i2\"><none/><int>1</int><string>a &amp;lt; b</string></list></marshal>"
//! );
//! assert_eq!(decode(document.as_bytes())?, value);
//!
//! let error = decode(b"<marshal><int>one</int></marshal>").unwrap_err();
//! assert!(matches!(error.problem, Problem::BadNumber("int", _)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod charset;
mod data_model;
mod decode;
mod encode;
mod layout;
mod number;
mod text;
mod value;

#[cfg(feature = "usage")]
pub(crate) use charset::to_text;
pub use decode::{DecodeError, Problem, decode};
pub(crate) use decode::{decode_within, resolve_reference};
pub use encode::{EncodeError, encode, encode_without_references, is_forbidden};
pub(crate) use encode::{encode_part, encode_with_list};
pub(crate) use layout::{Layout, Part};
pub use value::{Class, Dict, Object, Value};

/// How deep values may be nested, in either direction, by references too. Documents of the protocol
/// need less than ten levels.
pub const MAX_DEPTH: usize = 200;

/// How much the references of a document may repeat, in values and bytes of text. Without this
/// bound, a document of a kilobyte could take for ever to walk through, and all memory to write.
pub const MAX_REPEATED: usize = 16 << 20;
