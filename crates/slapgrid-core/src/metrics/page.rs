//! The file that the textfile collector reads.

use std::fmt::Display;

use prometheus_text::{Kind, Page};
use slap_proto::documents::SoftwareState;

use super::figures::{Figures, PhaseFigures, STATES};
use crate::outcome::Severity;
use crate::partition::confined::ConfinedDirectory;
use crate::settings::Settings;
use crate::status::{PromiseStatus, last_results};

/// The page of all figures.
pub(super) fn page(settings: &Settings, figures: &Figures) -> String {
    let mut page = Page::default();
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    gauge(
        &mut page,
        "slapgrid_build_info",
        "1, labelled with the version.",
        [(&version[..], 1)],
    );
    write_phases(&mut page, figures);
    write_master(&mut page, figures);
    write_partitions(&mut page, figures);
    write_releases(&mut page, figures);
    write_promises(&mut page, settings, figures);
    page.into_text()
}

/// A family of gauges: labels and value of each.
fn gauge<'a, V: Display>(
    page: &mut Page,
    name: &str,
    help: &str,
    samples: impl IntoIterator<Item = (&'a [(&'a str, &'a str)], V)>,
) {
    page.family(name, Kind::Gauge, help);
    for (labels, value) in samples {
        page.sample(name, labels, value);
    }
}

fn write_phases(page: &mut Page, figures: &Figures) {
    let times: [(_, _, fn(&PhaseFigures) -> Option<f64>); 3] = [
        (
            "slapgrid_last_run_timestamp_seconds",
            "When the last run ended, in seconds since 1970.",
            |phase| Some(phase.ended_at),
        ),
        (
            "slapgrid_last_success_timestamp_seconds",
            "When the last run ended that failed at nothing but promises, in seconds since 1970.",
            |phase| phase.succeeded_at,
        ),
        (
            "slapgrid_run_duration_seconds",
            "How long the last run took.",
            |phase| Some(phase.seconds),
        ),
    ];
    for (name, help, value) in times {
        page.family(name, Kind::Gauge, help);
        for (phase, figures) in &figures.phases {
            if let Some(value) = value(figures) {
                page.sample(name, &[("phase", phase.as_str())], value);
            }
        }
    }
    let name = "slapgrid_failures";
    page.family(name, Kind::Gauge, "Failures of the last run, by severity.");
    for (phase, figures) in &figures.phases {
        for severity in Severity::ALL {
            let count = figures.failures.get(&severity).copied().unwrap_or_default();
            let labels = [("phase", phase.as_str()), ("severity", severity.as_str())];
            page.sample(name, &labels, count);
        }
    }
}

fn write_master(page: &mut Page, figures: &Figures) {
    let master = figures.master.as_ref();
    gauge(
        page,
        "slapgrid_master_up",
        "Whether the master answered when it was asked last.",
        master.map(|master| (&[][..], u8::from(master.answers))),
    );
    gauge(
        page,
        "slapgrid_master_latency_seconds",
        "How long the master took for its last description of this computer.",
        master.and_then(|master| Some((&[][..], master.seconds?))),
    );
}

fn write_partitions(page: &mut Page, figures: &Figures) {
    let name = "slapgrid_partitions";
    let help = "Partitions, by the state that is wanted of their instances.";
    page.family(name, Kind::Gauge, help);
    for state in STATES {
        let states = figures.partitions.values().map(|(state, _)| state);
        let count = states.filter(|present| *present == state).count();
        page.sample(name, &[("state", state)], count);
    }
    let name = "slapgrid_partition_failed";
    let help = "Whether something was wrong with the partition when it was looked at last.";
    page.family(name, Kind::Gauge, help);
    for (reference, (_, failed)) in &figures.partitions {
        page.sample(name, &[("partition", reference)], u8::from(*failed));
    }
}

fn write_releases(page: &mut Page, figures: &Figures) {
    let name = "slapgrid_releases";
    let help = "Releases, by the state that is wanted of them.";
    page.family(name, Kind::Gauge, help);
    for state in [SoftwareState::Available, SoftwareState::Destroyed] {
        let state = state.as_str();
        let count = figures
            .releases
            .values()
            .filter(|present| *present == state);
        page.sample(name, &[("state", state)], count.count());
    }
    let name = "slapgrid_release_build_seconds";
    let help = "How long the last installation of the release took.";
    page.family(name, Kind::Gauge, help);
    for (url, seconds) in &figures.builds {
        page.sample(name, &[("release", url)], seconds);
    }
}

fn write_promises(page: &mut Page, settings: &Settings, figures: &Figures) {
    let promises: Vec<_> = figures
        .partitions
        .keys()
        .map(|reference| (reference, promises(settings, reference)))
        .collect();
    let families: [(_, _, fn(&PromiseStatus) -> Option<f64>); 2] = [
        (
            "slapgrid_promise_kept",
            "Whether the promise was kept when it was checked last.",
            |promise| promise.kept.map(|kept| f64::from(u8::from(kept))),
        ),
        (
            "slapgrid_promise_duration_seconds",
            "How long the last check of the promise took.",
            |promise| promise.seconds,
        ),
    ];
    for (name, help, value) in families {
        page.family(name, Kind::Gauge, help);
        for (reference, promises) in &promises {
            for promise in promises {
                if let Some(value) = value(promise) {
                    let labels = [
                        ("partition", reference.as_str()),
                        ("promise", &promise.name),
                    ];
                    page.sample(name, &labels, value);
                }
            }
        }
    }
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
