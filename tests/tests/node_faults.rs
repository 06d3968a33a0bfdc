//! Bad input and faults of everything around the node: what a run makes of them, and what the next
//! one does when the fault is gone. `cargo test --test node_faults -- --nocapture` shows the table.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use slap_proto::documents::SoftwareState;
use slapos_tests::Side::Ours;
use slapos_tests::{Instance, Misbehaviour, Node, Outcome, ScriptedMaster, instance_script, poll};

const SERVICE: &str = "service web 'exec sleep 1000'";
const PATIENCE: Duration = Duration::from_secs(30);
const URL: &str = "http://releases.invalid/one/software.cfg";

/// A node whose first partition shall have an instance that this script builds.
fn node_of(node: Node, script: &str) -> (Node, ScriptedMaster) {
    let master = ScriptedMaster::start(node.master_port);
    node.make_partitions(2);
    let url = node.install_release("web", &instance_script(script));
    master.script().instances = vec![Instance::new("slappart0", &url)];
    master.script().free = vec!["slappart1".to_owned()];
    (node, master)
}

fn with_instance(script: &str) -> (Node, ScriptedMaster) {
    node_of(Node::new(), script)
}

/// A node that shall have a release that this script builds.
fn with_release(node: Node, script: &str) -> (Node, ScriptedMaster) {
    let bootstrap = node.fake_bootstrap(script);
    node.configure(&[("buildout", &bootstrap)]);
    let master = ScriptedMaster::start(node.master_port);
    master.script().releases = vec![(URL.to_owned(), SoftwareState::Available)];
    (node, master)
}

fn instance(node: &Node) -> Outcome {
    node.grid(Ours, "slapgrid-cp", "instance", &[])
}

fn software(node: &Node) -> Outcome {
    node.grid(Ours, "slapgrid-sr", "software", &[])
}

/// A row of the table: the fault, what happened, and what the next run did.
#[track_caller]
fn row(fault: &str, happened: &Outcome, next: &Outcome) {
    let shown = |outcome: &Outcome| {
        let text = outcome.text();
        let summary = text
            .lines()
            .rev()
            .find_map(|line| Some(line.split_once("failed: ")?.1.to_owned()));
        let last = text.lines().last().unwrap_or_default().to_owned();
        let code = outcome
            .code
            .map_or("signal".to_owned(), |code| code.to_string());
        match outcome.code {
            Some(0) => "exit 0".to_owned(),
            _ => format!("exit {code}: {}", summary.unwrap_or(last)),
        }
    };
    println!("| {fault} | {} | {} |", shown(happened), shown(next));
}

/// The message for people must name the thing.
#[track_caller]
fn says(outcome: &Outcome, part: &str) {
    assert!(
        outcome.text().contains(part),
        "{part:?} is not in:\n{}",
        outcome.text()
    );
    assert!(!outcome.text().contains("panicked"), "{}", outcome.text());
}

fn is_processed(node: &Node, partition: usize) -> bool {
    node.partition(partition).join(".timestamp").exists()
}

fn runs(node: &Node) -> bool {
    node.services_status().contains("web-on-watch") && node.services_status().contains("RUNNING")
}

#[test]
fn names_that_lead_elsewhere() {
    let (node, master) = with_instance(SERVICE);
    let url = master.script().instances[0].release.clone();
    let names = ["..", "../slappart1", "a/b", "line\nfeed", "", "."];
    let evil = names.map(|name| Instance::new(name, &url));
    master.script().instances.extend(evil);
    let outcome = instance(&node).expect(1);
    for name in names {
        says(&outcome, &format!("{name:?} is not a plain file name"));
    }
    assert!(
        is_processed(&node, 0),
        "the good partition was not processed"
    );
    assert!(!node.path().join(".timestamp").exists() && !is_processed(&node, 1));
    node.grid(Ours, "slapgrid-ur", "report", &[]).expect(1);
    master.script().instances.truncate(1);
    row(
        "partition names with /, .., line feed",
        &outcome,
        &instance(&node).expect(0),
    );
}

#[test]
fn names_that_no_document_can_hold() {
    let (node, master) = with_instance(SERVICE);
    instance(&node).expect(0);
    let text = "<marshal><string>slap&#0;part</string></marshal>";
    let answer = Misbehaviour::Answer(200, text.to_owned());
    master
        .script()
        .fail_once("getFullComputerInformation", answer);
    let outcome = instance(&node).expect(3);
    says(&outcome, "cannot be read");
    row(
        "partition names with NUL",
        &outcome,
        &instance(&node).expect(0),
    );
}

/// Makes a mess of a partition's directory, mends it, and sees that nothing was touched meanwhile.
fn directory(fault: &str, message: &str, mess: impl Fn(&Path), mend: impl Fn(&Path)) {
    let (node, master) = with_instance(SERVICE);
    let path = node.partition(0);
    mess(&path);
    let outcome = instance(&node).expect(1);
    says(&outcome, message);
    let calls = master.calls();
    assert!(
        calls
            .iter()
            .any(|call| call.endpoint == "softwareInstanceError")
    );
    mend(&path);
    row(fault, &outcome, &instance(&node).expect(0));
    assert!(is_processed(&node, 0));
}

