//! What the disk shows of a partition, for the plan.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use slap_proto::documents::ComputerPartition;

use super::confined::ConfinedDirectory;
use super::{emptying, records};
use crate::layout::{PartitionLayout, ReleaseLayout};
use crate::plan::partition::{ObservedPartition, Periodicity};
use crate::promise::{Agenda, Occasion};
use crate::services;
use crate::settings::Settings;

/// Longest file `periodicity` of a release, in bytes.
const PERIODICITY_LIMIT: u64 = 64;

/// Looks at a partition. What cannot be read counts as not processed: processing says what is wrong.
pub(crate) fn observe(
    layout: &PartitionLayout,
    document: &ComputerPartition,
    settings: &Settings,
) -> ObservedPartition {
    let url = document
        .software_release
        .as_ref()
        .and_then(|release| release.url.as_ref());
    let paths = &settings.supervisord.paths;
    let counts =
        || !emptying::is_begun(layout) && !services::are_set_aside(layout.reference(), paths);
    ObservedPartition {
        stale: document.is_free() && is_stale(layout),
        processed: processed(layout.directory()).filter(|_| counts()),
        release_periodicity: url
            .and_then(|url| periodicity(&ReleaseLayout::new(&settings.software_root, url))),
    }
}

/// Whether there is state of the node of an instance that is no more.
fn is_stale(layout: &PartitionLayout) -> bool {
    let has_records = || {
        let directory = ConfinedDirectory::open(layout.directory()).ok()?;
        let processed = records::processed_at(&directory).ok()?.is_some();
        Some(processed || directory.below(&[".slapgrid"]).ok()?.is_some())
    };
    emptying::is_begun(layout) || has_records().unwrap_or(false)
}

/// The names of the promises that are due although nothing changed. Of a partition that cannot be
/// looked at there are none: checking says what is wrong.
pub(crate) fn due_promises(layout: &PartitionLayout) -> Vec<String> {
    let look = || {
        let directory = ConfinedDirectory::open(layout.directory()).ok()?;
        let agenda = Agenda::look(&directory, Occasion::Watch, SystemTime::now()).ok()?;
        Some(agenda.due_names().map(str::to_owned).collect())
    };
    look().unwrap_or_default()
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
