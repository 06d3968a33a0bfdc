//! Software releases in the cache.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use slapos_fs::Owner;

use crate::archive::{Limits, PackError, Packed, UnpackError, pack, size_of, unpack};
use crate::client::{Client, ClientError, Patience};
use crate::digest::Digest;
use crate::entry::{Entry, ReleaseKey};
use crate::platform::Platform;
use crate::private_key::PrivateKeyError;
use crate::settings::{Servers, Settings};
use crate::{Cancelled, chain};

/// What a release may always grow to, however small its archive is, in bytes.
const SMALL: u64 = 64 << 20;
/// Most files and directories that a release may have.
const MOST_FILES: u64 = 500_000;
/// Right in a release: it is not whole without others, and not uploaded.
const SHARED_MARK: &str = ".shared";

/// Where a release lies, or shall.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Its directory.
    pub directory: &'a Path,
    /// Bytes that may be used there.
    pub space: u64,
    /// Whose it shall be; `None` leaves it to the process, as always without root.
    pub owner: Option<Owner>,
}

/// A release cannot be had from the cache.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// A request failed.
    #[error("the binary cache cannot be used")]
    Client(#[from] ClientError),
    /// There is nothing of it.
    #[error("the binary cache does not have the release")]
    Missing,
    /// There is something, but for others or from others.
    #[error(
        "the binary cache has no archive of the release for this node (entries: {entries}; the newest: {reason})"
    )]
    NoneFits {
        /// How many entries there are.
        entries: usize,
        /// What is wrong with the first one.
        reason: String,
    },
    /// A temporary file cannot be made.
    #[error("cannot make a temporary file beside {path}")]
    Temporary {
        /// Where the release shall lie.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The archive cannot be unpacked.
    #[error("the archive {digest} of the binary cache cannot be used")]
    Unpack {
        /// Of the archive.
        digest: Digest,
        /// Why.
        source: UnpackError,
    },
}

impl FetchError {
    /// Whether it was told to stop.
    pub fn is_cancelled(&self) -> bool {
        match self {
            Self::Client(error) => matches!(error, ClientError::Cancelled),
            Self::Unpack { source, .. } => matches!(source, UnpackError::Cancelled),
            _ => false,
        }
    }
}

/// A release cannot be made ready for others.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// Parts of it lie elsewhere.
    #[error("it is not whole without shared parts")]
    NotWhole,
    /// Its size cannot be told.
    #[error("cannot read {path}")]
    Read {
        /// Where it lies.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no space for its archive.
    #[error("an archive may need {needed} bytes, and {space} may be used")]
    Space {
        /// The size of the release, in bytes.
        needed: u64,
        /// What may be used, in bytes.
        space: u64,
    },
    /// It cannot be archived.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The entry cannot be signed.
    #[error(transparent)]
    Sign(#[from] PrivateKeyError),
}

/// A release cannot be put into the cache.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// It cannot be archived or signed.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// A request failed.
    #[error("the binary cache cannot be used")]
    Client(#[from] ClientError),
}

/// What became of putting a release into the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// It is there now.
    Uploaded(Digest),
    /// The cache had the same archive: only the entry is new.
    Indexed(Digest),
}

/// Entries of a key, the newest first; of a key that nobody has given any, none.
///
/// # Errors
/// The directory cannot be asked.
pub(crate) fn look_up(
    servers: &Servers,
    key: &str,
    patience: Patience,
    cancelled: Cancelled<'_>,
) -> Result<Vec<Option<Entry>>, ClientError> {
    let directory = Client::new(&servers.directory, patience)?;
    Ok(directory.entries(key, cancelled)?.unwrap_or_default())
}

/// Installs a release from the cache, where nothing may be yet. Of several archives that fit, the newest
/// that can be used is taken.
///
/// # Errors
/// There is none, or none can be used. Nothing is left of it.
pub fn fetch(
    servers: &Servers,
    settings: &Settings,
    release: &ReleaseKey<'_>,
    place: &Place<'_>,
    cancelled: Cancelled<'_>,
) -> Result<Digest, FetchError> {
    let patience = Patience::default();
    let entries = look_up(servers, release.name, patience.clone(), cancelled)?;
    let candidates = candidates(&entries, settings, release)?;
    let cache = Client::new(&servers.cache, patience)?;
    let mut failed = FetchError::Missing;
    for digest in candidates {
        match install(&cache, &digest, settings, place, cancelled) {
            Ok(()) => return Ok(digest),
            Err(error) if error.is_cancelled() => return Err(error),
            Err(error) => {
                log::warn!("{}", chain(&error));
                failed = error;
            }
        }
    }
    Err(failed)
}

