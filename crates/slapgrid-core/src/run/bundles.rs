//! Releases to and from a file, in runs of their own.

use std::path::Path;
use std::time::Instant;

use slap_proto::documents::Computer;

use super::software::unknown_releases;
use super::{Known, Run, RunError, lock, note_interruption, summarise};
use crate::layout::ReleaseLayout;
use crate::outcome::Outcome;
use crate::plan::release::is_release;
use crate::process::Interruption;
use crate::progress::Unobserved;
use crate::settings::Settings;
use crate::software::bundle::Bundles;

/// Writes the releases that the master names and that are installed here into a file, signed. Unless
/// all of them are in it, the file stays as it was.
///
/// # Errors
/// The run could not begin. What fails later is in the outcome.
pub fn export_bundle(settings: &Settings, file: &Path) -> Result<Outcome, RunError> {
    let clock = Instant::now();
    let interruption = Interruption::by_signals().map_err(RunError::Signals)?;
    let _lock = lock(settings)?;
    let known = Known::default();
    let run = Run::new(settings, &interruption, &Unobserved, &known)?;
    let mut outcome = Outcome::begin();
    if let Some(computer) = run.ask_master(&mut outcome) {
        let urls = installed(settings, &computer)?;
        let bundles = Bundles {
            settings,
            interruption: &interruption,
        };
        outcome.general.extend(bundles.write(file, &urls));
    }
    Ok(conclude(outcome, clock, &interruption))
}

/// Unpacks the releases of a file that are for this node and not installed. The master is not asked; the
/// next run of slapgrid-sr tells it.
///
/// # Errors
/// The run could not begin. What fails later is in the outcome.
pub fn import_bundle(settings: &Settings, file: &Path) -> Result<Outcome, RunError> {
    let clock = Instant::now();
    let interruption = Interruption::by_signals().map_err(RunError::Signals)?;
    let _lock = lock(settings)?;
    for warning in settings.software.cache.download_warnings() {
        log::warn!("{warning}");
    }
    let bundles = Bundles {
        settings,
        interruption: &interruption,
    };
    let mut outcome = Outcome::begin();
    outcome.general.extend(bundles.read(file));
    Ok(conclude(outcome, clock, &interruption))
}

fn conclude(mut outcome: Outcome, clock: Instant, interruption: &Interruption) -> Outcome {
    note_interruption(&mut outcome, interruption);
    outcome.elapsed = clock.elapsed();
    summarise(&outcome, false);
    outcome
}

/// The URLs of the releases that are asked for and installed.
fn installed(settings: &Settings, computer: &Computer) -> Result<Vec<String>, RunError> {
    let only = &settings.software.only;
    let unknown = unknown_releases(only, computer);
    if !unknown.is_empty() {
        return Err(RunError::UnknownReleases(unknown));
    }
    let releases = computer.software_release_list.iter();
    let urls = releases.filter_map(|release| release.url.clone());
    let wanted = urls.filter(|url| {
        let named = only.is_empty() || only.iter().any(|name| is_release(name, url));
        let layout = ReleaseLayout::new(&settings.software_root, url);
        named && layout.completed().exists()
    });
    Ok(wanted.collect())
}
