//! What the node says of itself, and how it comes up after a start of the machine.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal::SIGTERM, kill};
use slapos_tests::Side::Ours;
use slapos_tests::promises::{add_plugin, add_program, switch};
use slapos_tests::{Background, Instance, Node, Outcome, ScriptedMaster, instance_script, poll};

const PATIENCE: Duration = Duration::from_secs(30);

/// A node with an instance that has a service and a promise.
fn deployed() -> (Node, ScriptedMaster) {
    let node = Node::new();
    node.make_partitions(2);
    let script = instance_script("service web 'exec sleep 1000'");
    let url = node.install_release("web", &script);
    let master = ScriptedMaster::start(node.master_port);
    master.script().instances = vec![Instance::new("slappart0", &url)];
    master.script().free = vec!["slappart1".to_owned()];
    add_program(
        &node,
        0,
        "old",
        "[ ! -e broken ] || { echo out of order; exit 1; }",
    );
    grid(&node, &[]).expect(0);
    (node, master)
}

fn grid(node: &Node, arguments: &[&str]) -> Outcome {
    node.grid(Ours, "slapgrid-cp", "instance", arguments)
}

#[test]
fn the_status_names_what_is_wrong() {
    let (node, master) = deployed();
    drop(master);
    let text = grid(&node, &["--status"]).expect(0).stdout;
    assert_eq!(
        text,
        "slappart0: processed 0 min ago, services: 1 of 1 well, promises: 1 of 1 kept\n"
    );

    let other = grid(&node, &["--status", "--only-cp", "slappart1"]);
    assert_eq!(other.expect(0).stdout, "");

    node.write_in_partition(0, "broken", "", 0o644);
    fs::write(
        node.partition(0)
            .join(".slapgrid/promise/result/old.status.json"),
        r#"{"result": {"failed": true, "message": "out of order\nand more"}}"#,
    )
    .unwrap();
    add_plugin(&node, 0, "new.py", &switch("pass"));
    let text = grid(&node, &["--status"]).expect(2).stdout;
    assert!(
        text.contains("promises: 0 of 2 kept\n    promise old: out of order\n"),
        "{text}"
    );

    node.control(&["stop", "all"]).expect(0);
    let text = grid(&node, &["--status"]).expect(1).stdout;
    assert!(text.contains("services: 0 of 1 well"), "{text}");
    assert!(text.contains("    service web-on-watch: Stopped"), "{text}");

    let json = grid(&node, &["--status", "--json"]).expect(1).stdout;
    let status: serde_json::Value = serde_json::from_str(&json).unwrap();
    let partition = &status["partitions"][0];
    assert_eq!(partition["reference"], "slappart0");
    assert_eq!(partition["services"][0]["runs"], false);
    assert_eq!(partition["promises"][0]["name"], "new.py");
    assert_eq!(partition["promises"][0]["kept"], serde_json::Value::Null);
    assert_eq!(partition["promises"][1]["kept"], false);

    node.control(&["shutdown"]).expect(0);
    poll::until("supervisord has ended", PATIENCE, || {
        node.supervisord().is_none()
    });
    let text = grid(&node, &["--status"]).expect(1).stdout;
    assert!(text.starts_with("supervisord does not answer: "), "{text}");
    assert!(node.supervisord().is_none(), "the status started it");
}

#[test]
fn what_an_instance_writes_does_not_command_the_terminal() {
    let (node, _master) = deployed();
    let results = node.partition(0).join(".slapgrid/promise/result");
    let forged = "x\nslappart1: processed 0 min ago\x1b[2J";
    add_program(&node, 0, forged, "exit 1");
    for name in ["old", forged] {
        let message = r#"{"result": {"failed": true, "message": "\u001b]0;title\u0007 out"}}"#;
        fs::write(results.join(format!("{name}.status.json")), message).unwrap();
    }
    let text = grid(&node, &["--status"]).expect(2).stdout;
    assert!(
        text.contains("    promise old: \\u{1b}]0;title\\u{7} out\n"),
        "{text}"
    );
    assert!(
        text.contains("    promise x\n        slappart1: processed 0 min ago\\u{1b}[2J: "),
        "{text}"
    );
    let is_ours = |line: &&str| line.starts_with("slappart");
    assert_eq!(text.lines().filter(is_ours).count(), 1, "{text}");
}

