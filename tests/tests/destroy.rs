//! slapgrid-ur: partitions of instances that are no longer wanted.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use slapos_tests::Side::Ours;
use slapos_tests::{
    Instance, Misbehaviour, Node, Outcome, ScriptedMaster, instance_script, poll, shell_release,
};

const PATIENCE: Duration = Duration::from_secs(20);

fn report(node: &Node) -> Outcome {
    node.grid(Ours, "slapgrid-ur", "report", &[])
}

fn instance(node: &Node) -> Outcome {
    node.grid(Ours, "slapgrid-cp", "instance", &[])
}

/// A node whose only instance was built by this script and shall be destroyed.
fn unwanted(script: &str) -> (Node, ScriptedMaster) {
    let node = Node::new();
    let master = ScriptedMaster::start(node.master_port);
    node.make_partitions(1);
    let url = node.install_release("web", &instance_script(script));
    master.script().instances = vec![Instance::new("slappart0", &url)];
    instance(&node).expect(0);
    let mut script = master.script();
    script.instance("slappart0").state = "destroyed".to_owned();
    script.instance("slappart0").timestamp = "1700000001".to_owned();
    drop(script);
    master.calls();
    (node, master)
}

/// Names of what is in a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn contents(node: &Node) -> Vec<String> {
    names(&node.partition(0))
}

fn calls(master: &ScriptedMaster) -> Vec<String> {
    master.calls().iter().map(ToString::to_string).collect()
}

/// slapgrid-ur, running.
fn start_report(node: &Node) -> Child {
    let mut command = node.ours_with("slapgrid-ur", &["--now"]);
    command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn what_is_no_longer_wanted_is_emptied_and_free_again_at_slapproxy() {
    let mut node = Node::new();
    node.start_master(Ours);
    node.format(Ours).expect(0);
    let release = shell_release(node.path(), "release", "service sleeper 'exec sleep 1000'");
    node.supply(Ours, &release).expect(0);
    node.software(Ours).expect(0);
    node.request(Ours, &release, "one", &[], None).expect(0);
    instance(&node).expect(0);
    node.request(Ours, &release, "one", &[], Some("destroyed"))
        .expect(0);
    instance(&node).expect(0);
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
    let script = "mkdir -p sbin; printf '#!/bin/sh\\nexit 7\\n' > sbin/destroy; chmod 700 sbin/destroy; \
        echo precious > data";
    let (node, master) = unwanted(script);
    let outcome = report(&node).expect(1);
    assert!(
        outcome.text().contains("exit status 7"),
        "{}",
        outcome.text()
    );
    assert!(contents(&node).contains(&"data".to_owned()));
    assert!(
        !calls(&master)
            .iter()
            .any(|call| call.starts_with("destroyed"))
    );
}

#[test]
fn an_emptied_partition_takes_the_next_instance() {
    let (node, master) = unwanted("echo old > data; chmod 500 .; chmod 750 .");
    report(&node).expect(0);
    let mode = node.partition(0).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o750);
    let url = node.install_release("next", &instance_script("touch next"));
    master.script().free.clear();
    master.script().instances = vec![Instance::new("slappart0", &url)];
    instance(&node).expect(0);
    assert!(contents(&node).contains(&"next".to_owned()));
    assert!(!contents(&node).contains(&"data".to_owned()));
}

#[test]
fn a_root_keeps_its_directory_while_the_master_keeps_it() {
    let (node, master) = unwanted("echo precious > data");
    let children = "Not destroying yet because this partition has child partitions: child";
    let answer = Misbehaviour::Answer(200, children.to_owned());
    master
        .script()
        .fail_once("destroyedComputerPartition", answer);
    let outcome = report(&node).expect(0);
    assert!(
        outcome.text().contains("child partitions: child"),
        "{}",
        outcome.text()
    );
    assert!(
        contents(&node).contains(&"data".to_owned()),
        "{:?}",
        contents(&node)
    );
    // What slapgrid-cp does meanwhile takes nothing away.
    instance(&node).expect(0);
    assert!(contents(&node).contains(&"data".to_owned()));
    report(&node).expect(0);
    assert!(contents(&node).is_empty());
}

