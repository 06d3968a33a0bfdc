//! Every instance, tree by tree.

use std::collections::HashSet;
use std::fmt::Write;

use maud::{Markup, html};

use super::View;
use super::listing::Listing;
use super::page::{Page, Tab};
use super::parts;
use crate::survey::{Partition, parameters};

/// What is said of an instance that is kept although its requester dropped it.
const UNREQUESTED: &str = "no longer requested";

/// The page.
pub(super) fn page(view: &View) -> Page {
    let mut instances: Vec<_> = view.survey.instances().collect();
    instances.sort_by_key(|instance| order(instance));
    let listing = Listing::new(
        Tab::Instances.link(),
        &view.query,
        instances,
        words,
        |instance| Some(instance.standing()),
    );
    let hint = html! { "Request one: " code { "slapos-request slapos.cfg RELEASE NAME" } };
    let content = html! {
        header.title { h1 { "Instances" } }
        (listing.html(
            "Search names, releases, parameters, addresses",
            ("No instance has been requested yet", hint),
            |instances| table(view, instances),
        ))
    };
    Page::new(Tab::Instances, "Instances", content)
}

/// Trees by name, each with its root first.
fn order(instance: &Partition) -> impl Ord + use<> {
    (
        natural(instance.root()),
        !instance.is_root(),
        natural(instance.title()),
    )
}

/// A key by which 10 comes after 9: numbers without their zeros, by length first.
pub(super) fn natural(name: &str) -> Vec<(usize, String)> {
    let is_digit = |character: char| character.is_ascii_digit();
    let mut key = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let digits = rest.find(|character| !is_digit(character));
        let (number, other) = rest.split_at(digits.unwrap_or(rest.len()));
        let (text, after) = other.split_at(other.find(is_digit).unwrap_or(other.len()));
        let number = number.trim_start_matches('0');
        key.push((number.len(), number.to_owned()));
        key.push((0, text.to_lowercase()));
        rest = after;
    }
    key
}

fn table(view: &View, instances: &[&Partition]) -> Markup {
    let roots = instances.iter().filter(|instance| instance.is_root());
    let roots: HashSet<_> = roots.map(|root| root.title()).collect();
    html! {
        div.card.flush {
            table {
                thead {
                    tr {
                        th { "Instance" } th { "State" } th { "Wanted" } th { "Last report" }
                        th { "Release" } th { "Partition" }
                    }
                }
                tbody {
                    @for instance in instances { (row(view, instance, roots.contains(instance.root()))) }
                }
            }
        }
    }
}

/// A row; one of a child leads up to its root's, if that is above.
fn row(view: &View, instance: &Partition, is_root_above: bool) -> Markup {
    let release = instance.row.software_release.as_deref().unwrap_or_default();
    let software_type = instance.row.software_type.as_deref().unwrap_or_default();
    html! {
        tr data-key=(parts::key(instance)) {
            td.main.child[is_root_above && !instance.is_root()] {
                (parts::instance_link(instance))
                @if !instance.is_root() { span.faint.aside { "in " (instance.root()) } }
                @if instance.unrequested.is_some() { span.faint.aside { (UNREQUESTED) } }
            }
            td.state { (parts::badge(instance.standing())) }
            td data-label="Wanted" { div { (instance.row.requested_state) } }
            td data-label="Last report" { div { (parts::report(view.now, instance.report.as_ref())) } }
            td data-label="Release" {
                div {
                    span title=(release) { (parts::release_name(release)) }
                    span.faint.aside { (software_type) }
                }
            }
            td data-label="Partition" {
                div {
                    (instance.row.reference)
                    a.faint.aside href=(parts::computer_page(&instance.row.computer_reference)) {
                        (instance.row.computer_reference)
                    }
                }
            }
        }
    }
}

/// What an instance can be found by.
fn words(instance: &Partition) -> String {
    let row = &instance.row;
    let names = [
        instance.title(),
        instance.root(),
        &row.reference,
        &row.computer_reference,
        row.software_release.as_deref().unwrap_or_default(),
        row.software_type.as_deref().unwrap_or_default(),
        instance.unrequested.map_or("", |_| UNREQUESTED),
    ];
    let mut words = names.join("\n");
    for address in &instance.addresses {
        // Writing to a String cannot fail.
        let _ = write!(words, "\n{}", address.address);
    }
    for document in [&row.xml, &row.connection_xml] {
        for (key, value) in parameters(document.as_deref()) {
            let _ = write!(words, "\n{key}\n{}", value.unwrap_or_default());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_ordered_as_numbers() {
        let mut names = [
            "b",
            "Node-10",
            "node-9",
            "node-9a",
            "010",
            "9",
            "99999999999999999999",
            "",
        ];
        names.sort_by_key(|name| natural(name));
        let ordered = [
            "",
            "b",
            "node-9",
            "node-9a",
            "Node-10",
            "9",
            "010",
            "99999999999999999999",
        ];
        assert_eq!(names, ordered);
    }
}
