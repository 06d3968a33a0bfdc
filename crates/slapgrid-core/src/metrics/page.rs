//! The file that the textfile collector reads.

use std::fmt::Display;

use prometheus_text::{Kind, Page};
use slap_proto::documents::SoftwareState;

use super::figures::{Figures, PhaseFigures, STATES};
use crate::outcome::Severity;
use crate::partition::confined::ConfinedDirectory;
use crate::settings::Settings;
use crate::status::{PromiseStatus, last_results};

/// Names and values of a sample's labels.
type Labels<'a> = Vec<(&'a str, &'a str)>;

/// The page of all figures.
pub(super) fn page(settings: &Settings, figures: &Figures) -> String {
    let mut page = Page::default();
    let version = vec![("version", env!("CARGO_PKG_VERSION"))];
    let help = "1, labelled with the version.";
    gauges(&mut page, "slapgrid_build_info", help, [(version, 1)]);
    write_phases(&mut page, figures);
    write_failures(&mut page, figures);
    write_master(&mut page, figures);
    write_partitions(&mut page, figures);
    write_releases(&mut page, figures);
    write_promises(&mut page, settings, figures);
    page.into_text()
}

/// A family of gauges.
fn gauges<'a, V: Display>(
    page: &mut Page,
    name: &str,
    help: &str,
    samples: impl IntoIterator<Item = (Labels<'a>, V)>,
) {
    page.family(name, Kind::Gauge, help);
    for (labels, value) in samples {
        page.sample(name, &labels, value);
    }
}

fn write_phases(page: &mut Page, figures: &Figures) {
    let mut write = |name, help, value: fn(&PhaseFigures) -> Option<f64>| {
        let phases = figures.phases.iter();
        let samples = phases.filter_map(|(phase, figures)| {
            Some((vec![("phase", phase.as_str())], value(figures)?))
        });
        gauges(page, name, help, samples);
    };
    write(
        "slapgrid_last_run_timestamp_seconds",
        "When the last run ended, in seconds since 1970.",
        |phase| Some(phase.ended_at),
    );
    write(
        "slapgrid_last_success_timestamp_seconds",
        "When the last run ended that failed at nothing but promises, in seconds since 1970.",
        |phase| phase.succeeded_at,
    );
    write(
        "slapgrid_run_duration_seconds",
        "How long the last run took.",
        |phase| Some(phase.seconds),
    );
}

fn write_failures(page: &mut Page, figures: &Figures) {
    let samples = figures.phases.iter().flat_map(|(phase, figures)| {
        Severity::ALL.map(|severity| {
            let count = figures.failures.get(&severity).copied().unwrap_or_default();
            let labels = vec![("phase", phase.as_str()), ("severity", severity.as_str())];
            (labels, count)
        })
    });
    let help = "Failures of the last run, by severity.";
    gauges(page, "slapgrid_failures", help, samples);
}

fn write_master(page: &mut Page, figures: &Figures) {
    let master = figures.master.as_ref();
    gauges(
        page,
        "slapgrid_master_up",
        "Whether the master answered when it was asked last.",
        master.map(|master| (Vec::new(), u8::from(master.answers))),
    );
    gauges(
        page,
        "slapgrid_master_latency_seconds",
        "How long the master took for its last description of this computer.",
        master.and_then(|master| Some((Vec::new(), master.seconds?))),
    );
}

fn write_partitions(page: &mut Page, figures: &Figures) {
    let states = STATES.map(|state| {
        let present = figures.partitions.values().map(|(present, _)| present);
        let count = present.filter(|present| *present == state).count();
        (vec![("state", state)], count)
    });
    let help = "Partitions, by the state that is wanted of their instances.";
    gauges(page, "slapgrid_partitions", help, states);
    let partitions = figures.partitions.iter();
    let failed = partitions.map(|(reference, (_, failed))| {
        (vec![("partition", reference.as_str())], u8::from(*failed))
    });
    let help = "Whether something was wrong with the partition when it was looked at last.";
    gauges(page, "slapgrid_partition_failed", help, failed);
}

fn write_releases(page: &mut Page, figures: &Figures) {
    let states = [SoftwareState::Available, SoftwareState::Destroyed].map(|state| {
        let present = figures.releases.values();
        let count = present.filter(|present| *present == state.as_str()).count();
        (vec![("state", state.as_str())], count)
    });
    let help = "Releases, by the state that is wanted of them.";
    gauges(page, "slapgrid_releases", help, states);
    let builds = figures.builds.iter();
    let builds = builds.map(|(url, seconds)| (vec![("release", url.as_str())], seconds));
    let help = "How long the last installation of the release took.";
    gauges(page, "slapgrid_release_build_seconds", help, builds);
}

fn write_promises(page: &mut Page, settings: &Settings, figures: &Figures) {
    let promises: Vec<_> = figures
        .partitions
        .keys()
        .flat_map(|reference| {
            let promises = promises(settings, reference).into_iter();
            promises.map(move |promise| (reference, promise))
        })
        .collect();
    let mut write = |name, help, value: fn(&PromiseStatus) -> Option<f64>| {
        let samples = promises.iter().filter_map(|(reference, promise)| {
            let labels = vec![
                ("partition", reference.as_str()),
                ("promise", promise.name.as_str()),
            ];
            Some((labels, value(promise)?))
        });
        gauges(page, name, help, samples);
    };
    write(
        "slapgrid_promise_kept",
        "Whether the promise was kept when it was checked last.",
        |promise| promise.kept.map(|kept| f64::from(u8::from(kept))),
    );
    write(
        "slapgrid_promise_duration_seconds",
        "How long the last check of the promise took.",
        |promise| promise.seconds,
    );
}

/// Those of a partition that cannot be looked at are not known.
fn promises(settings: &Settings, reference: &str) -> Vec<PromiseStatus> {
    if slapos_fs::check_file_name(reference).is_err() {
        return Vec::new();
    }
    ConfinedDirectory::open(&settings.instance_root.join(reference))
        .ok()
        .and_then(|directory| last_results(&directory).ok())
        .unwrap_or_default()
}
