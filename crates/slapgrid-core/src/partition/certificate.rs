//! Certificate and key of an instance, kept where only its user reads them.

use nix::unistd::geteuid;
use slap_client::ClientError;
use slapos_fs::{FileAttributes, Owner, WriteError, write_if_changed};

use crate::context::PartitionContext;
use crate::process::Account;

/// The certificate cannot be had or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum CertificateError {
    /// The master does not hand it out.
    #[error(transparent)]
    Fetch(#[from] ClientError),
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Fetches certificate and key and writes them where they differ, if a place for them is configured.
pub(crate) fn update(
    context: &PartitionContext<'_>,
    account: &Account,
) -> Result<(), CertificateError> {
    let Some(repository) = &context.settings.certificate_repository else {
        return Ok(());
    };
    let fetched = context.master.certificate()?;
    let (uid, gid) = account.ids();
    let owner = geteuid().is_root().then_some(Owner { uid, gid });
    let attributes = FileAttributes { mode: 0o400, owner };
    write_if_changed(
        &context.layout.certificate(repository),
        fetched.certificate.as_bytes(),
        attributes,
    )?;
    write_if_changed(
        &context.layout.key(repository),
        fetched.key.as_bytes(),
        attributes,
    )?;
    Ok(())
}