#[test]
fn a_partition_directory_that_is_a_link() {
    directory(
        "partition directory is a symlink",
        "is a symbolic link",
        |path| {
            let target = path.with_file_name("elsewhere");
            fs::rename(path, &target).unwrap();
            symlink(&target, path).unwrap();
        },
        |path| {
            let target = path.with_file_name("elsewhere");
            assert_eq!(fs::read_dir(&target).unwrap().count(), 0, "followed");
            fs::remove_file(path).unwrap();
            fs::rename(target, path).unwrap();
        },
    );
}

#[test]
fn a_partition_directory_that_is_a_file() {
    directory(
        "partition directory is a file",
        "cannot open the directory",
        |path| {
            fs::rename(path, path.with_file_name("aside")).unwrap();
            fs::write(path, "").unwrap();
        },
        |path| {
            fs::remove_file(path).unwrap();
            fs::rename(path.with_file_name("aside"), path).unwrap();
        },
    );
}

#[test]
fn a_partition_directory_that_is_not_there() {
    directory(
        "partition directory is missing",
        "slappart0 does not exist",
        |path| fs::rename(path, path.with_file_name("aside")).unwrap(),
        |path| fs::rename(path.with_file_name("aside"), path).unwrap(),
    );
}

#[test]
fn a_partition_directory_that_everybody_may_write_to() {
    let mode =
        |mode| move |path: &Path| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    directory(
        "partition directory of mode 0777",
        "mode 0777 instead of 0750",
        mode(0o777),
        mode(0o750),
    );
}

#[test]
fn a_software_root_that_is_missing() {
    let (node, _master) = with_release(Node::new(), "touch instance.cfg");
    let aside = node.path().join("aside");
    fs::rename(node.software_root(), &aside).unwrap();
    let outcome = software(&node).expect(1);
    says(&outcome, "software_root: ");
    fs::rename(aside, node.software_root()).unwrap();
    row(
        "software_root is missing",
        &outcome,
        &software(&node).expect(0),
    );
}

#[test]
fn a_software_root_that_is_read_only() {
    let (node, master) = with_release(Node::unprivileged(), "touch instance.cfg");
    fs::set_permissions(node.software_root(), Permissions::from_mode(0o555)).unwrap();
    let outcome = software(&node).expect(1);
    says(&outcome, "cannot make the directory");
    assert_eq!(
        master.calls().last().unwrap().endpoint,
        "softwareReleaseError"
    );
    fs::set_permissions(node.software_root(), Permissions::from_mode(0o755)).unwrap();
    row(
        "software_root is read-only",
        &outcome,
        &software(&node).expect(0),
    );
}

#[test]
fn a_software_root_that_is_full() {
    let (node, _master) = with_release(
        Node::new(),
        "head -c 4000000 /dev/zero > big; touch instance.cfg",
    );
    let bootstrap = node.path().join("bootstrap").display().to_string();
    node.configure(&[
        ("buildout", &bootstrap),
        ("software_min_free_space", "100K"),
    ]);
    let root = node.software_root();
    let script = "mount -t tmpfs -o size=1m,mode=777 tmpfs \"$1\"; chown --reference=\"$2\" \"$1\"; shift 2; exec \"$@\"";
    let tool = node.ours_with("slapgrid-sr", &["--now", "--console"]);
    // Other users may mount only where they are root.
    let user: &[&str] = if nix::unistd::geteuid().is_root() {
        &[]
    } else {
        &["--user", "--map-current-user", "--keep-caps"]
    };
    let mut command = Command::new("unshare");
    command
        .args(user)
        .args(["--mount", "sh", "-c", script, "sh"]);
    command
        .arg(&root)
        .arg(node.path().join("build.sh"))
        .arg(tool.get_program())
        .args(tool.get_args());
    command.envs(
        tool.get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    if nix::unistd::geteuid().is_root() {
        // The mount belongs to whoever owns the root.
        command.arg("--verbose");
        let owner = Command::new("chown")
            .arg("--reference")
            .arg(&root)
            .arg(node.path().join("build.sh"))
            .status();
        assert!(owner.unwrap().success());
    }
    let outcome = Outcome::of(&mut command).expect(1);
    says(&outcome, "No space left on device");
    row(
        "software_root is full",
        &outcome,
        &software(&node).expect(0),
    );
}

#[test]
fn a_release_without_profile() {
    let (node, master) = with_instance(SERVICE);
    let url = master.script().instances[0].release.clone();
    let profile = node.release(&url).join("instance.cfg");
    fs::remove_file(&profile).unwrap();
    let outcome = instance(&node).expect(1);
    says(&outcome, "has no instance.cfg");
    fs::write(&profile, "").unwrap();
    row(
        "release without instance profile",
        &outcome,
        &instance(&node).expect(0),
    );
}

#[test]
fn a_release_that_is_not_there() {
    let (node, master) = with_instance(SERVICE);
    let url = master.script().instances[0].release.clone();
    master.script().instance("slappart0").release = "http://releases.invalid/gone".to_owned();
    let outcome = instance(&node).expect(1);
    says(&outcome, "http://releases.invalid/gone is not installed");
    master.script().instance("slappart0").release = url;
    row(
        "release not installed",
        &outcome,
        &instance(&node).expect(0),
    );
}

#[test]
fn a_build_that_prints_more_than_memory_holds() {
    let (node, master) = with_release(Node::new(), "head -c 30000000 /dev/zero; exit 1");
    // Neither memory nor the report to the master may grow with it.
    let tool = node.ours_with("slapgrid-sr", &["--now", "--logfile", "/dev/null"]);
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -v 50000; exec \"$@\"", "sh"])
        .arg(tool.get_program())
        .args(tool.get_args());
    command.envs(
        tool.get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let outcome = Outcome::of(&mut command).expect(1);
    let calls = master.calls();
    let report = calls.last().unwrap().field("error_log");
    assert!(report.len() < 1 << 20, "{}", report.len());
    node.fake_bootstrap("touch instance.cfg");
    row(
        "buildout prints 1 GB and fails",
        &outcome,
        &software(&node).expect(0),
    );
}

