//! Computers, and the partitions of one.

use maud::{Markup, html};

use super::View;
use super::listing::{Listing, link};
use super::moment::ago;
use super::page::{Page, Tab};
use super::parts;
use crate::survey::{Computer, Partition, Release};

/// Every computer.
pub(super) fn page(view: &View) -> Page {
    let computers: Vec<_> = view.survey.computers.iter().collect();
    let listing = Listing::new(Tab::Computers.link(), &view.query, computers, words, |_| {
        None
    });
    let hint = html! { "A node describes itself: " code { "slapformat slapos.cfg" } };
    let content = html! {
        header.title { h1 { "Computers" } }
        (listing.html(
            "Search references, addresses",
            ("No computer has described itself yet", hint),
            |computers| html! { div.tiles { @for computer in computers { (tile(view, computer)) } } },
        ))
    };
    Page::new(Tab::Computers, "Computers", content)
}

fn words(computer: &Computer) -> String {
    let address = computer.row.address.as_deref().unwrap_or_default();
    format!("{}\n{address}", computer.row.reference)
}

fn tile(view: &View, computer: &Computer) -> Markup {
    html! {
        a.tile.card href=(parts::computer_page(&computer.row.reference)) data-key=(computer.row.reference) {
            h2.name { (computer.row.reference) }
            (occupancy(computer))
            p.faint { (parts::some(computer.releases.len(), "release")) " · usage " (usage(view, computer)) }
        }
    }
}

/// How many partitions are taken, and where their instances stand.
fn occupancy(computer: &Computer) -> Markup {
    let standings = computer.partitions.iter().map(Partition::standing);
    html! {
        p { b { (computer.busy()) } " of " (parts::some(computer.partitions.len(), "partition")) " taken" }
        (parts::shares(&parts::tally(standings)))
    }
}

fn usage(view: &View, computer: &Computer) -> Markup {
    html! {
        @match computer.row.last_usage {
            Some(time) => { "reported " (ago(view.now, time)) },
            None => "never reported",
        }
    }
}

/// One computer with its partitions.
pub(super) fn one(view: &View) -> Page {
    let reference = &view.query.computer;
    let Some(computer) = view.survey.computer(reference) else {
        let what = format!("There is no computer {reference}.");
        return Page::missing(Tab::Computers, &what);
    };
    let partitions: Vec<_> = computer.partitions.iter().collect();
    let listing = Listing::new("computer", &view.query, partitions, partition_words, |it| {
        Some(it.standing())
    });
    let hint = html! {
        "Its node makes and describes them: " code { "slapformat slapos.cfg" }
    };
    let content = html! {
        nav.crumbs aria-label="Path" { a href=(Tab::Computers.link()) { "Computers" } }
        header.title { h1 { (reference) } }
        div.columns {
            section.card { (occupancy(computer)) }
            section.card { (facts(view, computer)) }
        }
        h2 { "Partitions" }
        (listing.html(
            "Search partitions, instances, addresses",
            ("It has no partitions", hint),
            |partitions| table(view, partitions),
        ))
    };
    Page::new(Tab::Computers, reference, content)
}

fn facts(view: &View, computer: &Computer) -> Markup {
    let row = &computer.row;
    let releases = parts::tally(computer.releases.iter().map(Release::standing));
    html! {
        dl.facts {
            dt { "Address" } dd { (row.address.as_deref().unwrap_or("none")) }
            @if let Some(netmask) = &row.netmask { dt { "Netmask" } dd { (netmask) } }
            @if !row.described { dt { "Described" } dd { "not yet by its node" } }
            dt { "Releases" } dd {
                a href=(link(Tab::Software.link(), &[("q", &row.reference)])) { (computer.releases.len()) }
                @for (standing, count) in &releases { " · " (count) " " (standing.as_str()) }
            }
            dt { "Usage" } dd { (usage(view, computer)) }
        }
    }
}

fn table(view: &View, partitions: &[&Partition]) -> Markup {
    html! {
        div.card.flush {
            table {
                thead {
                    tr { th { "Partition" } th { "State" } th { "Instance" } th { "Last report" } th { "Addresses" } }
                }
                tbody {
                    @for partition in partitions { (row(view, partition)) }
                }
            }
        }
    }
}

fn row(view: &View, partition: &Partition) -> Markup {
    let row = &partition.row;
    html! {
        tr data-key=(row.reference) {
            td.main { a href=(parts::instance_page(&row.computer_reference, &row.reference)) { (row.reference) } }
            td.state { (parts::badge(partition.standing())) }
            td data-label="Instance" { div { @if row.busy { (partition.title()) } @else { span.faint { "none" } } } }
            td data-label="Last report" {
                div { @if row.busy { (parts::report(view.now, partition.report.as_ref())) } }
            }
            td data-label="Addresses" {
                div { @for address in &partition.addresses { code.line { (address.address) } } }
            }
        }
    }
}

/// What a partition can be found by.
fn partition_words(partition: &Partition) -> String {
    let mut words = vec![partition.row.reference.as_str(), partition.title()];
    words.extend(partition.addresses.iter().map(|it| it.address.as_str()));
    words.join("\n")
}
