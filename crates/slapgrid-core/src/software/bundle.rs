//! Releases to and from a file, for nodes without network.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use netcache::{BundleReader, BundleWriter, ExportError, ImportError, Offer, ReleaseKey};
use slapos_fs::{FileAttributes, NewFile, WriteError};

use super::cache::place;
use crate::layout::{ReleaseLayout, release_name};
use crate::outcome::{Failure, Severity};
use crate::process::{Account, AccountError, Interruption};
use crate::settings::Settings;

/// A bundle that everybody may read: what is in it is no secret.
const READABLE: FileAttributes = FileAttributes {
    mode: 0o644,
    owner: None,
};
/// Bytes of a bundle that are read at once.
const BUFFER: usize = 1 << 20;

/// A release cannot be exported or imported.
#[derive(Debug, thiserror::Error)]
enum ReleaseError {
    #[error("cannot export the release")]
    Export(#[from] ExportError),
    #[error("cannot import the release")]
    Import(#[from] ImportError),
    #[error(
        "cannot import the release: its directory exists already, not completed, and is not replaced"
    )]
    Exists,
    #[error(transparent)]
    Account(#[from] AccountError),
}

/// The file of a bundle cannot be used.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("{path} cannot name a file")]
    Name { path: PathBuf },
    #[error("no release of the master is installed here")]
    Nothing,
    #[error("{subject}")]
    Release {
        /// The URL of the release, or its MD5 if that is all that is known.
        subject: String,
        source: ReleaseError,
    },
    #[error("cannot export")]
    Export(#[from] ExportError),
    #[error("cannot import {path}")]
    Import {
        path: PathBuf,
        source: netcache::BundleError,
    },
}

/// The bundles of a node.
pub(crate) struct Bundles<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) interruption: &'a Interruption,
}

impl Bundles<'_> {
    /// Writes the releases of these URLs; unless all of them are in it, the file stays as it was.
    /// Returns what failed.
    pub(crate) fn write(&self, path: &Path, urls: &[String]) -> Option<Failure> {
        self.write_all(path, urls)
            .err()
            .map(|error| self.fail(&error))
    }

    fn write_all(&self, path: &Path, urls: &[String]) -> Result<(), FileError> {
        let directory = path.parent().filter(|one| !one.as_os_str().is_empty());
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| FileError::Name {
            path: path.to_owned(),
        })?;
        if urls.is_empty() {
            return Err(FileError::Nothing);
        }
        let file = NewFile::create_in(directory.unwrap_or(Path::new(".")), READABLE)?;
        let mut bundle = BundleWriter::new(file, &self.settings.software.cache)?;
        for url in urls {
            self.add(&mut bundle, url)
                .map_err(|source| FileError::Release {
                    subject: url.clone(),
                    source,
                })?;
        }
        Ok(bundle.finish()?.keep_as(name)?)
    }

    fn add(&self, bundle: &mut BundleWriter<'_, NewFile>, url: &str) -> Result<(), ReleaseError> {
        let layout = ReleaseLayout::new(&self.settings.software_root, url);
        let account = Account::owner_of(&self.settings.software_root)?;
        let (name, root) = (release_name(url), self.root());
        let release = ReleaseKey {
            url,
            name: &name,
            software_root: &root,
        };
        let place = place(self.settings, &layout, &account);
        let digest = bundle.add(&release, &place, &|| self.interruption.is_requested())?;
        log::info!(target: &name, "exported {url}, archive {digest}");
        Ok(())
    }

    /// Installs what is for this node and not installed. Returns what failed.
    pub(crate) fn read(&self, path: &Path) -> Vec<Failure> {
        let mut failures = Vec::new();
        if let Err(error) = self.read_all(path, &mut failures) {
            failures.push(self.fail(&error));
        }
        failures
    }

    /// No failure of one release stops the others.
    fn read_all(&self, path: &Path, failures: &mut Vec<Failure>) -> Result<(), FileError> {
        let file = File::open(path).map_err(|source| FileError::Read {
            path: path.to_owned(),
            source,
        })?;
        let damaged = |source| FileError::Import {
            path: path.to_owned(),
            source,
        };
        let file = BufReader::with_capacity(BUFFER, file);
        let cancelled = || self.interruption.is_requested();
        let mut bundle = BundleReader::open(file, &cancelled).map_err(damaged)?;
        while !cancelled()
            && let Some(offer) = bundle.next_release().map_err(damaged)?
        {
            let mut subject = offer.key().to_owned();
            match self.take(&mut bundle, &offer, &mut subject) {
                Ok(()) => {}
                // The rest of the file cannot be read either.
                Err(ReleaseError::Import(ImportError::Bundle(error))) => {
                    return Err(damaged(error));
                }
                Err(source) => failures.push(self.fail(&FileError::Release { subject, source })),
            }
        }
        Ok(())
    }

    /// Installs a release; `subject` becomes its URL once that is known for sure.
    fn take(
        &self,
        bundle: &mut BundleReader<'_, BufReader<File>>,
        offer: &Offer,
        subject: &mut String,
    ) -> Result<(), ReleaseError> {
        let cache = &self.settings.software.cache;
        let verified = offer.verify(cache, &self.root())?;
        verified.url().clone_into(subject);
        let layout = ReleaseLayout::new(&self.settings.software_root, verified.url());
        if layout.completed().exists() || layout.unpacked().exists() {
            log::info!(target: offer.key(), "{subject} is installed already");
            return Ok(());
        }
        if layout.directory().symlink_metadata().is_ok() {
            return Err(ReleaseError::Exists);
        }
        let account = Account::owner_of(&self.settings.software_root)?;
        let place = place(self.settings, &layout, &account);
        bundle.install(&verified, cache, &place)?;
        log::info!(target: offer.key(), "imported {subject}, archive {}", verified.digest());
        Ok(())
    }

    fn fail(&self, error: &FileError) -> Failure {
        let severity = match self.interruption.is_requested() {
            true => Severity::Interrupted,
            false => Severity::Failed,
        };
        let failure = Failure::new(severity, error);
        log::error!("{failure}");
        failure
    }

    fn root(&self) -> String {
        let root = self.settings.software_root.to_string_lossy();
        root.into_owned()
    }
}
