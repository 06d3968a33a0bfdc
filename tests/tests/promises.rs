//! Promises through our tools: when they are checked, how they end, what is told and kept of them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use slapos_tests::Side::{Ours, Peer};
use slapos_tests::promises::{
    add_plugin, add_program, idle_buildout, logged, make_due, plugin, status, switch,
};
use slapos_tests::{Call, Instance, Misbehaviour, Node, Outcome, ScriptedMaster, poll};

const PATIENCE: Duration = Duration::from_secs(30);
/// A program that is broken while the partition has a file `broken`.
const SWITCH: &str = "[ ! -e broken ] || { echo out of order; exit 1; }; echo in order";

/// A node whose partitions all have an instance, and its master.
fn node_with(node: Node, instances: usize) -> (Node, ScriptedMaster) {
    node.make_partitions(instances);
    let url = node.install_release("web", &idle_buildout());
    let master = ScriptedMaster::start(node.master_port);
    let instance = |number| Instance::new(&format!("slappart{number}"), &url);
    master.script().instances = (0..instances).map(instance).collect();
    (node, master)
}

fn pass(node: &Node, arguments: &[&str]) -> Outcome {
    node.grid(Ours, "slapgrid-cp", "instance", arguments)
}

fn endpoints(calls: &[Call]) -> Vec<&str> {
    let calls = calls.iter().map(|call| call.endpoint.as_str());
    calls
        .filter(|call| *call != "getFullComputerInformation")
        .collect()
}

fn break_it(node: &Node) {
    node.write_in_partition(0, "broken", "", 0o644);
}

fn mend_it(node: &Node) {
    fs::remove_file(node.partition(0).join("broken")).unwrap();
}

/// Waits until the process whose number a promise has written into a file is no more.
fn expect_end_of(node: &Node, file: &str) {
    let pid = fs::read_to_string(node.partition(0).join(file)).unwrap();
    poll::until(&format!("{file} has ended"), PATIENCE, || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        stat.is_err() || stat.is_ok_and(|stat| stat.contains(") Z "))
    });
}

#[test]
fn both_kinds_are_kept_without_roots_rights() {
    let (node, master) = node_with(Node::unprivileged(), 1);
    add_program(&node, 0, "old", SWITCH);
    add_plugin(&node, 0, "web.py", &switch("pass"));
    pass(&node, &[]).expect(0);
    assert_eq!(endpoints(&master.calls()), ["startedComputerPartition"]);
    for title in ["old", "web"] {
        assert_eq!(status(&node, 0, title)["result"]["message"], "in order");
    }
}

#[test]
fn nothing_due_starts_nothing_and_tells_nothing() {
    let (node, master) = node_with(Node::new(), 1);
    add_program(&node, 0, "old", SWITCH);
    add_plugin(&node, 0, "web.py", &switch("self.setPeriodicity(minute=5)"));
    add_plugin(&node, 0, "anomalyless.py", &switch("self.setAnomalyLess()"));
    pass(&node, &[]).expect(0);
    master.calls();
    // Whoever looks for the Python of the instance fails from now on.
    let release = fs::read_link(node.partition(0).join("software_release")).unwrap();
    fs::remove_file(release.join("bin/buildout")).unwrap();
    pass(&node, &[]).expect(0);
    assert_eq!(endpoints(&master.calls()), [""; 0]);
    assert_eq!(logged(&node, 0, "old"), 1);
    assert_eq!(logged(&node, 0, "web"), 1);
    make_due(&node, 0);
    let outcome = pass(&node, &[]).expect(2);
    let reason = "promise web.py cannot be run: cannot tell the Python of the instance";
    assert!(outcome.text().contains(reason), "{}", outcome.text());
    assert_eq!(
        logged(&node, 0, "old"),
        2,
        "the program is checked nevertheless"
    );
}

#[test]
fn a_changed_promise_is_due() {
    let (node, _master) = node_with(Node::new(), 1);
    add_program(&node, 0, "old", "echo first");
    add_plugin(&node, 0, "web.py", &switch("self.setAnomalyLess()"));
    pass(&node, &[]).expect(0);
    add_program(&node, 0, "old", "echo second");
    add_plugin(&node, 0, "web.py", &switch("pass"));
    pass(&node, &[]).expect(0);
    assert_eq!(status(&node, 0, "old")["result"]["message"], "second");
    assert_eq!(status(&node, 0, "web")["result"]["type"], "Anomaly Result");
}

