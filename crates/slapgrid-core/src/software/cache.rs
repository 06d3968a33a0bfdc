//! The binary cache, in place of buildout and after it. Whatever fails there, buildout can do the work,
//! unless the configuration forbids it.

use netcache::{FetchError, Place, PrepareError, PublishError, Published, ReleaseKey};

use super::install::{InstallError, Installation};
use super::profile::owned;
use crate::layout::ReleaseLayout;
use crate::outcome::error_chain;
use crate::process::Account;
use crate::settings::Settings;
use crate::space;

/// Why a release that is only downloaded cannot be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum ForcedError {
    /// Nothing says from where.
    #[error("no binary cache is configured to download from")]
    NotConfigured,
    /// Two lists contradict each other.
    #[error("download-from-binary-cache-url-blacklist has it, too")]
    Blacklisted,
    /// Something lies where it would be unpacked.
    #[error("its directory exists already, and is not replaced")]
    Exists,
    /// It cannot be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

impl ForcedError {
    pub(super) fn is_interruption(&self) -> bool {
        matches!(self, Self::Fetch(error) if error.is_cancelled())
    }
}

impl Installation<'_> {
    /// Installs the release from the cache if that is possible; says whether it did.
    pub(super) fn download(
        &self,
        url: &str,
        layout: &ReleaseLayout,
        account: &Account,
    ) -> Result<bool, InstallError> {
        let forced = begins(url, &self.settings.software.cache.only_download);
        match self.try_cache(url, layout, account) {
            Ok(()) => Ok(true),
            // Told to end, nothing is begun any more.
            Err(error) if error.is_interruption() => Err(InstallError::Interrupted),
            Err(error) if forced => Err(InstallError::Forced(error)),
            Err(error) => {
                match error {
                    ForcedError::Fetch(_) | ForcedError::Blacklisted => {
                        let error = error_chain(&error);
                        log::warn!(target: self.name, "{error}; building from source");
                    }
                    ForcedError::NotConfigured | ForcedError::Exists => {}
                }
                Ok(false)
            }
        }
    }

    fn try_cache(
        &self,
        url: &str,
        layout: &ReleaseLayout,
        account: &Account,
    ) -> Result<(), ForcedError> {
        if layout.unpacked().exists() {
            log::info!(target: self.name, "unpacked before, from an archive");
            return Ok(());
        }
        let cache = &self.settings.software.cache;
        let servers = cache.download.as_ref().ok_or(ForcedError::NotConfigured)?;
        if begins(url, &cache.never_download) {
            return Err(ForcedError::Blacklisted);
        }
        if layout.directory().symlink_metadata().is_ok() {
            return Err(ForcedError::Exists);
        }
        for warning in cache.download_warnings() {
            log::warn!(target: self.name, "{warning}");
        }
        let cancelled = || self.interruption.is_requested();
        let (root, place) = (self.root(), self.place(layout, account));
        let release = key(url, self.name, &root);
        let digest = netcache::fetch(servers, cache, &release, &place, &cancelled)?;
        log::info!(target: self.name, "installed from the binary cache, archive {digest}");
        Ok(())
    }

    /// Uploads the release if the configuration wants that. It is installed whatever happens here.
    pub(super) fn upload(&self, url: &str, layout: &ReleaseLayout, account: &Account) {
        let cache = &self.settings.software.cache;
        let Some(servers) = &cache.upload else {
            return;
        };
        if begins(url, &cache.never_upload) {
            log::info!(target: self.name, "not uploaded: upload-to-binary-cache-url-blacklist has it");
            return;
        }
        for warning in cache.upload_warnings() {
            log::warn!(target: self.name, "{warning}");
        }
        let cancelled = || self.interruption.is_requested();
        let (root, place) = (self.root(), self.place(layout, account));
        let release = key(url, self.name, &root);
        match netcache::publish(servers, cache, &release, &place, &cancelled) {
            Ok(Published::Uploaded(digest)) => {
                log::info!(target: self.name, "uploaded to the binary cache, archive {digest}");
            }
            Ok(Published::Indexed(digest)) => {
                log::info!(target: self.name, "the binary cache had the archive {digest} already; its entry is renewed");
            }
            Err(PublishError::Prepare(reason @ PrepareError::NotWhole)) => {
                log::info!(target: self.name, "not uploaded to the binary cache: {reason}");
            }
            Err(error) => {
                let error = error_chain(&error);
                log::warn!(target: self.name, "cannot upload to the binary cache: {error}");
            }
        }
    }

    fn root(&self) -> String {
        let root = self.settings.software_root.to_string_lossy();
        root.into_owned()
    }

    fn place<'b>(&self, layout: &'b ReleaseLayout, account: &Account) -> Place<'b> {
        place(self.settings, layout, account)
    }
}

/// Where a release lies, and what may be used there.
pub(super) fn place<'a>(
    settings: &Settings,
    layout: &'a ReleaseLayout,
    account: &Account,
) -> Place<'a> {
    // Where the space cannot be told, what is written meets its end by itself.
    let free = space::free(&settings.software_root).unwrap_or(u64::MAX);
    Place {
        directory: layout.directory(),
        space: free.saturating_sub(settings.software.minimum_free_space),
        owner: owned(account, 0).owner,
    }
}

fn key<'b>(url: &'b str, name: &'b str, software_root: &'b str) -> ReleaseKey<'b> {
    ReleaseKey {
        url,
        name,
        software_root,
    }
}

fn begins(url: &str, list: &[String]) -> bool {
    list.iter().any(|beginning| url.starts_with(beginning))
}
