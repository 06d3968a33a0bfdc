//! Every release of every computer.

use maud::{Markup, html};

use super::View;
use super::listing::{Listing, link};
use super::page::{Page, Tab};
use super::parts;
use crate::survey::{Release, Standing};

/// The page.
pub(super) fn page(view: &View) -> Page {
    let releases: Vec<_> = view.survey.releases().collect();
    let listing = Listing::new(
        Tab::Software.link(),
        &view.query,
        releases,
        words,
        |release| Some(release.standing()),
    );
    let hint =
        html! { "Have one installed: " code { "slapos-supply slapos.cfg RELEASE COMPUTER" } };
    let content = html! {
        header.title { h1 { "Software releases" } }
        (listing.html(
            "Search URLs, computers",
            ("No release has been supplied yet", hint),
            |releases| table(view, releases),
        ))
    };
    Page::new(Tab::Software, "Software releases", content)
}

fn table(view: &View, releases: &[&Release]) -> Markup {
    html! {
        div.card.flush {
            table {
                thead {
                    tr {
                        th { "Release" } th { "State" } th { "Wanted" } th { "Last report" }
                        th { "Computer" } th.number { "Instances" }
                    }
                }
                tbody {
                    @for release in releases { (row(view, release)) }
                }
            }
        }
    }
}

fn row(view: &View, release: &Release) -> Markup {
    let url = &release.row.url;
    html! {
        tr data-key={ (release.computer) " " (url) } {
            td.main {
                (parts::release(url))
                (error(release))
            }
            td.state { (parts::badge(release.standing())) }
            td data-label="Wanted" { div { (release.row.requested_state) } }
            td data-label="Last report" { div { (parts::report(view.now, release.report.as_ref())) } }
            td data-label="Computer" {
                div { a href=(parts::computer_page(&release.computer)) { (release.computer) } }
            }
            td.number data-label="Instances" {
                div { a href=(link(Tab::Instances.link(), &[("q", url)])) { (instances(view, release)) } }
            }
        }
    }
}

/// The message of a failure, folded away.
fn error(release: &Release) -> Markup {
    let report = release.report.as_ref();
    let report = report.filter(|_| release.standing() == Standing::Error);
    html! {
        @if let Some(report) = report {
            details.failure id=(format!("error {} {}", release.computer, release.row.url)) {
                summary { "What went wrong" }
                (parts::message(&report.message))
            }
        }
    }
}

/// How many instances of its computer use the release.
fn instances(view: &View, release: &Release) -> usize {
    let computer = view.survey.computer(&release.computer);
    let partitions = computer.map_or(&[][..], |computer| &computer.partitions);
    let uses = |url: &Option<String>| url.as_deref() == Some(&release.row.url);
    partitions
        .iter()
        .filter(|it| it.row.busy && uses(&it.row.software_release))
        .count()
}

/// What a release can be found by.
fn words(release: &Release) -> String {
    format!("{}\n{}", release.row.url, release.computer)
}