#[test]
fn every_broken_promise_is_reported_in_one_order() {
    let (node, master) = node_with(Node::new(), 1);
    add_program(&node, 0, "a", "echo of a; exit 1");
    add_plugin(
        &node,
        0,
        "z.py",
        &plugin("  def sense(self):\n    self.logger.error('of z')"),
    );
    add_plugin(
        &node,
        0,
        "b.py",
        &plugin("  def sense(self):\n    sys.exit(4)"),
    );
    for jobs in ["1", "8"] {
        pass(&node, &["--jobs", jobs]).expect(2);
        let calls = master.calls();
        let told = calls.last().unwrap().field("error_log");
        let expected = "promise b.py failed (exit status 1): it called sys.exit(4)\n\
            promise z.py failed: of z\npromise a failed (exit status 1): of a";
        assert_eq!(told, expected);
    }
}

#[test]
fn more_plugins_than_run_at_once_are_all_checked() {
    let (node, _master) = node_with(Node::new(), 1);
    for number in 0..20 {
        add_plugin(&node, 0, &format!("web{number}.py"), &switch("pass"));
    }
    pass(&node, &[]).expect(0);
    for number in 0..20 {
        let status = status(&node, 0, &format!("web{number}"));
        assert_eq!(status["result"]["message"], "in order");
    }
}

#[test]
fn plugins_may_have_their_libraries_from_different_places() {
    let (node, _master) = node_with(Node::new(), 1);
    for name in ["one", "two"] {
        let library = node.path().join(name);
        fs::create_dir(&library).unwrap();
        fs::write(library.join("library.py"), format!("name = {name:?}\n")).unwrap();
        let text =
            plugin("  def sense(self):\n    import library\n    self.logger.info(library.name)");
        let path = format!("sys.path[0:0] = [{library:?}, ");
        let text = text.replace("sys.path[0:0] = [", &path);
        add_plugin(&node, 0, &format!("{name}.py"), &text);
    }
    pass(&node, &[]).expect(0);
    for name in ["one", "two"] {
        assert_eq!(status(&node, 0, name)["result"]["message"], name);
    }
}

#[test]
fn a_plugin_disturbs_no_other_one() {
    let (node, _master) = node_with(Node::new(), 1);
    let noise = "  def sense(self):\n    for number in range(3, 64):\n      try:\n        \
        os.write(number, b'1\\n[2]\\n{\"name\": \"web.py\", \"facts\": 3}\\n\\xff\\n')\n      \
        except OSError:\n        pass\n";
    add_plugin(&node, 0, "noisy.py", &plugin(noise));
    // As a module of the library is called.
    add_plugin(&node, 0, "json.py", &switch("pass"));
    add_plugin(&node, 0, "web.py", &switch("pass"));
    pass(&node, &[]);
    for name in ["json", "web"] {
        assert_eq!(status(&node, 0, name)["result"]["message"], "in order");
    }
}

/// Promises that are kept only if they run at the same time: each waits for the other.
fn rendezvous(me: &str, other: &str) -> String {
    format!(
        "touch ../{me}; for i in $(seq 300); do [ -e ../{other} ] && exit 0; sleep 0.1; done; exit 1"
    )
}

#[test]
fn promises_of_a_partition_and_partitions_run_at_once() {
    let (node, _master) = node_with(Node::new(), 2);
    fs::set_permissions(
        node.instance_root(),
        std::os::unix::fs::PermissionsExt::from_mode(0o777),
    )
    .unwrap();
    add_program(&node, 0, "a", &rendezvous("a", "b"));
    add_program(&node, 0, "b", &rendezvous("b", "c"));
    add_program(&node, 1, "c", &rendezvous("c", "d"));
    let waiting = |me: &str, other: &str| {
        let body = format!("subprocess.call(['sh', '-c', {:?}])", rendezvous(me, other));
        plugin(&format!(
            "  def sense(self):\n    import subprocess\n    if {body}:\n      self.logger.error('alone')"
        ))
    };
    add_plugin(&node, 1, "d.py", &waiting("d", "e"));
    add_plugin(&node, 1, "e.py", &waiting("e", "a"));
    pass(&node, &["--jobs", "2", "--promise-timeout", "60"]).expect(0);
}

#[test]
fn a_promise_ends_with_all_that_it_started() {
    let (node, _master) = node_with(Node::new(), 1);
    add_program(
        &node,
        0,
        "stubborn",
        "trap '' TERM; sleep 1000 & echo $! > a; echo $$ > b; sleep 1000",
    );
    add_program(&node, 0, "parent", "sleep 1000 & echo $! > c");
    let start = |file: &str, then: &str| {
        plugin(&format!(
            "  def sense(self):\n    import signal, subprocess, time\n    \
             signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    \
             child = subprocess.Popen(['sleep', '1000'])\n    \
             open({file:?}, 'w').write('%d' % child.pid)\n    {then}"
        ))
    };
    add_plugin(&node, 0, "stubborn.py", &start("d", "time.sleep(1000)"));
    add_plugin(
        &node,
        0,
        "parent.py",
        &start("e", "self.logger.info('done')"),
    );
    let outcome = pass(&node, &["--promise-timeout", "1"]).expect(2);
    for broken in ["stubborn.py timed out", "stubborn timed out"] {
        assert!(outcome.text().contains(broken), "{}", outcome.text());
    }
    for file in ["a", "b", "c", "d", "e"] {
        expect_end_of(&node, file);
    }
}

