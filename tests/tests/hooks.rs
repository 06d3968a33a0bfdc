//! Hooks: programs of the admin that are told of each release and partition.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use slap_proto::documents::SoftwareState;
use slapos_tests::Side::Ours;
use slapos_tests::{Instance, Node, Outcome, ScriptedMaster, instance_script, write_program};

/// A node with a directory of hooks.
fn node() -> (Node, ScriptedMaster) {
    let node = Node::new();
    let hooks = node.path().join("hooks");
    fs::create_dir(&hooks).unwrap();
    let bootstrap = node.fake_bootstrap("echo build >> ../order; touch instance.cfg");
    node.configure(&[
        ("hooks_directory", &hooks.display().to_string()),
        ("buildout", &bootstrap),
    ]);
    let master = ScriptedMaster::start(node.master_port);
    (node, master)
}

fn hook(node: &Node, event: &str, name: &str, body: &str) {
    let directory = node.path().join("hooks").join(event);
    fs::create_dir_all(&directory).unwrap();
    let log = node.path().join("hooks.log");
    let text = format!("#!/bin/sh\nLOG={}\n{body}\n", log.display());
    write_program(&directory.join(name), &text);
}

/// What hooks have written into their log.
fn log(node: &Node) -> String {
    fs::read_to_string(node.path().join("hooks.log")).unwrap_or_default()
}

fn run(node: &Node, tool: &str) -> Outcome {
    node.grid(Ours, tool, "", &["--jobs", "1"])
}

fn json(line: &str) -> serde_json::Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
}

#[test]
fn hooks_learn_of_a_release_before_and_after() {
    let (node, master) = node();
    hook(&node, "software", "10-tell", "cat >> $LOG; echo >> $LOG");
    hook(
        &node,
        "software",
        "20-order",
        "echo \"$(basename $0)\" >> $LOG",
    );
    hook(
        &node,
        "software-tear-down",
        "10-tell",
        "cat >> $LOG; echo >> $LOG",
    );
    let url = "http://releases.invalid/one/software.cfg";
    master.script().releases = vec![(url.to_owned(), SoftwareState::Available)];
    run(&node, "slapgrid-sr").expect(0);
    let text = log(&node);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "20-order");
    let (before, after) = (json(lines[0]), json(lines[2]));
    assert_eq!(before["event"], "software");
    assert_eq!(after["event"], "software-tear-down");
    assert_eq!(before["version"], 1);
    assert_eq!(before["computer_id"], "COMP-1");
    assert_eq!(before["software"]["url"], url);
    assert_eq!(before["software"]["requested_state"], "available");
    let directory = node.release(url).display().to_string();
    assert_eq!(before["software"]["directory"], directory.as_str());
    run(&node, "slapgrid-sr").expect(0);
    assert_eq!(log(&node), text, "nothing was to be done");
}

#[test]
fn hooks_learn_of_an_instance_until_its_removal() {
    let (node, master) = node();
    for event in [
        "instance",
        "instance-tear-down",
        "report",
        "report-tear-down",
    ] {
        hook(&node, event, "tell", "cat >> $LOG; echo >> $LOG");
    }
    node.make_partitions(1);
    let url = node.install_release("web", &instance_script("touch data"));
    master.script().instances = vec![Instance::new("slappart0", &url)];
    run(&node, "slapgrid-cp").expect(0);
    master.script().instance("slappart0").state = "destroyed".to_owned();
    run(&node, "slapgrid-ur").expect(0);
    let text = log(&node);
    let events: Vec<serde_json::Value> = text.lines().map(json).collect();
    let names: Vec<&str> = events
        .iter()
        .filter_map(|event| event["event"].as_str())
        .collect();
    assert_eq!(
        names,
        [
            "instance",
            "instance-tear-down",
            "report",
            "report-tear-down"
        ]
    );
    let partition = &events[0]["partition"];
    assert_eq!(partition["reference"], "slappart0");
    assert_eq!(partition["requested_state"], "started");
    assert_eq!(partition["software_release_url"], url.as_str());
    let directory = node.partition(0).display().to_string();
    assert_eq!(partition["directory"], directory.as_str());
    assert!(
        partition["uid"].as_u64().is_some_and(|uid| uid > 0),
        "{partition}"
    );
    assert_eq!(events[2]["partition"]["requested_state"], "destroyed");
}

