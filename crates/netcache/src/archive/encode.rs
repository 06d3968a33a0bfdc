//! Compressing while writing, and telling the digest of what was written.

use std::fs::File;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::thread;

use zstd::zstd_safe::CParameter;

use super::Format;
use super::gzip::ParallelGzip;
use crate::digest::{Digest, Hasher};

/// Of zstd: about the time of gzip by the same threads, at a smaller size.
const ZSTD_LEVEL: i32 = 6;

/// Bytes that a thread compresses at a time: by default there are more of them, and too much memory.
const ZSTD_JOB: u32 = 2 << 20;

/// Compresses to a file.
pub(super) enum Encoder {
    Gzip(ParallelGzip<Hashed>),
    Zstd(Box<zstd::Encoder<'static, Hashed>>),
}

/// A file that knows what was written to it.
pub(super) struct Hashed {
    file: File,
    hasher: Hasher,
    length: u64,
}

impl Encoder {
    pub(super) fn new(file: File, format: Format) -> io::Result<Self> {
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let hashed = Hashed {
            file,
            hasher: Hasher::default(),
            length: 0,
        };
        Ok(match format {
            Format::Gzip => Self::Gzip(ParallelGzip::new(hashed, threads)),
            Format::Zstd => {
                let mut encoder = zstd::Encoder::new(hashed, ZSTD_LEVEL)?;
                encoder.include_checksum(true)?;
                // Any number but none makes the same bytes.
                encoder.multithread(u32::try_from(threads).unwrap_or(1))?;
                encoder.set_parameter(CParameter::JobSize(ZSTD_JOB))?;
                Self::Zstd(Box::new(encoder))
            }
        })
    }

    /// Ends the archive: the file, its digest and its length in bytes.
    pub(super) fn finish(self) -> io::Result<(File, Digest, u64)> {
        let Hashed {
            file,
            hasher,
            length,
        } = match self {
            Self::Gzip(gzip) => gzip.finish()?,
            Self::Zstd(zstd) => zstd.finish()?,
        };
        Ok((file, hasher.finish(), length))
    }
}

impl Write for Encoder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(gzip) => gzip.write(bytes),
            Self::Zstd(zstd) => zstd.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.write_all(&bytes[..written])?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
