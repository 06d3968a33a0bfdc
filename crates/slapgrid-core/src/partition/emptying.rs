//! Emptying a partition so that a crash in the middle leaves no data to the next instance.
//!
//! A master may keep a partition whose node has reported it destroyed, and only its answer tells; but
//! once it has set the partition free, it may give it away at any moment. So what is in the partition
//! is given up first, by a marker outside of it, then the master is told, then it is emptied, and at
//! last the marker goes. Whoever finds the marker later empties the partition before anything else.

use slapos_fs::{
    FileAttributes, RemoveError, WriteError, clear_directory, remove_file, write_file,
};

use crate::context::PartitionContext;
use crate::layout::PartitionLayout;
use crate::services::{ServiceError, Services};

/// A partition could not be emptied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum EmptyingError {
    /// Its data cannot be given up.
    #[error(transparent)]
    Mark(#[from] WriteError),
    /// Something cannot be removed.
    #[error(transparent)]
    Remove(#[from] RemoveError),
    /// Its programs cannot be stopped.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl EmptyingError {
    /// Whether slapgrid was told to end.
    pub(super) fn is_interruption(&self) -> bool {
        matches!(self, Self::Service(error) if error.is_interruption())
    }
}

/// Whether what is in the partition was given up.
pub(crate) fn is_begun(layout: &PartitionLayout) -> bool {
    layout.emptying().exists()
}

/// Gives up what is in the partition.
pub(crate) fn begin(layout: &PartitionLayout) -> Result<(), EmptyingError> {
    let attributes = FileAttributes {
        mode: 0o600,
        owner: None,
    };
    Ok(write_file(&layout.emptying(), b"", attributes)?)
}

/// What is in the partition counts again.
pub(crate) fn abandon(layout: &PartitionLayout) -> Result<(), EmptyingError> {
    remove_file(&layout.emptying())?;
    Ok(())
}

/// Removes everything that there is of the instance on this node.
pub(crate) fn finish(context: &PartitionContext<'_>) -> Result<(), EmptyingError> {
    let layout = &context.layout;
    let paths = &context.settings.supervisord.paths;
    for services in [
        Services::of_instance(layout.reference(), paths, context.supervisor),
        Services::before_removal(layout.reference(), paths, context.supervisor),
    ] {
        if services.are_configured() {
            services.stop()?;
        }
    }
    if let Some(repository) = &context.settings.certificate_repository {
        remove_file(&layout.certificate(repository))?;
        remove_file(&layout.key(repository))?;
    }
    clear_directory(layout.directory())?;
    clear_directory(&layout.node_usage_directory())?;
    abandon(layout)
}
