//! Where things are: the workspace, its target directory, and directories that other users reach.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_owned()
}

/// Cargo's target directory.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => workspace().join(directory),
        None => workspace().join("target"),
    }
}

/// A target directory that partition users can reach: cargo's, unless we are root in a checkout
/// that only root can enter. Then it lies in /var/tmp, its name made from the checkout's.
pub(crate) fn shared() -> PathBuf {
    let target = target();
    if !is_root() || others_can_enter(&target) {
        return target;
    }
    let mut hasher = DefaultHasher::new();
    target.hash(&mut hasher);
    PathBuf::from(format!("/var/tmp/slapos-rs-{:016x}", hasher.finish()))
}

/// Whether every existing directory on the way may be entered by anyone.
fn others_can_enter(path: &Path) -> bool {
    path.ancestors()
        .filter_map(|directory| directory.metadata().ok())
        .all(|metadata| metadata.permissions().mode() & 0o001 != 0)
}

/// Whether we run as root.
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
