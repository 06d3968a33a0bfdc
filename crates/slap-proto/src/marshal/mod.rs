//! The marshal format: every structured value on the SLAP wire (`spec/marshal.md`).
//!
//! [`encode`] writes a [`Value`] byte for byte as the peer does; [`decode`] reads what any
//! generation of it writes. Documents come from the network, so the reader is bounded: see
//! [`MAX_DEPTH`] and [`MAX_REPEATED`].

mod charset;
mod data_model;
mod decode;
mod encode;
mod layout;
mod number;
mod text;
mod value;

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
