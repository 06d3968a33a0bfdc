//! slapgrid-ur: partitions of instances that are no longer wanted.

use std::fs;

use slapos_tests::Side::Ours;
use slapos_tests::{Node, Outcome, shell_release};

fn report(node: &Node) -> Outcome {
    node.grid(Ours, "slapgrid-ur", "report", &[])
}

/// A node whose only instance was deployed by this script and shall be destroyed.
fn unwanted(script: &str) -> Node {
    let mut node = Node::new();
    node.start_master(Ours);
    node.format(Ours).expect(0);
    let release = shell_release(node.path(), "release", script);
    node.supply(Ours, &release).expect(0);
    node.software(Ours).expect(0);
    node.request(Ours, &release, "one", &[], None).expect(0);
    node.instance(Ours).expect(0);
    node.request(Ours, &release, "one", &[], Some("destroyed"))
        .expect(0);
    node.instance(Ours).expect(0);
    node
}

/// Names of what is in the first partition.
fn contents(node: &Node) -> Vec<String> {
    let entries = fs::read_dir(node.partition(0)).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn what_is_no_longer_wanted_is_emptied_and_free_again() {
    let node = unwanted("service sleeper 'exec sleep 1000'");
    assert!(
        !node.services_status().contains("RUNNING"),
        "{}",
        node.services_status()
    );
    assert!(
        contents(&node).contains(&"etc".to_owned()),
        "slapgrid-cp only stops"
    );
    report(&node).expect(0);
    assert_eq!(contents(&node), Vec::<String>::new());
    let path = "/registerComputerPartition?computer_reference=COMP-1&computer_partition_reference=slappart0";
    let answer = node.ask_master(path).1;
    assert!(
        answer.contains("<string>_need_modification</string><int>0</int>"),
        "{answer}"
    );
    report(&node).expect(0);
}

#[test]
fn a_destruction_that_fails_keeps_the_data_and_is_exit_code_1() {
    let node = unwanted(
        "mkdir -p sbin; printf '#!/bin/sh\\nexit 7\\n' > sbin/destroy; chmod 700 sbin/destroy; echo precious > data",
    );
    let outcome = report(&node).expect(1);
    assert!(
        outcome.text().contains("exit status 7"),
        "{}",
        outcome.text()
    );
    assert!(contents(&node).contains(&"data".to_owned()));
}
