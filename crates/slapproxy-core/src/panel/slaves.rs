//! Every slave: a share of an instance.

use maud::{Markup, html};

use super::View;
use super::instances::natural;
use super::listing::Listing;
use super::page::{Page, Tab};
use super::{instance, parts};
use crate::survey::{Slave, parameters};

/// The page.
pub(super) fn page(view: &View) -> Page {
    let mut slaves: Vec<_> = view.survey.slaves().collect();
    slaves.sort_by_key(|slave| natural(&slave.row.reference));
    let listing = Listing::new(Tab::Slaves.link(), &view.query, slaves, words, |_| None);
    let hint = html! {
        "Request one: " code { "slapos-request --slave slapos.cfg RELEASE NAME" }
    };
    let content = html! {
        header.title { h1 { "Slaves" } }
        (listing.html(
            "Search names, hosts, parameters",
            ("No slave has been requested yet", hint),
            |slaves| html! { section.card { @for slave in slaves { (details(view, slave)) } } },
        ))
    };
    Page::new(Tab::Slaves, "Slaves", content)
}

/// A slave, its parameters folded away.
pub(super) fn details(view: &View, slave: &Slave) -> Markup {
    let row = &slave.row;
    let published = parameters(row.connection_xml.as_deref());
    let host = view
        .survey
        .partition(&row.computer_reference, &row.hosted_by);
    html! {
        details id=(format!("slave {} {}", row.computer_reference, row.reference)) {
            summary {
                b { (row.reference) }
                span.faint { "on " (host.map_or(row.hosted_by.as_str(), parts::name)) " · " (published.len()) " published" }
            }
            dl.facts {
                dt { "Host" } dd { @match host {
                    Some(host) => (parts::instance_link(host)),
                    None => (row.hosted_by),
                } }
                dt { "Requested by" } dd {
                    (instance::requester(view, &row.requester_id, |other| has_root(slave, other.root())))
                }
            }
            h3 { "Connection parameters" }
            (parts::parameters(&published))
            h3 { "Parameters" }
            (parts::parameters(&slave.parameters))
        }
    }
}

/// Whether the slave belongs to a tree: its reference begins with the root's name.
fn has_root(slave: &Slave, root: &str) -> bool {
    let rest = slave.row.reference.strip_prefix(root);
    rest.is_some_and(|rest| rest.starts_with('_'))
}

/// What a slave can be found by.
fn words(slave: &Slave) -> String {
    let row = &slave.row;
    let names = [
        &row.reference,
        &row.hosted_by,
        &row.computer_reference,
        &row.requester_id,
    ];
    let published = parameters(row.connection_xml.as_deref());
    let texts = published.iter().chain(&slave.parameters);
    let texts = texts.flat_map(|(key, value)| [Some(key), value.as_ref()]);
    let words: Vec<_> = names.into_iter().chain(texts.flatten()).cloned().collect();
    words.join("\n")
}
