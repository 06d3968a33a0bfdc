//! What the disk shows of a partition, for the plan.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use slap_proto::documents::ComputerPartition;

use super::confined::ConfinedDirectory;
use super::{emptying, records};
use crate::layout::{PartitionLayout, ReleaseLayout};
use crate::plan::partition::{ObservedPartition, Periodicity};

/// Longest file `periodicity` of a release, in bytes.
const PERIODICITY_LIMIT: u64 = 64;

/// Looks at a partition. What cannot be read counts as not processed: processing says what is wrong.
pub(crate) fn observe(
    layout: &PartitionLayout,
    document: &ComputerPartition,
    software_root: &Path,
) -> ObservedPartition {
    let url = document
        .software_release
        .as_ref()
        .and_then(|release| release.url.as_ref());
    ObservedPartition {
        processed: processed(layout.directory()).filter(|_| !emptying::is_begun(layout)),
        release_periodicity: url
            .and_then(|url| periodicity(&ReleaseLayout::new(software_root, url))),
    }
}

fn processed(path: &Path) -> Option<(String, Duration)> {
    let directory = ConfinedDirectory::open(path).ok()?;
    let timestamp = records::timestamp(&directory).ok()??;
    let at = u64::try_from(records::processed_at(&directory).ok()??).ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some((timestamp, now.saturating_sub(Duration::from_secs(at))))
}

fn periodicity(release: &ReleaseLayout) -> Option<Periodicity> {
    let text = slapos_fs::read_bounded(&release.periodicity(), PERIODICITY_LIMIT).ok()?;
    let seconds = String::from_utf8_lossy(&text).trim().parse().ok()?;
    Some(Periodicity::from_seconds(seconds))
}
