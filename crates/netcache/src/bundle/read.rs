//! Reading a bundle, of which nothing is believed but what a trusted key has signed.

use std::io::{self, Read, Seek, Write};
use std::path::Path;

use super::{ARCHIVES, ENTRIES, HEAD, VERSION};
use crate::Cancelled;
use crate::archive::{Item, Kind, TarError, Tarball, UnpackError};
use crate::digest::{Digest, Hasher};
use crate::entry::{Entry, InvalidList, ReleaseKey, Unusable, parse_list};
use crate::interruptible::{Interruptible, is_interruption};
use crate::lookup::is_key;
use crate::platform::Platform;
use crate::release::{Place, temporary_beside, unpack_file};
use crate::settings::Settings;

/// Longest list of entries that is read, in bytes.
const LONGEST_LIST: u64 = 1 << 20;
/// Bytes that are copied at once.
const BUFFER: usize = 128 << 10;

/// A bundle is damaged, or none. What was installed from it before is whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// It is not well-formed.
    #[error("the bundle is not well-formed")]
    Tar(#[source] TarError),
    /// It was to stop.
    #[error("interrupted")]
    Cancelled,
    /// It begins with something else.
    #[error("this is no bundle of software releases")]
    NoBundle,
    /// It is of another version of the format.
    #[error("the bundle is of a version that is not known")]
    Version,
    /// Its files are not those that belong there.
    #[error("{} does not belong into a bundle, or not there", .0.escape_debug())]
    Unexpected(String),
    /// What should be a list of entries is none.
    #[error("the entries of {key} are no list")]
    List {
        /// The MD5 of the release's URL.
        key: String,
        /// Why.
        source: InvalidList,
    },
}

/// A release of a bundle cannot be installed. Nothing is left of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The bundle cannot be read any further.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// No entry can be used.
    #[error("the bundle's entries of the release cannot be used")]
    Unusable(#[source] Unusable),
    /// The archive is another one than the entry says.
    #[error("the archive in the bundle has another SHA-512 than its entry says")]
    OtherFile,
    /// It needs more space than there is.
    #[error("the archive has {needed} bytes, and {space} may be used")]
    Space {
        /// Of the archive, in bytes.
        needed: u64,
        /// What may be used, in bytes.
        space: u64,
    },
    /// A temporary file cannot be made or written.
    #[error("cannot write a temporary file")]
    Temporary(#[source] io::Error),
    /// The archive cannot be unpacked.
    #[error("the archive {digest} of the bundle cannot be used")]
    Unpack {
        /// Of the archive.
        digest: Digest,
        /// Why.
        source: UnpackError,
    },
}

/// What a bundle has of a release. Nothing of it is verified yet.
#[derive(Debug)]
pub struct Offer {
    key: String,
    entries: Vec<Option<Entry>>,
}

/// What a trusted key says of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    url: String,
    digest: Digest,
}

impl Verified {
    /// The URL of the release.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The digest of its archive.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

impl Offer {
    /// The MD5 of the release's URL, in hexadecimal: the name of its directory.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The first entry that is trusted and fits.
    ///
    /// # Errors
    /// There is none; what is wrong with the first one.
    pub fn verify(
        &self,
        settings: &Settings,
        software_root: &str,
    ) -> Result<Verified, ImportError> {
        let platform = Platform::detect();
        let mut rejected = None;
        for entry in &self.entries {
            match self.verify_entry(entry.as_ref(), settings, &platform, software_root) {
                Ok(verified) => return Ok(verified),
                Err(reason) => drop(rejected.get_or_insert(reason)),
            }
        }
        Err(ImportError::Unusable(rejected.unwrap_or(Unusable::Pair)))
    }

    fn verify_entry(
        &self,
        entry: Option<&Entry>,
        settings: &Settings,
        platform: &Platform,
        software_root: &str,
    ) -> Result<Verified, Unusable> {
        let entry = entry.ok_or(Unusable::Pair)?;
        let (description, _) = entry.verify(&settings.trust)?;
        description.check_key(&self.key)?;
        let url = description.text("software_url").unwrap_or_default();
        let release = ReleaseKey {
            url,
            name: &self.key,
            software_root,
        };
        let (digest, _) = entry.select(&settings.trust, platform, &release)?;
        let url = url.to_owned();
        Ok(Verified { url, digest })
    }
}

/// A bundle that is read from its beginning.
pub struct BundleReader<'a, R> {
    tarball: Tarball<Interruptible<'a, R>>,
    cancelled: Cancelled<'a>,
}

