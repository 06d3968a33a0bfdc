//! The whole path through our tools: master, format, software, request, instance.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use slapos_tests::Side::Ours;
use slapos_tests::{COMPUTER, Node, Tree, offline_hello, poll, shell_release};

/// Logs, which daemons write although nothing is done.
const LOGS: &[&str] = &[".log"];

/// A node of ours with a release installed.
fn node_with(mut node: Node, release: impl Fn(&Path) -> PathBuf) -> (Node, PathBuf) {
    node.start_master(Ours);
    node.format(Ours).expect(0);
    let release = release(node.path());
    node.supply(Ours, &release).expect(0);
    node.software(Ours).expect(0);
    (node, release)
}

/// Parameters of the hello instance.
fn hello(node: &Node, greeting: &str) -> [String; 2] {
    [
        format!("greeting={greeting}"),
        format!("port={}", node.page_port),
    ]
}

fn request(node: &Node, release: &Path, parameters: &[String], state: Option<&str>) -> String {
    let parameters: Vec<_> = parameters.iter().map(String::as_str).collect();
    node.request(Ours, release, "one", &parameters, state)
        .expect(0)
        .text()
}

/// The demo's steps, then changes of the instance one after the other.
fn life_of_an_instance(node: Node) {
    let (node, release) = node_with(node, offline_hello);
    request(&node, &release, &hello(&node, "first"), None);
    node.instance(Ours).expect(0);
    assert_eq!(node.page().as_deref(), Some("first\n"));
    let answer = request(&node, &release, &hello(&node, "first"), None);
    let url = format!("http://127.0.0.1:{}/", node.page_port);
    assert!(answer.contains(&url), "{answer}");

    // A changed parameter is deployed.
    request(&node, &release, &hello(&node, "second"), None);
    node.instance(Ours).expect(0);
    poll::until("the new page is served", Duration::from_secs(20), || {
        node.page().as_deref() == Some("second\n")
    });

    // Stopped: the service ends, the files stay.
    request(&node, &release, &hello(&node, "second"), Some("stopped"));
    node.instance(Ours).expect(0);
    assert_eq!(node.page(), None);
    let services = fs::read_dir(node.partition(0).join("etc/service")).unwrap();
    assert_eq!(services.count(), 1, "the instance's files are gone");

    // Started again.
    request(&node, &release, &hello(&node, "second"), Some("started"));
    node.instance(Ours).expect(0);
    assert_eq!(node.page().as_deref(), Some("second\n"));
}

#[test]
fn an_instance_lives_with_the_rights_of_the_caller() {
    life_of_an_instance(Node::new());
}

#[test]
fn an_instance_lives_without_root() {
    life_of_an_instance(Node::unprivileged());
}

/// All that a run with nothing to do must leave as it is.
#[derive(Debug, PartialEq)]
struct Moment {
    software: Tree,
    instance: Tree,
    service_pid: Option<String>,
}

impl Moment {
    fn of(node: &Node) -> Self {
        let status = node.services_status();
        let pid = status
            .split("pid ")
            .nth(1)
            .and_then(|rest| rest.split(',').next());
        Self {
            software: Tree::read(&node.software_root(), LOGS),
            instance: Tree::read(&node.instance_root(), LOGS),
            service_pid: pid.map(str::to_owned),
        }
    }
}

#[test]
fn nothing_changed_means_nothing_run_and_no_file_touched() {
    let (node, release) = node_with(Node::new(), offline_hello);
    request(&node, &release, &hello(&node, "same"), None);
    node.instance(Ours).expect(0);
    let before = Moment::of(&node);
    node.format(Ours).expect(0);
    node.software(Ours).expect(0);
    node.instance(Ours).expect(0);
    let after = Moment::of(&node);
    let none = Vec::<PathBuf>::new();
    assert_eq!(before.software.differences(&after.software), none);
    assert_eq!(before.instance.differences(&after.instance), none);
    assert!(before.service_pid.is_some(), "the service does not run");
    assert_eq!(
        before.service_pid, after.service_pid,
        "the service was restarted"
    );
}

#[test]
fn a_failing_promise_is_exit_code_2_and_the_master_is_told() {
    let (node, release) = node_with(Node::new(), |directory| {
        shell_release(
            directory,
            "failing-promise",
            "service sleeper 'exec sleep 1000'; promise never 'echo the moon is missing >&2; exit 1'",
        )
    });
    request(&node, &release, &[], None);
    let outcome = node.instance(Ours).expect(2);
    assert!(
        outcome.text().contains("the moon is missing"),
        "{}",
        outcome.text()
    );
    assert!(
        partition_status(&node).contains("the moon is missing"),
        "{}",
        partition_status(&node)
    );
    assert!(
        node.services_status().contains("RUNNING"),
        "the service was not started"
    );
    assert!(
        !node.partition(0).join(".timestamp").exists(),
        "recorded as processed"
    );
    // It is tried again although nothing changed at the master.
    node.instance(Ours).expect(2);
}

#[test]
fn a_failing_instance_is_exit_code_1_and_the_master_is_told() {
    let (node, release) = node_with(Node::new(), |directory| {
        shell_release(directory, "failing-instance", "echo no more cheese; exit 3")
    });
    request(&node, &release, &[], None);
    let outcome = node.instance(Ours).expect(1);
    assert!(
        outcome.text().contains("no more cheese"),
        "{}",
        outcome.text()
    );
    assert!(
        partition_status(&node).contains("no more cheese"),
        "{}",
        partition_status(&node)
    );
}

#[test]
fn a_failing_build_is_exit_code_1_and_the_master_is_told() {
    let mut node = Node::new();
    node.start_master(Ours);
    node.format(Ours).expect(0);
    let release = node.path().join("broken.cfg");
    fs::write(
        &release,
        "[buildout]\nparts = a\nindex = file:///no/such/index/\n[a]\nrecipe = no-such-recipe-anywhere\n",
    )
    .unwrap();
    node.supply(Ours, &release).expect(0);
    let outcome = node.software(Ours).expect(1);
    assert!(
        outcome.text().contains("no-such-recipe-anywhere"),
        "{}",
        outcome.text()
    );
    let status = node
        .ask_master(&format!("/getComputerStatus?computer_id={COMPUTER}"))
        .1;
    assert!(status.contains("no-such-recipe-anywhere"), "{status}");
    assert!(!completed(&node));
}

#[test]
fn without_its_master_a_node_starts_what_it_knows() {
    let (mut node, release) = node_with(Node::new(), offline_hello);
    request(&node, &release, &hello(&node, "alone"), None);
    node.instance(Ours).expect(0);
    node.stop_master();
    let mut stop = node.ours("slapgrid-supervisorctl");
    slapos_tests::Outcome::of(stop.arg(node.configuration()).args(["stop", "all"])).expect(0);
    assert_eq!(node.page(), None);
    node.instance(Ours).expect(3);
    poll::until("the service runs again", Duration::from_secs(20), || {
        node.page().as_deref() == Some("alone\n")
    });
}

/// What the master has heard of the first partition.
fn partition_status(node: &Node) -> String {
    let path = format!(
        "/getComputerPartitionStatus?computer_id={COMPUTER}&computer_partition_id=slappart0"
    );
    node.ask_master(&path).1
}

/// Whether any release is recorded as installed.
fn completed(node: &Node) -> bool {
    fs::read_dir(node.software_root())
        .unwrap()
        .any(|entry| entry.unwrap().path().join(".completed").exists())
}
