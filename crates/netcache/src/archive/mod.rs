//! Archives of directories: tar, compressed with gzip as all versions of the node software read it, or
//! with zstd.

mod decode;
mod encode;
mod gzip;
mod links;
mod pack;
mod size;
mod tarball;
mod tree;
mod unpack;

use std::str::FromStr;

pub use pack::{PackError, Packed, pack};
pub(crate) use size::size_of;
pub(crate) use tarball::{Item, Kind, TarError, Tarball};
pub use unpack::{Limits, UNPACKED_MARK, UnpackError, unfinished, unpack};

/// How an archive is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Read by every version of the node software.
    #[default]
    Gzip,
    /// Smaller and faster; read by this software only.
    Zstd,
}

/// A name that is none of the formats.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of tar.gz, tar.zst")]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        match text {
            "tar.gz" => Ok(Self::Gzip),
            "tar.zst" => Ok(Self::Zstd),
            _ => Err(UnknownFormat(text.to_owned())),
        }
    }
}