impl<'a, R: Read> BundleReader<'a, R> {
    /// Reads the beginning.
    ///
    /// # Errors
    /// It is no bundle, or one of another version.
    pub fn open(bundle: R, cancelled: Cancelled<'a>) -> Result<Self, BundleError> {
        let mut reader = Self {
            tarball: Tarball::new(Interruptible {
                reader: bundle,
                cancelled,
            }),
            cancelled,
        };
        let head = reader.tarball.next().map_err(|error| match error {
            error @ TarError::Read(_) => damaged(error),
            _ => BundleError::NoBundle,
        })?;
        let head = head.ok_or(BundleError::NoBundle)?;
        match (head.path == Path::new(HEAD), head.kind) {
            (true, Kind::File(length)) if length == VERSION.len() as u64 => {}
            (true, _) => return Err(BundleError::Version),
            (false, _) => return Err(BundleError::NoBundle),
        }
        match reader.contents(VERSION.len())? == VERSION {
            true => Ok(reader),
            false => Err(BundleError::Version),
        }
    }

    /// The next release; `None` at the end. The archive of the one before is passed over if it was not
    /// installed.
    ///
    /// # Errors
    /// The bundle is damaged.
    pub fn next_release(&mut self) -> Result<Option<Offer>, BundleError> {
        loop {
            let Some(item) = self.tarball.next().map_err(damaged)? else {
                return Ok(None);
            };
            match place_of(&item) {
                Some((ENTRIES, key, length)) if is_key(key) && length <= LONGEST_LIST => {
                    let key = key.to_owned();
                    let json = self.contents(usize::try_from(length).unwrap_or(0))?;
                    return match parse_list(&json) {
                        Ok(entries) => Ok(Some(Offer { key, entries })),
                        Err(source) => Err(BundleError::List { key, source }),
                    };
                }
                Some((ARCHIVES, name, _)) if Digest::parse(name).is_some() => {}
                _ => return Err(unexpected(&item)),
            }
        }
    }

    /// Installs what [`BundleReader::next_release`] has offered, where nothing may be yet. Its archive comes next.
    ///
    /// # Errors
    /// The archive is another one, damaged, or cannot be unpacked.
    pub fn install(
        &mut self,
        verified: &Verified,
        settings: &Settings,
        place: &Place<'_>,
    ) -> Result<(), ImportError> {
        let item = self.tarball.next().map_err(damaged)?;
        let item = item.ok_or_else(|| BundleError::Unexpected("the end".to_owned()))?;
        let (name, length) = match place_of(&item) {
            Some((ARCHIVES, name, length)) => (name, length),
            _ => return Err(unexpected(&item).into()),
        };
        let digest = &verified.digest;
        if Digest::parse(name).as_ref() != Some(digest) {
            return Err(ImportError::OtherFile);
        }
        if length > place.space {
            let (needed, space) = (length, place.space);
            return Err(ImportError::Space { needed, space });
        }
        let mut file = temporary_beside(place.directory).map_err(ImportError::Temporary)?;
        if self.copy(&mut file)? != *digest {
            return Err(ImportError::OtherFile);
        }
        file.rewind().map_err(ImportError::Temporary)?;
        let unpacked = unpack_file(file, length, settings.expansion, place, self.cancelled);
        unpacked.map_err(|source| ImportError::Unpack {
            digest: digest.clone(),
            source,
        })
    }

    /// Copies the rest of a file, and tells its digest.
    fn copy(&mut self, file: &mut impl Write) -> Result<Digest, ImportError> {
        let mut hasher = Hasher::default();
        let mut buffer = vec![0; BUFFER];
        loop {
            match self.tarball.read(&mut buffer).map_err(damaged)? {
                0 => return Ok(hasher.finish()),
                read => hasher
                    .write_all(&buffer[..read])
                    .and_then(|()| file.write_all(&buffer[..read]))
                    .map_err(ImportError::Temporary)?,
            }
        }
    }

    fn contents(&mut self, length: usize) -> Result<Vec<u8>, BundleError> {
        let mut contents = vec![0; length];
        self.tarball.read(&mut contents).map_err(damaged)?;
        Ok(contents)
    }
}

/// The directory, name and length of a file; `None` if it is none, or lies elsewhere.
fn place_of(item: &Item) -> Option<(&str, &str, u64)> {
    let Kind::File(length) = item.kind else {
        return None;
    };
    let (directory, name) = item.path.to_str()?.split_once('/')?;
    Some((directory, name, length))
}

fn damaged(error: TarError) -> BundleError {
    match error {
        TarError::Read(error) if is_interruption(&error) => BundleError::Cancelled,
        error => BundleError::Tar(error),
    }
}

fn unexpected(item: &Item) -> BundleError {
    BundleError::Unexpected(item.path.to_string_lossy().into_owned())
}