#[test]
fn a_failing_hook_fails_its_partition_and_not_the_run() {
    let (node, master) = node();
    hook(
        &node,
        "instance",
        "picky",
        "grep -q slappart1 && exit 0; echo I do not like it; exit 7",
    );
    node.make_partitions(2);
    let url = node.install_release("web", &instance_script("touch data"));
    master.script().instances = vec![
        Instance::new("slappart0", &url),
        Instance::new("slappart1", &url),
    ];
    let outcome = run(&node, "slapgrid-cp").expect(1);
    assert!(
        !node.partition(0).join("data").exists(),
        "built although the hook failed"
    );
    assert!(node.partition(1).join(".timestamp").exists());
    for part in [
        "the hook picky of the event instance failed",
        "I do not like it",
        "exit status 7",
    ] {
        assert!(outcome.text().contains(part), "{part}: {}", outcome.text());
    }
    let calls = master.calls();
    let told: Vec<String> = calls.iter().map(ToString::to_string).collect();
    assert!(
        told.contains(&"softwareInstanceError slappart0".to_owned()),
        "{told:?}"
    );
    assert!(
        told.contains(&"startedComputerPartition slappart1".to_owned()),
        "{told:?}"
    );
    fs::remove_file(node.path().join("hooks/instance/picky")).unwrap();
    run(&node, "slapgrid-cp").expect(0);
}

#[test]
fn hooks_that_others_may_change_are_not_run() {
    let (node, master) = node();
    hook(&node, "software", "open", "echo run >> $LOG");
    let path = node.path().join("hooks/software/open");
    fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
    let url = "http://releases.invalid/one/software.cfg".to_owned();
    master.script().releases = vec![(url, SoftwareState::Available)];
    let outcome = run(&node, "slapgrid-sr").expect(1);
    assert!(
        outcome
            .text()
            .contains("hooks/software/open may be changed by others")
    );
    assert_eq!(log(&node), "");
}

#[test]
fn hooks_learn_of_the_computer_before_and_after() {
    let (node, _master) = node();
    let tell = "cat >> $LOG; echo >> $LOG; ls instance | wc -l >> $LOG";
    let tell = tell.replace("instance", &node.instance_root().display().to_string());
    hook(&node, "format", "tell", &tell);
    hook(
        &node,
        "format-tear-down",
        "tell",
        "cat >> $LOG; echo I have heard",
    );
    let mut dry_run = node.ours_with("slapformat", &["--dry_run"]);
    Outcome::of(&mut dry_run).expect(0);
    assert_eq!(log(&node), "", "a dry run");
    let outcome = node.format(Ours).expect(0);
    let text = log(&node);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "0", "no partition was there before");
    let (before, after) = (json(lines[0]), json(lines[2]));
    assert_eq!(before["event"], "format");
    assert_eq!(after["event"], "format-tear-down");
    assert_eq!(before["computer"], after["computer"]);
    let partition = &after["computer"]["partitions"][1];
    assert_eq!(partition["reference"], "slappart1");
    assert_eq!(partition["user"], node.owner());
    assert_eq!(partition["addresses"][0], "127.0.0.1");
    let directory = node.partition(1).display().to_string();
    assert_eq!(partition["directory"], directory.as_str());
    let log = fs::read_to_string(node.path().join("format.log")).unwrap();
    assert!(log.contains("I have heard"), "{log}{}", outcome.text());
}

#[test]
fn a_failing_hook_leaves_the_computer_as_it_is() {
    let (node, master) = node();
    hook(&node, "format", "picky", "echo I do not like it; exit 7");
    let outcome = node.format(Ours).expect(1);
    for part in ["a hook of the event format failed", "I do not like it", "7"] {
        assert!(outcome.text().contains(part), "{part}: {}", outcome.text());
    }
    assert!(!node.partition(0).exists());
    fs::remove_file(node.path().join("hooks/format/picky")).unwrap();
    hook(&node, "format-tear-down", "picky", "exit 7");
    node.format(Ours).expect(1);
    assert!(node.partition(0).exists());
    assert!(master.calls().is_empty(), "the master was told");
    fs::remove_file(node.path().join("hooks/format-tear-down/picky")).unwrap();
    node.format(Ours).expect(0);
}
