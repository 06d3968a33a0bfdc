//! Faults of what the node works with, supervisord and the master: what a run makes of them, and what
//! the next one does when the fault is gone. `cargo test -p slapos-tests --test service_faults -- --nocapture` shows
//! the table.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use slapos_tests::Side::Ours;
use slapos_tests::faults::{
    SERVICE, children, instance, is_processed, row, runs, says, with_instance,
};
use slapos_tests::{Instance, Misbehaviour, Outcome, poll};

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_supervisord_that_is_dead() {
    let (node, _master) = with_instance(SERVICE);
    instance(&node).expect(0);
    let pid = node.supervisord().unwrap();
    for pid in children(pid).into_iter().chain([pid]) {
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    }
    poll::until("supervisord is gone", PATIENCE, || {
        node.supervisord().is_none()
    });
    let outcome = instance(&node).expect(0);
    assert!(runs(&node), "{}", node.services_status());
    row("supervisord is dead", &outcome, &instance(&node).expect(0));
}

#[test]
fn a_partition_that_supervisord_cannot_run_any_more_stops_no_other() {
    let (node, master) = with_instance(SERVICE);
    let url = master.script().instances[0].release.clone();
    let gone = Instance::new("slappart1", &url);
    master.script().instances.push(gone);
    master.script().free.clear();
    instance(&node).expect(0);
    fs::rename(node.partition(1), node.path().join("away")).unwrap();
    // One at a time: the broken one comes first, and its file is there when the other is updated.
    master.script().instances.reverse();
    let arguments = ["--force", "--jobs", "1"];
    let outcome = node.grid(Ours, "slapgrid-cp", "instance", &arguments);
    let outcome = outcome.expect(1);
    says(&outcome, "slappart1: failed: ");
    says(&outcome, "slappart1.conf is set aside");
    assert!(
        !outcome.text().contains("slappart0: failed: "),
        "{outcome:?}"
    );
    assert!(is_processed(&node, 0) && runs(&node));
    fs::rename(node.path().join("away"), node.partition(1)).unwrap();
    let next = instance(&node);
    let services = node.services_status();
    assert!(services.contains("slappart1:"), "{services}");
    row(
        "the directory of another partition is gone",
        &outcome,
        &next.expect(0),
    );
}

#[test]
fn a_supervisord_that_hangs() {
    let (node, _master) = with_instance(SERVICE);
    instance(&node).expect(0);
    let pid = Pid::from_raw(node.supervisord().unwrap());
    kill(pid, Signal::SIGSTOP).unwrap();
    let started = Instant::now();
    let outcome = instance(&node).expect(1);
    assert!(started.elapsed() < PATIENCE);
    says(&outcome, "cannot learn the state of supervisord");
    kill(pid, Signal::SIGCONT).unwrap();
    row(
        "supervisord hangs (SIGSTOP)",
        &outcome,
        &instance(&node).expect(0),
    );
}

#[test]
fn a_supervisord_that_shuts_down() {
    // It waits for a service that takes its time to end.
    let (node, _master) =
        with_instance("service web 'trap \"sleep 2; exit\" TERM; while :; do sleep 0.1; done'");
    instance(&node).expect(0);
    let before = node.supervisord().unwrap();
    kill(Pid::from_raw(before), Signal::SIGTERM).unwrap();
    let outcome = instance(&node).expect(0);
    assert_ne!(node.supervisord(), Some(before));
    assert!(runs(&node), "{}", node.services_status());
    row(
        "supervisord is in shutdown",
        &outcome,
        &instance(&node).expect(0),
    );
}