#[test]
fn a_flood_is_bounded() {
    let (node, _master) = node_with(Node::new(), 1);
    add_program(
        &node,
        0,
        "flood",
        "head -c 100000000 /dev/zero | tr '\\0' x; echo; echo the end",
    );
    add_plugin(
        &node,
        0,
        "talk.py",
        &plugin(
            "  def sense(self):\n    for _ in range(1000):\n      print('x' * 100000)\n    \
             self.logger.info('the end')",
        ),
    );
    add_plugin(
        &node,
        0,
        "result.py",
        &plugin(
            "  def sense(self):\n    pass\n  def test(self):\n    \
             from slapos.grid.promise.generic import TestResult\n    \
             return TestResult(problem=True, message='x' * 10000000 + 'the end')",
        ),
    );
    pass(&node, &[]).expect(2);
    for title in ["flood", "talk", "result"] {
        let result = &status(&node, 0, title)["result"];
        let message = result["message"].as_str().unwrap();
        assert!(message.ends_with("the end"), "{title}: {message}");
        assert!(message.chars().count() <= 5003, "{title}");
    }
    for log in [
        ".slapgrid/promise/log/flood.log",
        ".slapgrid/log/instance.log",
    ] {
        let length = fs::metadata(node.partition(0).join(log)).unwrap().len();
        assert!(length < 1 << 20, "{log} has {length} bytes");
    }
}

