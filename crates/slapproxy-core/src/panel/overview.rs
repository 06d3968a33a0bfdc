//! The first page: how much there is of everything, what fails, and what was reported last.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::View;
use super::listing::link;
use super::moment::{ago, exact};
use super::page::{Page, Tab};
use super::parts;
use crate::storage::ReportRow;
use crate::survey::{Partition, Release, Standing};

/// Failures that are shown at once.
const FAILURES: usize = 8;
/// Reports that are shown.
const LATEST: usize = 10;

/// What a report is about.
enum Subject<'a> {
    Release(&'a Release),
    Instance(&'a Partition),
}

impl Subject<'_> {
    fn report(&self) -> Option<&ReportRow> {
        match self {
            Self::Release(release) => release.report.as_ref(),
            Self::Instance(partition) => partition.report.as_ref(),
        }
    }

    fn standing(&self) -> Standing {
        match self {
            Self::Release(release) => release.standing(),
            Self::Instance(partition) => partition.standing(),
        }
    }

    /// By which the script finds it again.
    fn key(&self) -> String {
        match self {
            Self::Release(release) => format!("{} {}", release.computer, release.row.url),
            Self::Instance(partition) => parts::key(partition),
        }
    }

    fn link(&self) -> Markup {
        match self {
            Self::Release(release) => {
                let url = &release.row.url;
                html! {
                    a href=(link("software", &[("q", url)])) title=(url) { (parts::release_name(url)) }
                }
            }
            Self::Instance(partition) => parts::instance_link(partition),
        }
    }

    /// What it is and where.
    fn place(&self) -> Markup {
        html! {
            @match self {
                Self::Release(release) => { "release on " (release.computer) },
                Self::Instance(partition) => {
                    "instance " @if !partition.is_root() { "of " (partition.root()) ", " }
                    "in " (partition.row.reference) " on " (partition.row.computer_reference)
                },
            }
        }
    }
}

/// The page.
pub(super) fn page(view: &View) -> Page {
    let releases = view.survey.releases().map(Subject::Release);
    let subjects: Vec<_> = releases
        .chain(view.survey.instances().map(Subject::Instance))
        .collect();
    let content = html! {
        header.title {
            h1 { "Overview" }
            p.faint { "As of " (exact(view.now)) }
        }
        (tiles(view))
        div.columns {
            (failures(view, &subjects))
            (latest(view, &subjects))
        }
    };
    Page::new(Tab::Overview, "Overview", content)
}

fn tiles(view: &View) -> Markup {
    let survey = &view.survey;
    let instances = parts::tally(survey.instances().map(Partition::standing));
    let releases = parts::tally(survey.releases().map(Release::standing));
    let partitions = survey.partitions().count();
    let busy = survey.instances().count();
    html! {
        div.tiles {
            (tile(Tab::Instances, "Instances", busy, parts::shares(&instances)))
            (tile(Tab::Software, "Software releases", survey.releases().count(), parts::shares(&releases)))
            (tile(Tab::Computers, "Computers", survey.computers.len(), occupancy(busy, partitions)))
            (tile(Tab::Slaves, "Slaves", survey.slaves().count(), hosts(view)))
        }
    }
}

fn tile(tab: Tab, title: &str, count: usize, below: Markup) -> Markup {
    html! {
        a.tile.card href=(tab.link()) {
            h2 { (title) }
            p.count { (count) }
            (below)
        }
    }
}

/// How many instances have slaves.
fn hosts(view: &View) -> Markup {
    let slaves = view.survey.slaves().map(|slave| &slave.row);
    let hosts: BTreeSet<_> = slaves
        .map(|row| (&row.computer_reference, &row.hosted_by))
        .collect();
    html! { p.legend { span { "of " (parts::some(hosts.len(), "instance")) } } }
}

/// How many partitions are taken.
fn occupancy(busy: usize, partitions: usize) -> Markup {
    html! {
        svg.bar viewBox=(format!("0 0 {} 1", partitions.max(1))) preserveAspectRatio="none" aria-hidden="true" {
            rect.busy x="0" y="0" width=(busy) height="1" {}
        }
        p.legend { span { b { (busy) } " of " (parts::some(partitions, "partition")) " taken" } }
    }
}

fn failures(view: &View, subjects: &[Subject<'_>]) -> Markup {
    let mut failing: Vec<_> = subjects
        .iter()
        .filter(|subject| subject.standing() == Standing::Error)
        .filter_map(|subject| Some((subject, subject.report()?)))
        .collect();
    newest_first(&mut failing);
    html! {
        section.card aria-labelledby="failures" {
            h2 #failures { "Needs attention" }
            @if failing.is_empty() {
                p.fine { "No node reports an error." }
            }
            ul.feed {
                @for (subject, report) in failing.iter().take(FAILURES) {
                    li data-key=(subject.key()) {
                        div.line { (parts::badge(Standing::Error)) b { (subject.link()) }
                            span.faint.when { (ago(view.now, report.time)) } }
                        p.faint { (subject.place()) }
                        pre.summary { (parts::summary(&report.message)) }
                    }
                }
            }
            @if failing.len() > FAILURES {
                p.more { "All " (failing.len()) ": "
                    a href=(link(Tab::Instances.link(), &[("state", "error")])) { "instances" } ", "
                    a href=(link(Tab::Software.link(), &[("state", "error")])) { "releases" } }
            }
        }
    }
}

fn latest(view: &View, subjects: &[Subject<'_>]) -> Markup {
    let reported = subjects
        .iter()
        .filter_map(|subject| Some((subject, subject.report()?)));
    let mut reported: Vec<_> = reported.collect();
    newest_first(&mut reported);
    html! {
        section.card aria-labelledby="latest" {
            h2 #latest { "Latest reports" }
            @if reported.is_empty() {
                (parts::empty("No node has reported anything yet", html! {
                    "Nodes report when they install releases and process instances."
                }))
            }
            ul.feed {
                @for (subject, report) in reported.iter().take(LATEST) {
                    li data-key=(subject.key()) {
                        div.line { (parts::reported(&report.state)) b { (subject.link()) }
                            span.faint.when { (ago(view.now, report.time)) } }
                        p.faint { (subject.place()) }
                    }
                }
            }
        }
    }
}

fn newest_first(reports: &mut [(&Subject<'_>, &ReportRow)]) {
    reports.sort_by(|(_, left), (_, right)| right.time.total_cmp(&left.time));
}