#[test]
fn a_failure_of_the_master_keeps_the_data_until_it_answers() {
    let (node, master) = unwanted("echo precious > data");
    master.script().fail_once(
        "destroyedComputerPartition",
        Misbehaviour::Answer(500, String::new()),
    );
    report(&node).expect(1);
    assert!(contents(&node).contains(&"data".to_owned()));
    report(&node).expect(0);
    assert!(contents(&node).is_empty());
    // A master that does not know it has nothing to keep.
    let (node, master) = unwanted("echo precious > data");
    master.script().fail_once(
        "destroyedComputerPartition",
        Misbehaviour::Answer(404, String::new()),
    );
    report(&node).expect(0);
    assert!(contents(&node).is_empty());
}

/// Kills slapgrid-ur when the master has set the partition free, before it knows.
fn killed_after_the_release_of_the_partition(script: &str) -> (Node, ScriptedMaster) {
    let (node, master) = unwanted(script);
    let late = Misbehaviour::Late(Duration::from_secs(30));
    master
        .script()
        .fail_once("destroyedComputerPartition", late);
    let mut tool = start_report(&node);
    let mut seen = Vec::new();
    poll::until("the destruction is reported", PATIENCE, || {
        seen.extend(calls(&master));
        seen.iter()
            .any(|call| call.starts_with("destroyedComputerPartition"))
    });
    tool.kill().unwrap();
    tool.wait().unwrap();
    assert!(contents(&node).contains(&"data".to_owned()));
    (node, master)
}

#[test]
fn after_a_crash_a_partition_that_the_master_set_free_is_emptied() {
    let (node, master) = killed_after_the_release_of_the_partition("echo secret > data");
    instance(&node).expect(0);
    assert!(contents(&node).is_empty(), "{:?}", contents(&node));
    assert_eq!(calls(&master), ["getFullComputerInformation"]);
    instance(&node).expect(0);
}

#[test]
fn after_a_crash_the_next_instance_does_not_see_the_data_of_the_last_one() {
    let (node, master) = killed_after_the_release_of_the_partition("echo secret > data");
    let url = node.install_release("next", &instance_script("ls > seen"));
    master.script().free.clear();
    // Even with the timestamp that was processed last.
    let mut next = Instance::new("slappart0", &url);
    next.timestamp = "1700000000".to_owned();
    master.script().instances = vec![next];
    instance(&node).expect(0);
    let seen = fs::read_to_string(node.partition(0).join("seen")).unwrap();
    assert!(!seen.contains("data"), "{seen}");
}

#[test]
fn programs_before_the_removal_run_once_to_their_end() {
    let script = "program prerm last 'echo ran >> ../prerm.log; while [ ! -e ../go ]; do sleep 0.05; done'; \
        service web 'exec sleep 1000'";
    let (node, master) = unwanted(script);
    // The program runs as the partition's user.
    let log = node.instance_root().join("prerm.log");
    fs::write(&log, "").unwrap();
    fs::set_permissions(&log, fs::Permissions::from_mode(0o666)).unwrap();
    let ran = || fs::read_to_string(&log).unwrap().lines().count();
    report(&node).expect(0);
    poll::until("the program runs", PATIENCE, || ran() == 1);
    let outcome = report(&node).expect(0);
    assert!(
        outcome.text().contains("slappart0-prerm:last runs"),
        "{}",
        outcome.text()
    );
    assert!(contents(&node).contains(&"etc".to_owned()));
    assert!(
        !calls(&master)
            .iter()
            .any(|call| call.starts_with("destroyed"))
    );
    assert!(
        !node.services_status().contains("web-on-watch"),
        "the services are stopped"
    );
    fs::write(node.instance_root().join("go"), "").unwrap();
    poll::until("the program ends", PATIENCE, || {
        !node.services_status().contains("RUNNING")
    });
    report(&node).expect(0);
    assert_eq!(ran(), 1);
    assert!(contents(&node).is_empty());
    assert_eq!(node.services_status(), "");
    assert!(names(&node.instance_root().join("etc/supervisord.conf.d")).is_empty());
}

