//! The marshal format: every structured value on the SLAP wire.

mod value;

pub use value::{Class, Dict, Object, Value};