/// The archives that fit, each once.
fn candidates(
    entries: &[Option<Entry>],
    settings: &Settings,
    release: &ReleaseKey<'_>,
) -> Result<Vec<Digest>, FetchError> {
    let platform = Platform::detect();
    let (mut found, mut rejected) = (Vec::new(), None);
    for entry in entries {
        let selected = match entry {
            Some(entry) => entry.select(&settings.trust, &platform, release),
            None => Err(crate::Unusable::Pair),
        };
        match selected {
            Ok((digest, _)) if !found.contains(&digest) => found.push(digest),
            Ok(_) => {}
            Err(reason) => {
                log::info!("an entry of {} in the binary cache: {reason}", release.url);
                rejected.get_or_insert(reason);
            }
        }
    }
    match rejected {
        Some(reason) if found.is_empty() => Err(FetchError::NoneFits {
            entries: entries.len(),
            reason: reason.to_string(),
        }),
        _ => Ok(found),
    }
}

/// Nothing of an archive is looked at before all of it has come and is known to be the right one.
fn install(
    cache: &Client,
    digest: &Digest,
    settings: &Settings,
    place: &Place<'_>,
    cancelled: Cancelled<'_>,
) -> Result<(), FetchError> {
    let file = temporary_beside(place.directory);
    let mut file = file.map_err(|source| FetchError::Temporary {
        path: place.directory.to_owned(),
        source,
    })?;
    let length = cache.download(digest, &mut file, place.space, cancelled)?;
    unpack_file(file, length, settings.expansion, place, cancelled).map_err(|source| {
        FetchError::Unpack {
            digest: digest.clone(),
            source,
        }
    })
}

/// A file without a name, where an archive of a directory may lie.
pub(crate) fn temporary_beside(directory: &Path) -> io::Result<File> {
    tempfile::tempfile_in(directory.parent().unwrap_or(Path::new("/")))
}

/// Unpacks a downloaded archive of so many bytes.
pub(crate) fn unpack_file(
    file: File,
    length: u64,
    expansion: u64,
    place: &Place<'_>,
    cancelled: Cancelled<'_>,
) -> Result<(), UnpackError> {
    let bytes = length.saturating_mul(expansion).max(SMALL);
    let limits = Limits {
        bytes: bytes.min(place.space.saturating_sub(length)),
        entries: MOST_FILES,
    };
    unpack(file, place.directory, limits, place.owner, cancelled)
}

/// An archive, and what it is, signed.
pub(crate) struct Prepared {
    pub(crate) packed: Packed,
    pub(crate) entry: Entry,
}

/// Archives an installed release, and signs what the archive is.
pub(crate) fn prepare(
    settings: &Settings,
    release: &ReleaseKey<'_>,
    place: &Place<'_>,
    cancelled: Cancelled<'_>,
) -> Result<Prepared, PrepareError> {
    if place.directory.join(SHARED_MARK).exists() {
        return Err(PrepareError::NotWhole);
    }
    let needed = size_of(place.directory).map_err(|source| PrepareError::Read {
        path: place.directory.to_owned(),
        source,
    })?;
    let space = place.space;
    if needed > space {
        return Err(PrepareError::Space { needed, space });
    }
    let packed = pack(place.directory, settings.format, cancelled)?;
    let platform = Platform::detect();
    let entry = Entry::of_release(&packed.digest, &platform, release, &settings.signer)?;
    Ok(Prepared { packed, entry })
}

/// Puts an installed release into the cache, signed.
///
/// # Errors
/// It cannot be archived or uploaded.
pub fn publish(
    servers: &Servers,
    settings: &Settings,
    release: &ReleaseKey<'_>,
    place: &Place<'_>,
    cancelled: Cancelled<'_>,
) -> Result<Published, PublishError> {
    let cache = Client::new(&servers.cache, Patience::default())?;
    let directory = Client::new(&servers.directory, Patience::default())?;
    let Prepared { packed, entry } = prepare(settings, release, place, cancelled)?;
    let sent = cache.upload(&packed.digest, &packed.file, cancelled)?;
    directory.add_entry(release.name, &entry, cancelled)?;
    Ok(if sent {
        Published::Uploaded(packed.digest)
    } else {
        Published::Indexed(packed.digest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Server;

    #[test]
    fn what_there_is_no_space_for_is_not_archived() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("release");
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(directory.join("file"), [0; 5000]).unwrap();
        let nowhere = Server {
            url: "http://127.0.0.1:1".to_owned(),
            ca_file: None,
            certificate: None,
            key: None,
        };
        let servers = Servers {
            cache: nowhere.clone(),
            directory: nowhere,
        };
        let release = ReleaseKey {
            url: "http://x/",
            name: "release",
            software_root: "/",
        };
        let place = Place {
            directory: &directory,
            space: 5000,
            owner: None,
        };
        let published = publish(&servers, &Settings::default(), &release, &place, &|| false);
        match published {
            Err(PublishError::Prepare(PrepareError::Space {
                needed,
                space: 5000,
            })) => {
                assert!(needed > 5000);
            }
            other => panic!("{other:?}"),
        }
    }
}
