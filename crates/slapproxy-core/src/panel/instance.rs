//! One instance: all that is known of it.

use maud::{Markup, html};

use super::View;
use super::instances::natural;
use super::listing::link;
use super::moment::ago;
use super::page::{Page, Tab};
use super::{parts, slaves};
use crate::survey::{Partition, Standing, parameters};

/// Slaves that are shown on the page of their host.
const MOST_SLAVES: usize = 20;

/// The page.
pub(super) fn page(view: &View) -> Page {
    let (computer, reference) = (&view.query.computer, &view.query.partition);
    let Some(instance) = view.survey.partition(computer, reference) else {
        let what = format!("There is no partition {reference} on computer {computer}.");
        return Page::missing(Tab::Instances, &what);
    };
    let row = &instance.row;
    let title = if row.busy {
        parts::name(instance)
    } else {
        reference
    };
    let content = html! {
        nav.crumbs aria-label="Path" {
            a href=(Tab::Instances.link()) { "Instances" }
            @if !instance.is_root() { " / " (root_link(view, instance)) }
        }
        header.title {
            h1 { (title) }
            (parts::badge(instance.standing()))
        }
        (failure(instance))
        div.columns.wide {
            div {
                (section("Connection parameters", &parts::parameters(&parameters(row.connection_xml.as_deref()))))
                (section("Parameters", &parts::parameters(&parameters(row.xml.as_deref()))))
                (hosted(view, instance))
            }
            div {
                (section("Facts", &facts(view, instance)))
                (section("Addresses", &addresses(instance)))
                (children(view, instance))
            }
        }
    };
    Page::new(Tab::Instances, title, content)
}

fn section(title: &str, content: &Markup) -> Markup {
    html! {
        section.card {
            h2 { (title) }
            (content)
        }
    }
}

/// The whole message, when the node reports an error.
fn failure(instance: &Partition) -> Markup {
    let report = instance.report.as_ref();
    let report = report.filter(|_| instance.standing() == Standing::Error);
    html! {
        @if let Some(report) = report {
            section.card.failure {
                h2 { "The node reports an error" }
                (parts::message(&report.message))
            }
        }
    }
}

fn facts(view: &View, instance: &Partition) -> Markup {
    let row = &instance.row;
    html! {
        dl.facts {
            dt { "Wanted" } dd { @if row.busy { (row.requested_state) } @else { "nothing: the partition is free" } }
            dt { "Last report" } dd { (parts::report(view.now, instance.report.as_ref())) }
            @if let Some(since) = instance.unrequested {
                dt { "No longer requested" } dd { "noticed " (ago(view.now, since)) ", kept all the same" }
            }
            @if let Some(changed) = row.timestamp { dt { "Changed" } dd { (ago(view.now, changed)) } }
            @if let Some(url) = &row.software_release { dt { "Release" } dd { (parts::release(url)) } }
            @if let Some(software_type) = &row.software_type { dt { "Type" } dd { (software_type) } }
            dt { "Partition" } dd { (row.reference) }
            dt { "Computer" } dd {
                a href=(parts::computer_page(&row.computer_reference)) { (row.computer_reference) }
            }
            @if !instance.is_root() { dt { "Tree" } dd { (root_link(view, instance)) } }
            @if row.busy {
                dt { "Requested by" } dd {
                    (requester(view, &row.requester_id, |other| other.root() == instance.root()))
                }
            }
        }
    }
}

/// The root of the instance's tree.
fn root_link(view: &View, instance: &Partition) -> Markup {
    let root = view
        .survey
        .instances()
        .find(|other| other.is_root() && other.title() == instance.root());
    html! {
        @match root {
            Some(root) => (parts::instance_link(root)),
            None => (instance.root()),
        }
    }
}

/// Who requested something: the instance in the partition of that reference, which may be on any
/// computer but belongs to the same tree, or a user.
pub(super) fn requester(
    view: &View,
    reference: &str,
    in_tree: impl Fn(&Partition) -> bool,
) -> Markup {
    let mut instances = view.survey.instances();
    let requester = instances.find(|other| other.row.reference == reference && in_tree(other));
    html! {
        @match requester {
            Some(instance) => (parts::instance_link(instance)),
            None => (reference),
        }
    }
}

fn addresses(instance: &Partition) -> Markup {
    html! {
        @if instance.addresses.is_empty() {
            p.faint { "None." }
        } @else {
            ul.addresses {
                @for address in &instance.addresses {
                    li { code { (address.address) } span.faint { (address.reference) } }
                }
            }
        }
    }
}

fn children(view: &View, instance: &Partition) -> Markup {
    let children: Vec<_> = view
        .survey
        .instances()
        .filter(|other| !other.is_root() && other.root() == instance.root())
        .filter(|other| other.row.requester_id == instance.row.reference)
        .collect();
    html! {
        @if !children.is_empty() {
            section.card {
                h2 { "Requested instances " span.faint { (children.len()) } }
                ul.feed {
                    @for child in &children {
                        li { div.line { (parts::instance_link(child)) (parts::badge(child.standing())) } }
                    }
                }
            }
        }
    }
}

fn hosted(view: &View, instance: &Partition) -> Markup {
    let row = &instance.row;
    let hosted = view.survey.slaves().filter(|slave| {
        slave.row.hosted_by == row.reference
            && slave.row.computer_reference == row.computer_reference
    });
    let mut hosted: Vec<_> = hosted.collect();
    hosted.sort_by_key(|slave| natural(&slave.row.reference));
    html! {
        @if !hosted.is_empty() {
            section.card #slaves {
                h2 { "Slaves " span.faint { (hosted.len()) } }
                @for slave in hosted.iter().take(MOST_SLAVES) { (slaves::details(view, slave)) }
                @if hosted.len() > MOST_SLAVES {
                    p.more { a href=(link(Tab::Slaves.link(), &[("q", &row.reference)])) { "All of them" } }
                }
            }
        }
    }
}