#[test]
fn without_a_master_services_are_started_and_programs_before_the_removal_are_not_run_again() {
    let script = "program prerm last 'while [ ! -e ../go ]; do sleep 0.05; done'; \
        service web 'exec sleep 1000'";
    let (node, mut master) = unwanted(script);
    node.make_more_partitions(1, 2);
    let url = master.script().instances[0].release.clone();
    let other = Instance::new("slappart1", &url);
    master.script().instances.push(other);
    instance(&node).expect(0);
    report(&node).expect(0);
    fs::write(node.instance_root().join("go"), "").unwrap();
    poll::until("the program has ended", PATIENCE, || {
        node.services_status().contains("EXITED")
    });
    node.control(&["stop", "slappart1:*"]);
    master.stop();
    instance(&node).expect(3);
    assert!(node.services_status().contains("RUNNING"));
    let log = node.instance_root().join("var/log/supervisord.log");
    let log = fs::read_to_string(log).unwrap();
    assert_eq!(log.matches("spawned: 'last'").count(), 1, "{log}");
}

#[test]
fn programs_of_others_do_not_hold_a_destruction_up() {
    let script = "echo slappart1:web-on-watch > .slapos-report-wait-service-list; \
        service web 'exec sleep 1000'";
    let (node, master) = unwanted(script);
    node.make_more_partitions(1, 2);
    let url = master.script().instances[0].release.clone();
    master
        .script()
        .instances
        .push(Instance::new("slappart1", &url));
    instance(&node).expect(0);
    assert!(node.services_status().contains("slappart1:web-on-watch"));
    report(&node).expect(0);
    assert!(contents(&node).is_empty(), "{:?}", contents(&node));
}

#[test]
fn an_instance_that_is_wanted_again_loses_its_removal_programs_and_nothing_else() {
    let (node, master) = unwanted("program prerm last 'exec sleep 1000'; echo precious > data");
    report(&node).expect(0);
    assert!(node.services_status().contains("slappart0-prerm:last"));
    master.script().instance("slappart0").state = "started".to_owned();
    instance(&node).expect(0);
    assert!(
        !node.services_status().contains("prerm"),
        "{}",
        node.services_status()
    );
    assert!(contents(&node).contains(&"data".to_owned()));
}

#[test]
fn slapgrid_cp_and_slapgrid_ur_at_once_leave_each_other_alone() {
    let script = "mkdir -p sbin; printf '#!/bin/sh\\ntouch ../began; while [ ! -e ../go ]; do sleep 0.05; done\\n' \
        > sbin/destroy; chmod 700 sbin/destroy; echo precious > data";
    let (node, master) = unwanted(script);
    fs::set_permissions(node.instance_root(), fs::Permissions::from_mode(0o777)).unwrap();
    // As on nodes whose cron starts each of the tools with a pid file of its own.
    node.configure(&[
        (
            "pidfile_instance",
            &node.path().join("cp.pid").display().to_string(),
        ),
        (
            "pidfile_report",
            &node.path().join("ur.pid").display().to_string(),
        ),
    ]);
    let mut tool = start_report(&node);
    let began = node.instance_root().join("began");
    poll::until("the destruction runs", PATIENCE, || began.exists());
    master.calls();
    let outcome = instance(&node).expect(0);
    assert!(outcome.text().contains("left alone"), "{}", outcome.text());
    assert_eq!(calls(&master), ["getFullComputerInformation"]);
    fs::write(node.instance_root().join("go"), "").unwrap();
    assert!(tool.wait().unwrap().success());
    assert!(contents(&node).is_empty());
}
