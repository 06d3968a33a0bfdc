//! Where things are: the workspace, its target directory, and directories that other users reach.

use std::collections::hash_map::DefaultHasher;
use std::fs::DirBuilder;
use std::hash::{Hash, Hasher};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_owned()
}

/// Cargo's target directory.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => workspace().join(directory),
        None => workspace().join("target"),
    }
}

/// A target directory that partition users can reach: cargo's, unless we are root in a checkout
/// that only root can enter. Then it lies in /var/tmp, its name made from the checkout's.
///
/// # Errors
/// The directory in /var/tmp cannot be made, or it is not root's alone.
pub fn shared() -> Result<PathBuf> {
    let target = target();
    if !is_root() || others_can_enter(&target) {
        return Ok(target);
    }
    let mut hasher = DefaultHasher::new();
    target.hash(&mut hasher);
    let directory = PathBuf::from(format!("/var/tmp/slapos-rs-{:016x}", hasher.finish()));
    ensure_roots(&directory)?;
    Ok(directory)
}

/// Root runs what it builds there, and its name can be guessed: anyone could have made it before.
fn ensure_roots(directory: &Path) -> Result<()> {
    let made = DirBuilder::new().mode(0o755).create(directory);
    if let Err(error) = made
        && error.kind() != ErrorKind::AlreadyExists
    {
        return Err(error).with_context(|| format!("cannot make {}", directory.display()));
    }
    let found = directory
        .symlink_metadata()
        .with_context(|| format!("cannot look at {}", directory.display()))?;
    if !found.is_dir() || found.uid() != 0 || found.mode() & 0o022 != 0 {
        bail!(
            "{} is no directory that only root can write to; remove it",
            directory.display()
        );
    }
    Ok(())
}

/// Whether every existing directory on the way may be entered by anyone.
fn others_can_enter(path: &Path) -> bool {
    path.ancestors()
        .filter_map(|directory| directory.metadata().ok())
        .all(|metadata| metadata.permissions().mode() & 0o001 != 0)
}

/// Whether we run as root.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, create_dir, set_permissions};

    use super::*;

    #[test]
    fn a_directory_that_others_may_write_to_or_that_is_a_link_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let open = base.path().join("open");
        create_dir(&open).unwrap();
        set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
        let link = base.path().join("link");
        std::os::unix::fs::symlink("/tmp", &link).unwrap();
        for wrong in [open, link] {
            let message = ensure_roots(&wrong).unwrap_err().to_string();
            assert!(message.contains(&wrong.display().to_string()), "{message}");
        }
    }
}