#[test]
fn a_build_that_never_ends() {
    let (node, master) = with_instance("sleep 1000 & echo $! > pid; wait");
    let started = Instant::now();
    let outcome = node
        .grid(
            Ours,
            "slapgrid-cp",
            "instance",
            &["--partition-timeout", "1"],
        )
        .expect(1);
    assert!(started.elapsed() < PATIENCE);
    says(&outcome, "took longer than 1 seconds");
    let pid = fs::read_to_string(node.partition(0).join("pid")).unwrap();
    assert!(
        !Path::new("/proc").join(pid.trim()).exists(),
        "a child of it still runs"
    );
    let url = master.script().instances[0].release.clone();
    node.install_release("web", &instance_script(SERVICE));
    assert!(node.release(&url).exists());
    row("buildout never ends", &outcome, &instance(&node).expect(0));
}

#[test]
fn a_build_that_leaves_a_daemon() {
    let (node, _master) = with_instance(
        "setsid sleep 1000 < /dev/null & echo $! > pid; service web 'exec sleep 1000'",
    );
    let started = Instant::now();
    let outcome = instance(&node).expect(0);
    assert!(started.elapsed() < PATIENCE, "it was waited for");
    let pid: i32 = fs::read_to_string(node.partition(0).join("pid"))
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    row(
        "buildout leaves a daemon",
        &outcome,
        &instance(&node).expect(0),
    );
}

#[test]
fn a_build_that_prints_no_utf_8() {
    let (node, master) = with_instance("printf 'caf\\351 \\377\\000 end\\n'; exit 1");
    let outcome = instance(&node).expect(1);
    says(&outcome, "caf\u{fffd} \u{fffd}");
    let calls = master.calls();
    let report = calls
        .iter()
        .find(|call| call.endpoint == "softwareInstanceError")
        .unwrap();
    assert!(report.field("error_log").contains("caf"), "{report:?}");
    node.install_release("web", &instance_script(SERVICE));
    row(
        "buildout prints invalid UTF-8",
        &outcome,
        &instance(&node).expect(0),
    );
}

#[test]
fn a_supervisord_that_is_dead() {
    let (node, _master) = with_instance(SERVICE);
    instance(&node).expect(0);
    let pid = node.supervisord().unwrap();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    for pid in children
        .split_whitespace()
        .chain([pid.to_string().as_str()])
    {
        kill(Pid::from_raw(pid.parse().unwrap()), Signal::SIGKILL).unwrap();
    }
    poll::until("supervisord is gone", PATIENCE, || {
        node.supervisord().is_none()
    });
    let outcome = instance(&node).expect(0);
    assert!(runs(&node), "{}", node.services_status());
    row("supervisord is dead", &outcome, &instance(&node).expect(0));
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
    assert!(text.contains("failed: slappart1: not begun"), "{text}");
}

#[test]
fn a_clock_that_was_set_back() {
    let (node, _master) = with_instance(SERVICE);
    instance(&node).expect(0);
    let timestamp = node.partition(0).join(".timestamp");
    let future = SystemTime::now() + Duration::from_secs(10 * 365 * 86400);
    fs::File::options()
        .append(true)
        .open(&timestamp)
        .unwrap()
        .set_modified(future)
        .unwrap();
    let outcome = instance(&node).expect(0);
    assert!(
        timestamp.metadata().unwrap().modified().unwrap() > SystemTime::now(),
        "processed again"
    );
    node.configure(&[("maximum_periodicity", "0")]);
    let next = node
        .grid(Ours, "slapgrid-cp", "instance", &["--force"])
        .expect(0);
    assert!(timestamp.metadata().unwrap().modified().unwrap() <= SystemTime::now());
    row("the clock was set back", &outcome, &next);
}
