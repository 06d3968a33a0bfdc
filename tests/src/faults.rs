//! Faults of everything around the node: a node with an instance to deploy, and the rows of the table
//! that the tests of faults show.

use std::fs;

use slap_proto::documents::SoftwareState;

use crate::{Instance, Node, Outcome, ScriptedMaster, Side, instance_script};

/// An instance with one service, `web`.
pub const SERVICE: &str = "service web 'exec sleep 1000'";
/// The release of [`with_release`].
pub const URL: &str = "http://releases.invalid/one/software.cfg";

/// A node whose first partition of two shall have an instance that this script builds.
pub fn with_instance(script: &str) -> (Node, ScriptedMaster) {
    let node = Node::new();
    let master = ScriptedMaster::start(node.master_port);
    node.make_partitions(2);
    let url = node.install_release("web", &instance_script(script));
    master.script().instances = vec![Instance::new("slappart0", &url)];
    master.script().free = vec!["slappart1".to_owned()];
    (node, master)
}

/// A node that shall have a release that this script builds.
pub fn with_release(node: Node, script: &str) -> (Node, ScriptedMaster) {
    let bootstrap = node.fake_bootstrap(script);
    node.configure(&[("buildout", &bootstrap)]);
    let master = ScriptedMaster::start(node.master_port);
    master.script().releases = vec![(URL.to_owned(), SoftwareState::Available)];
    (node, master)
}

/// A pass of slapgrid-cp.
pub fn instance(node: &Node) -> Outcome {
    node.grid(Side::Ours, "slapgrid-cp", "instance", &[])
}

/// A pass of slapgrid-sr.
pub fn software(node: &Node) -> Outcome {
    node.grid(Side::Ours, "slapgrid-sr", "software", &[])
}

/// A row of the table: the fault, what happened, and what the next run did.
pub fn row(fault: &str, happened: &Outcome, next: &Outcome) {
    println!("| {fault} | {} | {} |", summary(happened), summary(next));
}

/// The exit code, and the last line of the summary at the end of a run.
fn summary(outcome: &Outcome) -> String {
    let text = outcome.text();
    let failed = text
        .lines()
        .rev()
        .find_map(|line| line.split_once("failed: "));
    let message = failed.map_or_else(|| text.lines().last(), |(_, message)| Some(message));
    match outcome.code {
        Some(0) => "exit 0".to_owned(),
        Some(code) => format!("exit {code}: {}", message.unwrap_or_default()),
        None => "ended by a signal".to_owned(),
    }
}

/// The messages for people must name the thing.
#[track_caller]
pub fn says(outcome: &Outcome, part: &str) {
    let text = outcome.text();
    assert!(text.contains(part), "{part:?} is not in:\n{text}");
    assert!(!text.contains("panicked"), "{text}");
}

/// Whether the last pass recorded a success.
pub fn is_processed(node: &Node, partition: usize) -> bool {
    node.partition(partition).join(".timestamp").exists()
}

/// Whether the service of [`SERVICE`] runs.
pub fn runs(node: &Node) -> bool {
    let status = node.services_status();
    let mut lines = status.lines();
    lines.any(|line| line.contains("web-on-watch") && line.contains("RUNNING"))
}

/// The processes that a process has started and not waited for.
pub fn children(pid: i32) -> Vec<i32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let children = children.unwrap_or_default();
    children
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

/// Whether a process exists and is no zombie.
pub fn lives(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.starts_with(" Z"))
    })
}

/// A usage report of one resource, as instances write it.
pub fn consumption(resource: &str) -> String {
    format!(
        "<consumption><movement><resource>{resource}</resource><quantity>42</quantity>\
         <price>0.00</price><VAT>None</VAT></movement></consumption>"
    )
}
