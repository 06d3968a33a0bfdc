//! Free space, which builds should not run out of in the middle.

use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;

/// There is too little free space, or it cannot be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum SpaceError {
    /// Less is free than the configuration demands.
    #[error("{} has {free} bytes of free space, {minimum} are demanded", path.display())]
    TooLittle {
        /// Where.
        path: PathBuf,
        /// Bytes that are free.
        free: u64,
        /// Bytes that must be.
        minimum: u64,
    },
    /// The file system does not tell.
    #[error("cannot tell the free space of {}", path.display())]
    Unknown {
        /// Where.
        path: PathBuf,
        /// Why.
        source: nix::Error,
    },
}

/// Whether at least that many bytes are free for users.
pub(crate) fn check(path: &Path, minimum: u64) -> Result<(), SpaceError> {
    let free = free(path)?;
    if free >= minimum {
        return Ok(());
    }
    Err(SpaceError::TooLittle {
        path: path.to_owned(),
        free,
        minimum,
    })
}

/// Bytes that are free for users.
pub(crate) fn free(path: &Path) -> Result<u64, SpaceError> {
    let status = statvfs(path).map_err(|source| SpaceError::Unknown {
        path: path.to_owned(),
        source,
    })?;
    let blocks = status.blocks_available();
    Ok(blocks.saturating_mul(status.fragment_size()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_and_unknown_are_told_apart() {
        check(Path::new("/"), 1).unwrap();
        assert!(matches!(
            check(Path::new("/"), u64::MAX),
            Err(SpaceError::TooLittle { .. })
        ));
        assert!(matches!(
            check(Path::new("/no/such"), 1),
            Err(SpaceError::Unknown { .. })
        ));
    }
}
