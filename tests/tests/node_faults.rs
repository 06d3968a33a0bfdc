//! Bad input and faults of what the node is given: what a run makes of them, and what the next one
//! does when the fault is gone. `cargo test -p slapos-tests --test node_faults -- --nocapture` shows the table.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use slap_proto::documents::SoftwareState;
use slapos_tests::Side::Ours;
use slapos_tests::faults::{
    SERVICE, URL, instance, is_processed, row, says, software, with_instance, with_release,
};
use slapos_tests::{Instance, Misbehaviour, Node, Outcome, instance_script, poll};

const PATIENCE: Duration = Duration::from_secs(30);

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

#[test]
fn a_partition_of_which_the_master_says_two_things() {
    let (node, master) = with_instance(SERVICE);
    let started = master.script().instances[0].clone();
    let (mut destroyed, mut other) = (started.clone(), started.clone());
    destroyed.state = "destroyed".to_owned();
    other.partition = "slappart1".to_owned();
    // Of the second one the same is said twice.
    master.script().instances = vec![started, other.clone(), destroyed, other];
    master.script().free.clear();
    let outcome = node.grid(Ours, "slapgrid", "", &[]).expect(1);
    says(
        &outcome,
        "the master says different things of slappart0: nothing is done about it",
    );
    assert!(!is_processed(&node, 0) && is_processed(&node, 1));
    let told: Vec<_> = master.calls().iter().map(ToString::to_string).collect();
    let told = told.iter().filter(|call| call.contains("slappart"));
    assert_eq!(
        told.collect::<Vec<_>>(),
        ["startedComputerPartition slappart1"]
    );
    master.script().instances.truncate(2);
    row(
        "a partition twice in one answer",
        &outcome,
        &instance(&node).expect(0),
    );
}

#[test]
fn a_release_of_which_the_master_says_two_things() {
    let (node, master) = with_release(Node::new(), "touch instance.cfg; echo once >> builds");
    let wanted = (URL.to_owned(), SoftwareState::Available);
    master.script().releases = vec![wanted.clone(), wanted.clone()];
    let jobs = ["--jobs", "2"];
    node.grid(Ours, "slapgrid-sr", "software", &jobs).expect(0);
    let built = fs::read_to_string(node.release(URL).join("builds")).unwrap();
    assert_eq!(built, "once\n");
    let unwanted = (URL.to_owned(), SoftwareState::Destroyed);
    master.script().releases = vec![wanted.clone(), unwanted];
    let collect = ["--garbage-collect"];
    let outcome = node
        .grid(Ours, "slapgrid-sr", "software", &collect)
        .expect(1);
    says(&outcome, "nothing is done about it");
    assert!(node.release(URL).join(".completed").exists());
    master.script().releases = vec![wanted];
    row(
        "a release twice in one answer",
        &outcome,
        &software(&node).expect(0),
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

#[cfg(feature = "root-tests")]
#[test]
fn a_partition_directory_of_root() {
    use std::os::unix::fs::{MetadataExt, chown};
    let user = std::cell::Cell::new(0);
    directory(
        "partition directory of root",
        "belongs to root",
        |path| {
            user.set(path.metadata().unwrap().uid());
            chown(path, Some(0), None).unwrap();
        },
        |path| chown(path, Some(user.get()), None).unwrap(),
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
    let script = "head -c 4000000 /dev/zero > big; touch instance.cfg";
    let (node, _master) = with_release(Node::new(), script);
    let bootstrap = node.path().join("bootstrap").display().to_string();
    node.configure(&[
        ("buildout", &bootstrap),
        ("software_min_free_space", "100K"),
    ]);
    let tool = node.ours_with("slapgrid-sr", &["--now", "--console"]);
    // Other users may mount where they are root.
    let user: &[&str] = if nix::unistd::geteuid().is_root() {
        &[]
    } else {
        &["--user", "--map-current-user", "--keep-caps"]
    };
    let script = "mount -t tmpfs -o size=1m,mode=755 tmpfs \"$1\"; chown \"$2\" \"$1\"; shift 2; exec \"$@\"";
    let mut command = Command::new("unshare");
    command
        .args(user)
        .args(["--mount", "sh", "-c", script, "sh"]);
    command.arg(node.software_root()).arg(node.owner());
    let outcome = Outcome::of(&mut around(command, &tool)).expect(1);
    says(&outcome, "No space left on device");
    row(
        "software_root is full",
        &outcome,
        &software(&node).expect(0),
    );
}

/// A command that takes a tool with its environment as arguments.
fn around(mut command: Command, tool: &Command) -> Command {
    command.arg(tool.get_program()).args(tool.get_args());
    command.envs(
        tool.get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    command
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
    let (node, master) = with_release(
        Node::new(),
        "head -c 30000000 /dev/zero | tr '\\0' x; exit 1",
    );
    // Neither memory nor the report to the master may grow with it.
    let tool = node.ours_with("slapgrid-sr", &["--now", "--logfile", "/dev/null"]);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 50000; exec \"$@\"", "sh"]);
    let outcome = Outcome::of(&mut around(command, &tool)).expect(1);
    let calls = master.calls();
    let report = calls.last().unwrap().field("error_log");
    assert!(report.len() < 1 << 20, "{}", report.len());
    node.fake_bootstrap("touch instance.cfg");
    row(
        "buildout prints more than memory holds and fails",
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
fn an_end_that_comes_while_an_instance_is_built() {
    let (node, master) = with_instance("touch began; sleep 1000 & echo $! > pid; wait");
    let mut command = node.ours_with("slapgrid-cp", &["--now"]);
    let mut tool = command.stderr(Stdio::null()).spawn().unwrap();
    let pid_file = node.partition(0).join("pid");
    let built = || fs::read_to_string(&pid_file).is_ok_and(|text| text.ends_with('\n'));
    poll::until("the instance is built", PATIENCE, built);
    let told = Instant::now();
    let pid = i32::try_from(tool.id()).unwrap();
    kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
    assert_eq!(tool.wait().unwrap().code(), Some(1));
    assert!(told.elapsed() < Duration::from_secs(10));
    let child = fs::read_to_string(&pid_file).unwrap();
    assert!(
        !Path::new("/proc").join(child.trim()).exists(),
        "a child of it still runs"
    );
    let calls = master.calls();
    let last = calls.last().unwrap();
    assert_eq!(last.endpoint, "softwareInstanceError");
    assert!(last.field("error_log").contains("told to end"));
    node.install_release("web", &instance_script(SERVICE));
    instance(&node).expect(0);
    assert!(is_processed(&node, 0));
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