#[test]
fn the_status_of_a_fresh_node_is_empty() {
    let node = Node::new();
    let text = grid(&node, &["--status"]).expect(1).stdout;
    assert!(text.starts_with("supervisord does not answer: "), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn after_a_boot_services_come_first_then_the_master_is_waited_for() {
    let (node, master) = deployed();
    let url = master.script().instance("slappart0").release.clone();
    drop(master);
    node.control(&["shutdown"]).expect(0);
    poll::until("supervisord has ended", PATIENCE, || {
        node.supervisord().is_none()
    });
    let mut command = node.ours("slapgrid-cp");
    let command = command
        .args(["--boot", "--console"])
        .arg(node.configuration());
    let run = command.stderr(Stdio::piped()).spawn().unwrap();
    poll::until("the service runs without a master", PATIENCE, || {
        node.services_status().contains("RUNNING")
    });
    assert!(
        node.partition(0).join(".timestamp").exists(),
        "forgotten too early"
    );

    let master = ScriptedMaster::start(node.master_port);
    master.script().instances = vec![Instance::new("slappart0", &url)];
    let output = run.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("waiting for the master"), "{text}");
    assert!(
        text.contains("processing (started): it was not processed with success"),
        "{text}"
    );
    let calls = master.calls();
    let endpoints: Vec<_> = calls.iter().map(|call| call.endpoint.as_str()).collect();
    let expected = [
        "computerBang",
        "getFullComputerInformation",
        "startedComputerPartition",
    ];
    assert_eq!(endpoints, expected);
    assert_eq!(calls[0].field("message"), "Reboot");
}

#[test]
fn a_boot_that_the_master_refuses_is_told_and_goes_on() {
    let (node, master) = deployed();
    let refusal = slapos_tests::Misbehaviour::Answer(403, "unknown".to_owned());
    master.script().fail_once("computerBang", refusal);
    master.calls();
    let outcome = grid(&node, &["--boot"]).expect(1);
    assert!(
        outcome.text().contains("cannot bang the computer"),
        "{}",
        outcome.text()
    );
    let calls = master.calls();
    assert_eq!(calls.last().unwrap().endpoint, "startedComputerPartition");
}

#[test]
fn waiting_for_the_master_can_be_interrupted() {
    let (node, master) = deployed();
    drop(master);
    let mut command = node.ours("slapgrid-cp");
    let mut run = command
        .arg("--boot")
        .arg(node.configuration())
        .spawn()
        .unwrap();
    let log = || fs::read_to_string(node.path().join("slapgrid.pid")).unwrap_or_default();
    poll::until("the run has begun", PATIENCE, || !log().is_empty());
    let pid = nix::unistd::Pid::from_raw(i32::try_from(run.id()).unwrap());
    kill(pid, SIGTERM).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(1));
}

#[test]
fn only_the_promises_are_checked_on_demand() {
    let (node, master) = deployed();
    node.write_in_partition(0, "broken", "", 0o644);
    master.calls();
    let outcome = grid(&node, &["--promises-only"]).expect(2);
    assert!(
        outcome.text().contains("out of order"),
        "{}",
        outcome.text()
    );
    assert_eq!(master.calls().len(), 1, "the master was told");
    // The next pass tells, although nothing is due.
    grid(&node, &[]).expect(2);
    assert_eq!(
        master.calls().last().unwrap().endpoint,
        "softwareInstanceError"
    );
    let outcome = grid(&node, &["--promises-only", "--only-cp", "slappart7"]).expect(1);
    assert!(outcome.text().contains("slappart7"), "{}", outcome.text());
    drop(master);
    grid(&node, &["--promises-only"]).expect(1);
}

#[test]
fn supervisord_is_started_on_demand_in_the_background_or_the_foreground() {
    let node = Node::new();
    // By nobody else: this is for those who start it by a service manager.
    node.configure(&[("forbid_supervisord_automatic_launch", "true")]);
    let start = |arguments: &[&str]| node.ours_with("slapgrid-supervisord", arguments);
    let mut tool = Background::start(&node, start(&["--nodaemon"]));
    poll::until("it answers", PATIENCE, || {
        node.control(&["pid"]).code == Some(0)
    });
    assert_eq!(node.supervisord(), Some(tool.pid()));
    Outcome::of(&mut start(&["-n"])).expect(1);
    assert!(!tool.has_ended());
    tool.end(SIGTERM, PATIENCE);
    Outcome::of(&mut start(&[])).expect(0);
    node.control(&["pid"]).expect(0);
}
