//! The usage journal that is being sent, on disk: no report is lost and none is charged twice,
//! whenever a run ends.
//!
//! The journal is put there with the names of its reports before it is sent. Once the master has it,
//! the file gets another name in one step; then the reports go, and at last the file. A run that finds
//! a journal under the first name cannot know whether the master has it, and sends it again, unchanged.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use slapos_fs::{
    FileAttributes, ReadError, RemoveError, WriteError, read_bounded, remove_file, step, write_file,
};

use super::reports::ReportKey;
use crate::layout::state_directory;
use crate::partition::confined::ConfinedError;

/// Largest journal that is read back, in bytes.
const LIMIT: u64 = 1 << 30;

/// The outbox cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum OutboxError {
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Remove(#[from] RemoveError),
    #[error("cannot rename {}", path.display())]
    Rename { path: PathBuf, source: io::Error },
    #[error("{} is damaged; without it, usage may be charged twice", path.display())]
    Damaged {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("cannot remove a report that was sent")]
    Report(#[from] ConfinedError),
}

/// What is on disk.
#[derive(Serialize, Deserialize)]
struct Sending {
    journal: String,
    reports: Vec<ReportKey>,
}

/// The outbox of a node.
pub(super) struct Outbox {
    instance_root: PathBuf,
    pending: PathBuf,
    accepted: PathBuf,
}

impl Outbox {
    pub(super) fn of_node(instance_root: &Path) -> Self {
        let directory = state_directory(instance_root);
        Outbox {
            instance_root: instance_root.to_owned(),
            pending: directory.join("usage-pending.json"),
            accepted: directory.join("usage-accepted.json"),
        }
    }

    /// Puts a journal there, to be sent.
    pub(super) fn put(&self, journal: &str, reports: &[ReportKey]) -> Result<(), OutboxError> {
        let sending = Sending {
            journal: journal.to_owned(),
            reports: reports.to_vec(),
        };
        let damaged = |source| self.damaged(&self.pending, source);
        let text = serde_json::to_vec(&sending).map_err(damaged)?;
        let attributes = FileAttributes {
            mode: 0o600,
            owner: None,
        };
        Ok(write_file(&self.pending, &text, attributes)?)
    }

    /// Whether a journal is there that waits for being sent, or for an answer.
    pub(super) fn is_pending(&self) -> bool {
        self.pending.exists()
    }

    /// The journal that waits for being sent, or for an answer that never came.
    pub(super) fn pending(&self) -> Result<Option<String>, OutboxError> {
        Ok(self.read(&self.pending)?.map(|sending| sending.journal))
    }

    /// The master has the journal.
    pub(super) fn accept(&self) -> Result<(), OutboxError> {
        let rename = || {
            std::fs::rename(&self.pending, &self.accepted)?;
            step("renamed", &self.accepted);
            File::open(state_directory(&self.instance_root))?.sync_all()
        };
        rename().map_err(|source| OutboxError::Rename {
            path: self.pending.clone(),
            source,
        })
    }

    /// The master does not have the journal: its reports are for another one.
    pub(super) fn discard(&self) -> Result<(), OutboxError> {
        remove_file(&self.pending)?;
        Ok(())
    }

    /// Removes the reports of the journal that the master has.
    pub(super) fn clear_accepted(&self) -> Result<(), OutboxError> {
        let Some(sending) = self.read(&self.accepted)? else {
            return Ok(());
        };
        for report in &sending.reports {
            report.remove(&self.instance_root)?;
        }
        remove_file(&self.accepted)?;
        Ok(())
    }

    fn read(&self, path: &Path) -> Result<Option<Sending>, OutboxError> {
        match read_bounded(path, LIMIT) {
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|source| self.damaged(path, source)),
            Err(error) if error.source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn damaged(&self, path: &Path, source: serde_json::Error) -> OutboxError {
        OutboxError::Damaged {
            path: path.to_owned(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::reports::{self, Place};
    use super::*;
    use crate::layout::PartitionLayout;

    /// A node with one report of a partition, and the outbox that holds it.
    fn node() -> (tempfile::TempDir, Outbox, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(state_directory(root.path())).unwrap();
        let layout = PartitionLayout::new(root.path(), "slappart0");
        fs::create_dir_all(layout.directory().join("var/xml_report")).unwrap();
        let file = layout.directory().join("var/xml_report/one");
        fs::write(&file, "report").unwrap();
        let directory = Place::Instance.open(&layout).unwrap().unwrap();
        let read = reports::read(&directory, "slappart0", Place::Instance, "one");
        let (key, _) = read.unwrap().unwrap();
        let outbox = Outbox::of_node(root.path());
        outbox.put("<journal/>", &[key]).unwrap();
        (root, outbox, file)
    }

    #[test]
    fn reports_stay_until_the_master_has_them() {
        let (_root, outbox, file) = node();
        assert_eq!(outbox.pending().unwrap().as_deref(), Some("<journal/>"));
        outbox.clear_accepted().unwrap();
        assert!(file.exists());
        outbox.accept().unwrap();
        assert_eq!(outbox.pending().unwrap(), None);
        assert!(file.exists());
        outbox.clear_accepted().unwrap();
        assert!(!file.exists());
        outbox.clear_accepted().unwrap();
    }

    #[test]
    fn what_is_not_taken_stays() {
        let (_root, outbox, file) = node();
        outbox.discard().unwrap();
        assert_eq!(outbox.pending().unwrap(), None);
        assert!(file.exists());
    }

    #[test]
    fn a_new_report_of_the_same_name_stays() {
        let (_root, outbox, file) = node();
        fs::write(&file, "the next report").unwrap();
        outbox.accept().unwrap();
        outbox.clear_accepted().unwrap();
        assert!(file.exists());
    }

    #[test]
    fn a_partition_that_is_gone_is_no_obstacle() {
        let (root, outbox, _) = node();
        fs::remove_dir_all(root.path().join("slappart0")).unwrap();
        outbox.accept().unwrap();
        outbox.clear_accepted().unwrap();
    }

    #[test]
    fn damage_is_told() {
        let (_root, outbox, _) = node();
        fs::write(&outbox.pending, "{").unwrap();
        let error = outbox.pending().unwrap_err().to_string();
        assert!(error.contains("usage-pending.json"), "{error}");
    }
}
