//! `--watch`: slapgrid as a service that stays.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal::{SIGHUP, SIGTERM};
use slapos_tests::Side::Ours;
use slapos_tests::faults::{SERVICE, instance, is_processed, runs, with_instance};
use slapos_tests::{Background, Instance, Misbehaviour, Node, ScriptedMaster, poll};

const PATIENCE: Duration = Duration::from_secs(30);
/// An interval that no test waits for.
const HOURLY: &str = "--watch=3600";

fn watch(node: &Node, arguments: &[&str]) -> Background {
    Background::grid(node, "slapgrid-cp", arguments)
}

fn end(tool: Background) -> String {
    let ended = tool.end(SIGTERM, Duration::from_secs(10));
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    ended.text
}

/// The signal may have come in the middle of a pass, which it fails then.
fn assert_no_errors(text: &str) {
    let mut errors = text.lines().filter(|line| line.contains("ERROR"));
    assert!(errors.all(|line| line.contains("told to end")), "{text}");
}

/// How often the master was asked what it wants since this was asked last.
fn passes(master: &ScriptedMaster) -> usize {
    let calls = master.calls();
    let asked = |call: &&slapos_tests::Call| call.endpoint == "getFullComputerInformation";
    calls.iter().filter(asked).count()
}

/// Waits until the master was asked so often.
fn wait_for_passes(master: &ScriptedMaster, count: usize) {
    let mut seen = 0;
    poll::until("the passes have begun", 4 * PATIENCE, || {
        seen += passes(master);
        seen >= count
    });
}

/// The second instance of [`with_instance`].
fn add_instance(master: &ScriptedMaster) {
    let mut script = master.script();
    let release = script.instances[0].release.clone();
    script.free.clear();
    script.instances.push(Instance::new("slappart1", &release));
}

#[test]
fn what_the_master_wants_later_comes_with_a_later_pass() {
    let (node, master) = with_instance(SERVICE);
    let tool = watch(&node, &["--watch", "0.2"]);
    poll::until("the first instance runs", PATIENCE, || {
        is_processed(&node, 0)
    });
    add_instance(&master);
    poll::until("the second instance runs", PATIENCE, || {
        is_processed(&node, 1)
    });
    assert_no_errors(&end(tool));
}

#[test]
fn a_sighup_begins_a_pass_at_once() {
    let (node, master) = with_instance(SERVICE);
    let tool = watch(&node, &[HOURLY]);
    poll::until("the first instance runs", PATIENCE, || {
        is_processed(&node, 0)
    });
    add_instance(&master);
    tool.signal(SIGHUP);
    poll::until("the second instance runs", PATIENCE, || {
        is_processed(&node, 1)
    });
    end(tool);
}

#[test]
fn a_sighup_during_a_pass_is_not_lost() {
    let (node, master) = with_instance("while [ ! -e ../go ]; do sleep 0.05; done");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(node.instance_root(), mode).unwrap();
    let tool = watch(&node, &[HOURLY]);
    wait_for_passes(&master, 1);
    add_instance(&master);
    tool.signal(SIGHUP);
    fs::write(node.instance_root().join("go"), "").unwrap();
    poll::until("the second instance runs", PATIENCE, || {
        is_processed(&node, 1)
    });
    end(tool);
}

#[test]
fn the_configuration_is_read_again_and_a_bad_one_changes_nothing() {
    let (node, master) = with_instance(SERVICE);
    let tool = watch(&node, &[HOURLY]);
    wait_for_passes(&master, 1);
    let good = fs::read_to_string(node.configuration()).unwrap();
    node.write("slapos.cfg", &good.replace("COMP-1", "COMP-2"));
    tool.signal(SIGHUP);
    let is_of_other = |call: &slapos_tests::Call| call.field("computer_id") == "COMP-2";
    poll::until("the other computer is asked for", PATIENCE, || {
        master.calls().iter().any(is_of_other)
    });
    node.write("slapos.cfg", "[slapos]\npromise_timeout = soon\n");
    tool.signal(SIGHUP);
    poll::until("the other computer is asked for again", PATIENCE, || {
        master.calls().iter().any(is_of_other)
    });
    let text = end(tool);
    let complaint = "going on with the configuration of before";
    assert!(text.contains(complaint), "{text}");
}

#[test]
fn a_renamed_log_is_followed_by_another_one() {
    let (node, master) = with_instance(SERVICE);
    let (log, old) = (node.path().join("log"), node.path().join("log.1"));
    let path = log.display().to_string();
    let tool = watch(&node, &[HOURLY, "--logfile", &path]);
    wait_for_passes(&master, 1);
    poll::until("the instance runs", PATIENCE, || is_processed(&node, 0));
    fs::rename(&log, &old).unwrap();
    tool.signal(SIGHUP);
    let text = || fs::read_to_string(&log).unwrap_or_default();
    poll::until("another log begins", PATIENCE, || {
        text().contains("reading the configuration again")
    });
    end(tool);
    assert!(
        text().ends_with("ended, as slapgrid was told to\n"),
        "{}",
        text()
    );
    let old = fs::read_to_string(&old).unwrap();
    assert!(!old.contains("reading the configuration again"), "{old}");
}

#[test]
fn nobody_else_runs_meanwhile() {
    let (node, _master) = with_instance(SERVICE);
    let tool = watch(&node, &[HOURLY]);
    poll::until("the instance runs", PATIENCE, || is_processed(&node, 0));
    let outcome = instance(&node).expect(10);
    let pid = tool.pid().to_string();
    assert!(outcome.text().contains(&pid), "{}", outcome.text());
    end(tool);
    instance(&node).expect(0);
}

