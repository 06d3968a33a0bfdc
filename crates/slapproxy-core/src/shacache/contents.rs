//! Files by their SHA-512.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha512};
use slapos_fs::{FileAttributes, NewFile, WriteError};

use super::Digest;

/// Largest file that is taken, in bytes.
pub(super) const LARGEST: u64 = 64 << 30;
/// How much is read and written at a time, in bytes.
const CHUNK: usize = 128 << 10;

/// Attributes of what the cache keeps: nothing of it is secret.
pub(super) const READABLE: FileAttributes = FileAttributes {
    mode: 0o644,
    owner: None,
};

/// The directory of files. The name of each is its digest.
#[derive(Debug)]
pub(crate) struct Contents {
    directory: PathBuf,
}

/// A file was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum UploadError {
    /// It did not come to its end.
    #[error("the upload broke off")]
    Receive(#[source] io::Error),
    /// It is larger than anything that is taken.
    #[error("the upload is larger than {LARGEST} bytes")]
    TooLarge,
    /// Its bytes have another digest than the one that was told.
    #[error("checksum mismatch: the SHA-512 of what came is {found}")]
    Mismatch {
        /// What they have.
        found: Digest,
    },
    /// It cannot be kept.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Contents {
    pub(super) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
        }
    }

    /// Where the file of that digest is, if it is there.
    pub(crate) fn path(&self, digest: &Digest) -> PathBuf {
        self.directory.join(digest.as_str())
    }

    /// Whether the file is there.
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        let metadata = fs::symlink_metadata(self.path(digest));
        metadata.is_ok_and(|metadata| metadata.is_file())
    }

    /// Keeps a file under the digest of what came, which must be the expected one if one is given.
    pub(crate) fn receive(
        &self,
        mut source: impl Read,
        expected: Option<&Digest>,
    ) -> Result<Digest, UploadError> {
        let mut file = NewFile::create_in(&self.directory, READABLE)?;
        let found = self.copy(&mut source, &mut file)?;
        if expected.is_some_and(|expected| *expected != found) {
            return Err(UploadError::Mismatch { found });
        }
        file.keep_as(found.as_str())?;
        Ok(found)
    }

    fn copy(&self, source: &mut impl Read, file: &mut NewFile) -> Result<Digest, UploadError> {
        let mut hash = Sha512::new();
        let mut chunk = vec![0; CHUNK];
        let mut total = 0;
        loop {
            let length = match source.read(&mut chunk) {
                Ok(0) => return Ok(Digest::of(&hash.finalize())),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(UploadError::Receive(error)),
            };
            total += length as u64;
            if total > LARGEST {
                return Err(UploadError::TooLarge);
            }
            let bytes = chunk.get(..length).unwrap_or_default();
            hash.update(bytes);
            file.write_all(bytes).map_err(|source| WriteError {
                path: self.directory.clone(),
                source,
            })?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-512 of "abc" (FIPS 180-4).
    const ABC: &str = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
        2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

    fn contents() -> (tempfile::TempDir, Contents) {
        let directory = tempfile::tempdir().unwrap();
        let contents = Contents::new(directory.path());
        (directory, contents)
    }

    fn count(contents: &Contents) -> usize {
        fs::read_dir(&contents.directory).unwrap().count()
    }

    #[test]
    fn a_file_is_kept_under_its_digest() {
        let (_directory, contents) = contents();
        let digest = contents.receive(&b"abc"[..], None).unwrap();
        assert_eq!(digest.as_str(), ABC);
        assert!(contents.has(&digest));
        assert_eq!(fs::read(contents.path(&digest)).unwrap(), b"abc");
        assert_eq!(
            contents.receive(&b"abc"[..], Some(&digest)).unwrap(),
            digest
        );
        assert_eq!(count(&contents), 1);
    }

    #[test]
    fn of_what_is_wrong_or_breaks_off_nothing_is_kept() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let (_directory, contents) = contents();
        let expected = Digest::parse(ABC).unwrap();
        let error = contents.receive(&b"abd"[..], Some(&expected)).unwrap_err();
        assert!(matches!(error, UploadError::Mismatch { .. }), "{error}");
        let error = contents.receive(b"ab".chain(Broken), None).unwrap_err();
        assert!(matches!(error, UploadError::Receive(_)), "{error}");
        assert_eq!(count(&contents), 0);
    }
}