#[test]
fn an_interrupted_check_ends_its_promises_and_records_nothing() {
    let (node, _master) = node_with(Node::new(), 1);
    add_program(&node, 0, "old", "echo $$ > a; sleep 1000");
    add_plugin(
        &node,
        0,
        "web.py",
        &plugin(
            "  def sense(self):\n    open('b', 'w').write('%d' % os.getpid())\n    __import__('time').sleep(1000)",
        ),
    );
    let mut command = node.ours("slapgrid-cp");
    command.arg("--now").arg(node.configuration());
    let mut run = command.spawn().unwrap();
    poll::until("both promises run", PATIENCE, || {
        let started =
            |file| fs::metadata(node.partition(0).join(file)).is_ok_and(|file| file.len() > 0);
        started("a") && started("b")
    });
    let pid = nix::unistd::Pid::from_raw(i32::try_from(run.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(1));
    expect_end_of(&node, "a");
    expect_end_of(&node, "b");
    let results = fs::read_dir(node.partition(0).join(".slapgrid/promise/result")).unwrap();
    assert_eq!(results.count(), 0);
}

#[test]
fn a_recovery_is_recorded_only_when_the_master_knows_it() {
    let (node, master) = node_with(Node::new(), 1);
    add_plugin(&node, 0, "web.py", &switch("pass"));
    pass(&node, &[]).expect(0);
    break_it(&node);
    make_due(&node, 0);
    // That it cannot be banged hides nothing.
    let refusal = Misbehaviour::Answer(403, "no".to_owned());
    master.script().fail_once("softwareInstanceBang", refusal);
    master.calls();
    let outcome = pass(&node, &[]).expect(2);
    assert!(outcome.text().contains("cannot bang"), "{}", outcome.text());
    let expected = ["softwareInstanceBang", "softwareInstanceError"];
    assert_eq!(endpoints(&master.calls()), expected);
    // Neither due nor mended: told again.
    pass(&node, &[]).expect(2);
    assert_eq!(endpoints(&master.calls()), ["softwareInstanceError"]);
    mend_it(&node);
    make_due(&node, 0);
    let failure = Misbehaviour::Answer(500, "not now".to_owned());
    master
        .script()
        .fail_once("startedComputerPartition", failure);
    assert_ne!(pass(&node, &[]).code, Some(0));
    assert_eq!(status(&node, 0, "web")["result"]["failed"], true);
    master.calls();
    pass(&node, &[]).expect(0);
    assert_eq!(endpoints(&master.calls()), ["startedComputerPartition"]);
    assert_eq!(status(&node, 0, "web")["result"]["failed"], false);
    pass(&node, &[]).expect(0);
    assert_eq!(endpoints(&master.calls()), [""; 0]);
}

#[test]
fn a_broken_promise_that_is_removed_is_a_recovery() {
    let (node, master) = node_with(Node::new(), 1);
    add_plugin(&node, 0, "web.py", &switch("pass"));
    pass(&node, &[]).expect(0);
    break_it(&node);
    make_due(&node, 0);
    pass(&node, &[]).expect(2);
    fs::remove_file(node.partition(0).join("etc/plugin/web.py")).unwrap();
    master.calls();
    pass(&node, &[]).expect(0);
    assert_eq!(endpoints(&master.calls()), ["startedComputerPartition"]);
    pass(&node, &[]).expect(0);
    assert_eq!(endpoints(&master.calls()), [""; 0]);
}

#[test]
fn either_side_continues_from_the_records_of_the_other() {
    for (first, second) in [(Peer, Ours), (Ours, Peer)] {
        let (node, _master) = node_with(Node::new(), 1);
        add_program(&node, 0, "old", SWITCH);
        add_plugin(&node, 0, "web.py", &switch("self.setPeriodicity(minute=5)"));
        node.instance(first).expect(0);
        node.instance(second).expect(0);
        assert_eq!(logged(&node, 0, "old"), 1, "{second:?} found it due");
        assert_eq!(logged(&node, 0, "web"), 1, "{second:?} found it due");
        // The third failure in a row counts, whoever saw the first two.
        break_it(&node);
        fs::remove_file(node.partition(0).join("etc/plugin/web.py")).unwrap();
        for side in [first, second, first] {
            make_due(&node, 0);
            node.instance(side);
        }
        assert_eq!(status(&node, 0, "old")["result"]["failed"], true);
        mend_it(&node);
        make_due(&node, 0);
        node.instance(second);
        assert_eq!(status(&node, 0, "old")["result"]["failed"], false);
    }
}

/// What a user may do to the records, and where else they would lead.
fn with_records_at(elsewhere: &Path, spoil: impl Fn(&Path)) -> Outcome {
    let (node, _master) = node_with(Node::new(), 1);
    add_program(&node, 0, "old", SWITCH);
    pass(&node, &[]).expect(0);
    spoil(&node.partition(0));
    make_due(&node, 0);
    let outcome = pass(&node, &[]);
    assert_eq!(fs::read_dir(elsewhere).unwrap().count(), 0, "{outcome:?}");
    outcome
}

#[test]
fn records_are_never_written_elsewhere() {
    let elsewhere = tempfile::TempDir::new().unwrap();
    let target = elsewhere.path();
    let outcome = with_records_at(target, |partition| {
        let results = partition.join(".slapgrid/promise/result");
        fs::remove_dir_all(&results).unwrap();
        symlink(target, &results).unwrap();
    });
    let text = outcome.expect(1).text();
    assert!(text.contains("slapgrid/promise/result"), "{text}");
    with_records_at(target, |partition| {
        let status = partition.join(".slapgrid/promise/result/old.status.json");
        fs::remove_file(&status).unwrap();
        symlink(target.join("status"), &status).unwrap();
        let log = partition.join(".slapgrid/promise/log/old.log");
        fs::remove_file(&log).unwrap();
        symlink(target.join("log"), &log).unwrap();
    })
    .expect(0);
}

#[test]
fn garbage_in_the_records_makes_promises_due() {
    let (node, _master) = node_with(Node::new(), 1);
    add_program(&node, 0, "old", SWITCH);
    pass(&node, &[]).expect(0);
    let kept = node.partition(0).join(".slapgrid/promise");
    for (count, (file, text)) in [
        ("cache/old", "{"),
        ("cache/old", "{\"is_tested\": true}"),
        ("cache/old", &"[".repeat(1 << 20)),
        ("result/old.status.json", "\u{0}"),
        ("result/more.status.json", "{}"),
    ]
    .into_iter()
    .enumerate()
    {
        fs::write(kept.join(file), text).unwrap();
        pass(&node, &[]).expect(0);
        let checks = if count < 3 { count + 2 } else { 4 };
        assert_eq!(logged(&node, 0, "old"), checks, "{file}: {text:.20}");
    }
    assert!(!kept.join("result/more.status.json").exists());
}

#[test]
fn a_release_without_python_breaks_its_plugins_only() {
    let node = Node::new();
    node.make_partitions(1);
    let url = node.install_release("shell", "#!/bin/sh\nexit 0\n");
    let master = ScriptedMaster::start(node.master_port);
    master.script().instances = vec![Instance::new("slappart0", &url)];
    add_program(&node, 0, "old", SWITCH);
    add_plugin(&node, 0, "web.py", &switch("pass"));
    let outcome = pass(&node, &[]).expect(2);
    let text = outcome.text();
    assert!(
        text.contains("promise web.py cannot be run: /bin/sh failed"),
        "{text}"
    );
    assert_eq!(status(&node, 0, "old")["result"]["failed"], false);
}
