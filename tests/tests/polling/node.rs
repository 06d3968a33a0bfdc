//! slapgrid, which stays and waits at the master.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal::SIGTERM;
use slap_client::InstanceRequest;
use slapos_tests::Side::Ours;
use slapos_tests::faults::is_processed;
use slapos_tests::population::describe;
use slapos_tests::{Background, COMPUTER, Node, instance_script, poll};

use super::PATIENCE;

/// An interval that no test waits for.
const HOURLY: &str = "--watch=3600";

fn passes(tool: &Background) -> usize {
    tool.text().matches("the master tells of a change").count()
}

#[test]
fn a_node_begins_within_a_second_after_the_request_and_rests_after_its_own_changes() {
    let mut node = Node::new();
    node.start_master(Ours);
    node.make_partitions(2);
    let slap = node.slap();
    describe(&slap, COMPUTER, 2);
    let url = node.install_release("web", &instance_script("service web 'exec sleep 1000'"));
    let request = |name: &str| {
        let instance = slap
            .register_open_order()
            .request(&InstanceRequest::new(&*url, name));
        instance.expect("a partition is free");
    };
    request("first");
    let tool = Background::grid(&node, "slapgrid-cp", &[HOURLY]);
    poll::until("the first instance runs", PATIENCE, || {
        is_processed(&node, 0)
    });
    let waiting = || {
        let (_, page) = node.ask_master("/metrics");
        page.contains("slapproxy_waiting_requests 1\n")
    };
    poll::until("the node waits", PATIENCE, waiting);
    let asked = Instant::now();
    request("second");
    poll::until("the node has begun", PATIENCE, || passes(&tool) == 1);
    let begun = asked.elapsed();
    poll::until("the second instance runs", PATIENCE, || {
        is_processed(&node, 1)
    });
    println!(
        "from the request to the beginning of the pass: {:.0} ms, to the instance: {:.0} ms",
        begun.as_secs_f64() * 1e3,
        asked.elapsed().as_secs_f64() * 1e3
    );
    assert!(begun < Duration::from_secs(5), "{begun:?}");
    poll::until("the node waits again", PATIENCE, waiting);
    // What an instance publishes asks for no work of its node.
    let own = slap.register_computer_partition(COMPUTER, "slappart0");
    let published = [("url".to_owned(), "http://x/".into())].into();
    own.set_connection_dict(&published, None).unwrap();
    poll::until("the node was told twice", PATIENCE, || {
        let (_, page) = node.ask_master("/metrics");
        page.contains("{call=\"getFullComputerInformation, waiting\",status=\"200\"} 2\n")
    });
    poll::until("the node waits again", PATIENCE, waiting);
    assert_eq!(passes(&tool), 1, "{}", tool.text());
    own.bang("to have an end").unwrap();
    poll::until("the node has begun", PATIENCE, || passes(&tool) == 2);
    let ended = tool.end(SIGTERM, Duration::from_secs(10));
    assert_eq!(ended.code, Some(0), "{}", ended.text);
}

#[test]
fn a_node_waits_again_at_a_master_that_was_away() {
    let mut node = Node::new();
    node.start_master(Ours);
    node.make_partitions(1);
    describe(&node.slap(), COMPUTER, 1);
    let url = node.install_release("web", &instance_script("service web 'exec sleep 1000'"));
    let tool = Background::grid(&node, "slapgrid-cp", &[HOURLY, "--verbose"]);
    let waits = |node: &Node| {
        poll::until("the node waits", PATIENCE, || {
            let (_, page) = node.ask_master("/metrics");
            page.contains("slapproxy_waiting_requests 1\n")
        });
    };
    waits(&node);
    node.stop_master();
    poll::until("the node has found nobody", PATIENCE, || {
        tool.text().contains("the master cannot be waited for")
    });
    node.start_master(Ours);
    waits(&node);
    let slap = node.slap();
    let order = slap.register_open_order();
    order.request(&InstanceRequest::new(&*url, "web")).unwrap();
    poll::until("the instance runs", PATIENCE, || is_processed(&node, 0));
    let ended = tool.end(SIGTERM, Duration::from_secs(10));
    assert_eq!(ended.code, Some(0), "{}", ended.text);
}

#[test]
fn a_node_that_waits_ends_at_once() {
    let mut node = Node::new();
    node.start_master(Ours);
    node.make_partitions(1);
    describe(&node.slap(), COMPUTER, 1);
    let tool = Background::grid(&node, "slapgrid-cp", &[HOURLY]);
    poll::until("the node waits", PATIENCE, || {
        let (_, page) = node.ask_master("/metrics");
        page.contains("slapproxy_waiting_requests 1\n")
    });
    let ended = tool.end(SIGTERM, Duration::from_secs(10));
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    assert!(ended.took < Duration::from_secs(2), "{:?}", ended.took);
}