#[test]
fn a_supervisord_of_an_older_configuration() {
    let (node, _master) = with_instance(SERVICE);
    // As 0.27 left it: another socket, no watchdog.
    let root = node.instance_root();
    for name in ["etc", "etc/supervisord.conf.d", "var", "var/log", "var/run"] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    let here = root.display();
    let text = format!(
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
         [include]\nfiles={here}/etc/supervisord.conf.d/*.conf\n\
         [supervisord]\nlogfile={here}/var/log/supervisord.log\npidfile={here}/var/run/supervisord.pid\n\
         [unix_http_server]\nfile={here}/supervisord.socket\nchmod=0700\n"
    );
    fs::write(root.join("etc/supervisord.conf"), text).unwrap();
    let mut old = node.ours("slapgrid-supervisorctl");
    let program = slapos_tests::places::peer_program("supervisord");
    let mut start = Command::new(program);
    start.arg("-c").arg(root.join("etc/supervisord.conf"));
    Outcome::of(&mut start).expect(0);
    poll::until("the old supervisord runs", PATIENCE, || {
        node.supervisord().is_some()
    });
    let before = node.supervisord();
    let outcome = instance(&node).expect(0);
    assert_eq!(node.supervisord(), before, "restarted");
    let status = Outcome::of(old.arg(node.configuration()).arg("status"));
    says(&status, "watchdog");
    assert!(runs(&node), "{}", node.services_status());
    row(
        "supervisord of an older configuration",
        &outcome,
        &instance(&node).expect(0),
    );
}

#[test]
fn a_socket_that_nobody_answers() {
    let (node, _master) = with_instance(SERVICE);
    // Left by a supervisord that was killed.
    drop(UnixListener::bind(node.instance_root().join("sv.sock")).unwrap());
    let outcome = instance(&node).expect(0);
    assert!(runs(&node));
    row(
        "a stale socket of supervisord",
        &outcome,
        &instance(&node).expect(0),
    );
}

/// One call of the master misbehaves once; afterwards, the instance runs and is recorded.
fn master(fault: &str, endpoint: &str, misbehaviour: Misbehaviour, code: i32) {
    let (node, master) = with_instance(SERVICE);
    let repository = node.path().join("pki");
    fs::create_dir(&repository).unwrap();
    node.configure(&[(
        "certificate_repository_path",
        &repository.display().to_string(),
    )]);
    master.script().fail_once(endpoint, misbehaviour);
    let outcome = instance(&node).expect(code);
    assert!(!outcome.text().contains("panicked"), "{}", outcome.text());
    let next = instance(&node).expect(0);
    row(&format!("{endpoint}: {fault}"), &outcome, &next);
    assert!(is_processed(&node, 0) && runs(&node));
}

#[test]
fn a_master_that_answers_500_once() {
    for endpoint in [
        "getFullComputerInformation",
        "getComputerPartitionCertificate",
        "startedComputerPartition",
    ] {
        master(
            "status 500 once",
            endpoint,
            Misbehaviour::Answer(500, "oops".to_owned()),
            3,
        );
    }
}

#[test]
fn a_master_that_cuts_the_connection() {
    for (endpoint, code) in [
        ("getFullComputerInformation", 3),
        ("getComputerPartitionCertificate", 3),
        ("startedComputerPartition", 3),
    ] {
        master("connection cut", endpoint, Misbehaviour::Cut, code);
    }
}

#[test]
fn a_master_that_answers_garbage() {
    for endpoint in [
        "getFullComputerInformation",
        "getComputerPartitionCertificate",
    ] {
        master("garbage", endpoint, Misbehaviour::Garbage, 3);
    }
    // Nobody reads the answer to a report.
    master(
        "garbage",
        "startedComputerPartition",
        Misbehaviour::Garbage,
        0,
    );
}

#[test]
fn a_master_that_is_slow() {
    let late = || Misbehaviour::Late(Duration::from_secs(2));
    master("2 s late", "getFullComputerInformation", late(), 0);
    master("2 s late", "startedComputerPartition", late(), 0);
}

#[test]
fn a_master_that_refuses_one_partition() {
    let (node, scripted) = with_instance(SERVICE);
    let url = scripted.script().instances[0].release.clone();
    scripted
        .script()
        .instances
        .push(Instance::new("slappart1", &url));
    scripted.script().free.clear();
    scripted.script().fail_once(
        "startedComputerPartition",
        Misbehaviour::Answer(403, "no".to_owned()),
    );
    let outcome = node
        .grid(Ours, "slapgrid-cp", "instance", &["--jobs", "1"])
        .expect(1);
    says(&outcome, "the master refuses");
    assert!(!is_processed(&node, 0) && is_processed(&node, 1));
    row(
        "startedComputerPartition: 403 for one partition",
        &outcome,
        &instance(&node).expect(0),
    );
}

#[test]
fn a_master_that_goes_away_in_the_middle() {
    let (node, scripted) =
        with_instance("touch ../began; while [ ! -e ../go ]; do sleep 0.05; done");
    fs::set_permissions(node.instance_root(), Permissions::from_mode(0o777)).unwrap();
    let url = scripted.script().instances[0].release.clone();
    scripted
        .script()
        .instances
        .push(Instance::new("slappart1", &url));
    scripted.script().free.clear();
    let mut command = node.ours_with("slapgrid-cp", &["--now", "--console", "--jobs", "1"]);
    let tool = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let began = node.instance_root().join("began");
    poll::until("the first partition is built", PATIENCE, || began.exists());
    drop(scripted);
    fs::write(node.instance_root().join("go"), "").unwrap();
    let output = tool.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("slappart1: failed: not begun"), "{text}");
}