#[test]
fn a_master_that_is_away_is_spoken_of_once() {
    let (node, mut master) = with_instance(SERVICE);
    let manager = Manager::of(&node);
    let tool = manager.watch(&node, &["--watch", "0.1"], &[]);
    poll::until("the instance runs", PATIENCE, || is_processed(&node, 0));
    let script = std::mem::take(&mut *master.script());
    master.stop();
    let mut attempts = 0;
    poll::until("the master was asked five times", PATIENCE, || {
        let messages = manager.messages();
        let away = |message: &&String| message.contains("STATUS=the master is away");
        attempts += messages.iter().filter(away).count();
        attempts >= 5
    });
    let text = tool.text();
    for line in [
        "the master is away",
        "ERROR    failed: ",
        "starting the services",
    ] {
        assert_eq!(text.matches(line).count(), 1, "{line}: {text}");
    }
    assert!(runs(&node));
    let master = ScriptedMaster::start(node.master_port);
    *master.script() = script;
    poll::until("it is told that the master is back", PATIENCE, || {
        tool.text().contains("the master is back")
    });
    // From now on as often as before.
    let back = Instant::now();
    wait_for_passes(&master, 5);
    assert!(back.elapsed() < Duration::from_secs(5));
    end(tool);
}

#[test]
fn a_master_that_fails_counts_as_away() {
    let (node, master) = with_instance(SERVICE);
    let oops = Misbehaviour::Answer(500, "oops".to_owned());
    master
        .script()
        .fail_always("getFullComputerInformation", oops);
    let tool = watch(&node, &["--watch", "0.02"]);
    wait_for_passes(&master, 4);
    let text = end(tool);
    assert_eq!(
        text.matches("500").count(),
        2,
        "an error and its summary: {text}"
    );
}

#[test]
fn what_makes_no_sense_for_a_service_is_refused() {
    let (node, _master) = with_instance(SERVICE);
    for option in [
        "--dry-run",
        "--force",
        "--develop",
        "--force-stop",
        "--only=slappart0",
    ] {
        let outcome = node.grid(Ours, "slapgrid-cp", "", &["--watch", option]);
        assert_eq!(outcome.expect(2).stdout, "");
    }
}

/// The socket of a service manager.
struct Manager(UnixDatagram);

impl Manager {
    fn of(node: &Node) -> Self {
        let socket = UnixDatagram::bind(node.path().join("notify")).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self(socket)
    }

    /// Starts slapgrid-cp as a service with more of an environment.
    fn watch(&self, node: &Node, arguments: &[&str], more: &[(&str, &str)]) -> Background {
        let mut command = node.ours_with("slapgrid-cp", &["--console"]);
        command.args(arguments).envs(more.iter().copied());
        command.env("NOTIFY_SOCKET", node.path().join("notify"));
        Background::start(node, command)
    }

    /// What came since this was asked last.
    fn messages(&self) -> Vec<String> {
        let mut buffer = [0; 4096];
        let mut messages = Vec::new();
        while let Ok(length) = self.0.recv(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]);
            messages.push(text.trim_end().replace('\n', " "));
        }
        messages
    }
}

#[test]
fn a_service_manager_learns_what_happens() {
    let (node, _master) = with_instance(SERVICE);
    let manager = Manager::of(&node);
    let tool = manager.watch(&node, &[HOURLY], &[("WATCHDOG_USEC", "200000")]);
    let mut messages = Vec::new();
    let mut wait_for = |what: &str, after: usize| {
        poll::until(what, PATIENCE, || {
            messages.extend(manager.messages());
            messages
                .iter()
                .skip(after)
                .any(|message: &String| message.starts_with(what))
        });
        messages.len()
    };
    let idle = "STATUS=nothing failed; next pass in";
    let seen = wait_for(idle, 0);
    let seen = wait_for("WATCHDOG=1", seen);
    tool.signal(SIGHUP);
    let seen = wait_for(idle, seen);
    end(tool);
    wait_for("STOPPING=1", seen);
    println!("{messages:#?}");
    messages.retain(|message| message != "WATCHDOG=1");
    let beginnings = [
        "READY=1",
        "STATUS=a pass is under way",
        idle,
        "RELOADING=1 MONOTONIC_USEC=",
        "READY=1",
        "STATUS=a pass is under way",
        idle,
        "STOPPING=1",
    ];
    assert_eq!(messages.len(), beginnings.len(), "{messages:#?}");
    for (message, beginning) in messages.iter().zip(beginnings) {
        assert!(message.starts_with(beginning), "{messages:#?}");
    }
}

/// What a process has of memory now, in KiB.
fn resident(tool: &Background) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", tool.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.unwrap().parse().unwrap()
}

/// Half a day of a pass a minute.
#[test]
fn memory_does_not_grow_with_passes() {
    const PASSES: usize = 720;
    /// After these, everything has been allocated once.
    const FIRST: usize = 20;
    let (node, master) = with_instance("service web 'exec sleep 1000'; promise web 'exit 0'");
    add_instance(&master);
    let tool = watch(&node, &["--watch", "0.01"]);
    wait_for_passes(&master, FIRST);
    let (started, before) = (Instant::now(), resident(&tool));
    wait_for_passes(&master, PASSES - FIRST);
    let (after, took) = (resident(&tool), started.elapsed().as_secs_f64());
    println!(
        "VmRSS: {before} KiB after {FIRST} passes, {after} KiB after {PASSES}, {took:.1} s later"
    );
    assert_no_errors(&end(tool));
    assert!(after < before + 1024, "{before} KiB became {after} KiB");
}
