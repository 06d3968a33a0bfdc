//! Figures of the runs, for the textfile collector of Prometheus.
//!
//! Each tool does a part of the work, and no run tells everything: what earlier runs have found out
//! is kept in `var/slapgrid/figures.json` of the instance root, and the file is written anew from it.
//! What promises said is read where it is recorded.

mod figures;
mod page;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use slapos_fs::{
    DirectoryError, FileAttributes, WriteError, ensure_directory, read_bounded, write_file,
};

use crate::layout::state_directory;
use crate::outcome::{Outcome, error_chain};
use crate::settings::Settings;
use figures::Figures;

/// Most that is read of the figures of earlier runs, in bytes: thousands of partitions need less.
const LIMIT: u64 = 16 << 20;

/// The figures could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum MetricsError {
    /// There is no place for what is kept.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// Runs of several tools cannot take turns.
    #[error("cannot lock {}", path.display())]
    Lock {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The figures cannot be kept for the next run.
    #[error("cannot keep the figures")]
    Keep(#[source] serde_json::Error),
    /// A file cannot be written.
    #[error("cannot write the figures of the run")]
    Write(#[from] WriteError),
}

/// Writes the figures of a run, if that is asked for.
pub(crate) fn record(settings: &Settings, outcome: &Outcome) -> Result<(), MetricsError> {
    let Some(file) = &settings.metrics_file else {
        return Ok(());
    };
    let state = state_directory(&settings.instance_root);
    make(&settings.instance_root)?;
    let _lock = lock(&state)?;
    let kept = state.join("figures.json");
    let mut figures = read(&kept);
    figures.add(outcome);
    let text = serde_json::to_vec(&figures).map_err(MetricsError::Keep)?;
    write_file(&kept, &text, attributes(0o600))?;
    let page = page::page(settings, &figures);
    Ok(write_file(file, page.as_bytes(), attributes(0o644))?)
}

/// Only supervisord's part of the work makes the directory otherwise, and comes after that of
/// releases.
fn make(instance_root: &Path) -> Result<(), DirectoryError> {
    for (name, mode) in [("var", 0o755), ("var/slapgrid", 0o700)] {
        ensure_directory(&instance_root.join(name), attributes(mode))?;
    }
    Ok(())
}

fn attributes(mode: u32) -> FileAttributes {
    FileAttributes { mode, owner: None }
}

/// The directory, held for the moment in which the figures are read and written: a file would have a
/// name that the lock of a partition may have, too.
fn lock(path: &Path) -> Result<File, MetricsError> {
    let opened = File::open(path);
    let locked = opened.and_then(|directory| directory.lock().map(|()| directory));
    locked.map_err(|source| MetricsError::Lock {
        path: path.to_owned(),
        source,
    })
}

/// What earlier runs have found out. What cannot be read is found out again.
fn read(path: &Path) -> Figures {
    let text = match read_bounded(path, LIMIT) {
        Ok(text) => text,
        Err(error) => {
            if error.source.kind() != io::ErrorKind::NotFound {
                log::warn!("figures of earlier runs are lost: {}", error_chain(&error));
            }
            return Figures::default();
        }
    };
    serde_json::from_slice(&text).unwrap_or_else(|error| {
        let path = path.display();
        log::warn!("figures of earlier runs are lost, {path} is damaged: {error}");
        Figures::default()
    })
}
