//! Writing a bundle.

use std::io::{self, Read, Seek, Write};

use tar::{Builder, EntryType, Header};

use super::{ARCHIVES, ENTRIES, HEAD, VERSION};
use crate::Cancelled;
use crate::digest::Digest;
use crate::entry::ReleaseKey;
use crate::interruptible::{Interruptible, is_interruption};
use crate::release::{Place, PrepareError, prepare};
use crate::settings::Settings;

/// A bundle cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// Nobody would take anything from it.
    #[error(
        "no key signs what is exported, so that no node would trust it: set signature-private-key-file"
    )]
    NoKey,
    /// A release cannot be archived.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The file cannot be written.
    #[error("cannot write the bundle")]
    Write(#[source] io::Error),
    /// It was to stop.
    #[error("interrupted")]
    Cancelled,
}

/// A bundle that is being written.
pub struct BundleWriter<'a, W: Write> {
    builder: Builder<W>,
    settings: &'a Settings,
}

impl<'a, W: Write> BundleWriter<'a, W> {
    /// Begins a bundle whose entries the key of the settings signs.
    ///
    /// # Errors
    /// There is no key, or nothing can be written.
    pub fn new(inner: W, settings: &'a Settings) -> Result<Self, ExportError> {
        if settings.signer.is_empty() {
            return Err(ExportError::NoKey);
        }
        let mut writer = Self {
            builder: Builder::new(inner),
            settings,
        };
        writer.append(HEAD, VERSION.len() as u64, VERSION)?;
        Ok(writer)
    }

    /// Archives an installed release, and adds it.
    ///
    /// # Errors
    /// It cannot be archived or signed, or the bundle cannot be written.
    pub fn add(
        &mut self,
        release: &ReleaseKey<'_>,
        place: &Place<'_>,
        cancelled: Cancelled<'_>,
    ) -> Result<Digest, ExportError> {
        let prepared = prepare(self.settings, release, place, cancelled)?;
        let entries = serde_json::json!([prepared.entry]).to_string();
        let path = format!("{ENTRIES}/{}", release.name);
        self.append(&path, entries.len() as u64, entries.as_bytes())?;
        let mut packed = prepared.packed;
        packed.file.rewind().map_err(ExportError::Write)?;
        let path = format!("{ARCHIVES}/{}", packed.digest);
        let archive = Interruptible {
            reader: packed.file,
            cancelled,
        };
        self.append(&path, packed.length, archive)?;
        Ok(packed.digest)
    }

    /// Ends the bundle.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(self) -> Result<W, ExportError> {
        self.builder.into_inner().map_err(ExportError::Write)
    }

    fn append(&mut self, path: &str, size: u64, contents: impl Read) -> Result<(), ExportError> {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_size(size);
        let appended = self.builder.append_data(&mut header, path, contents);
        appended.map_err(|error| match is_interruption(&error) {
            true => ExportError::Cancelled,
            false => ExportError::Write(error),
        })
    }
}
