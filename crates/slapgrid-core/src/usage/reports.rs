//! Usage reports as files.

use std::ffi::OsStr;
use std::path::Path;

use serde::{Deserialize, Serialize};
use slap_proto::usage::Consumption;

use crate::layout::{PartitionLayout, md5};
use crate::partition::confined::{ConfinedDirectory, ConfinedError};

/// Longest report, in bytes: some thousand movements.
const REPORT_LIMIT: u64 = 256 << 10;

/// Who wrote a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Place {
    /// The instance: `var/xml_report` of the partition.
    Instance,
    /// The node, about the instance: `var/xml_report/PARTITION` of the instance root.
    Node,
}

/// A report file with these contents, and no other that has its name later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReportKey {
    pub(super) partition: String,
    pub(super) place: Place,
    pub(super) name: String,
    digest: String,
}

/// A valid report.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) key: ReportKey,
    pub(super) consumption: Consumption,
}

impl Place {
    pub(super) const ALL: [Self; 2] = [Self::Instance, Self::Node];

    /// Its directory for a partition, if there is one.
    pub(super) fn open(
        self,
        layout: &PartitionLayout,
    ) -> Result<Option<ConfinedDirectory>, ConfinedError> {
        let (root, below): (_, &[&str]) = match self {
            Self::Instance => (layout.directory().to_owned(), &["var", "xml_report"]),
            Self::Node => (layout.node_usage_directory(), &[]),
        };
        match ConfinedDirectory::open(&root) {
            Ok(directory) => directory.below(below),
            Err(ConfinedError::Io { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Reads a file of one of the places; `None` where there is none of that name.
pub(super) fn read(
    directory: &ConfinedDirectory,
    partition: &str,
    place: Place,
    name: &str,
) -> Result<Option<(ReportKey, Vec<u8>)>, ConfinedError> {
    let contents = directory.read(OsStr::new(name), REPORT_LIMIT)?;
    Ok(contents.map(|contents| {
        let key = ReportKey {
            partition: partition.to_owned(),
            place,
            name: name.to_owned(),
            digest: md5(&contents),
        };
        (key, contents)
    }))
}

impl ReportKey {
    /// Removes the file if it is still the one that was read.
    pub(super) fn remove(&self, instance_root: &Path) -> Result<(), ConfinedError> {
        let layout = PartitionLayout::new(instance_root, &self.partition);
        let Some(directory) = self.place.open(&layout)? else {
            return Ok(());
        };
        let present = read(&directory, &self.partition, self.place, &self.name);
        match present {
            Ok(Some((key, _))) if key == *self => {
                directory.remove(OsStr::new(&self.name))?;
                Ok(())
            }
            // Another file took its place, or none: this one is gone.
            Ok(_) | Err(ConfinedError::NotRegular { .. } | ConfinedError::TooLarge { .. }) => {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
