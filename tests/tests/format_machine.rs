//! slapformat as root: users, files, backups, and runs that are killed.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::{Group, User, pipe2};
use slapos_tests::Side::Ours;
use slapos_tests::{BRIDGE_ADDRESS, Machine, Namespace, Outcome};

const PLAIN: &str = "create_tap = False\npartition_has_ipv6_range = False";

fn user(name: &str) -> User {
    User::from_name(name)
        .unwrap()
        .unwrap_or_else(|| panic!("there is no user {name}"))
}

/// The password of a user, as the system keeps it.
fn password(name: &str) -> String {
    let shadow = fs::read_to_string("/etc/shadow").unwrap();
    let line = shadow
        .lines()
        .find(|line| line.starts_with(&format!("{name}:")));
    line.unwrap().split(':').nth(1).unwrap().to_owned()
}

#[test]
fn users_own_their_partitions_and_cannot_log_in() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(2, PLAIN);
    machine.prepare(&namespace);
    let software = user(&machine.software_user());
    let root = machine.path().join("software").metadata().unwrap();
    assert_eq!(
        (root.uid(), root.mode() & 0o7777),
        (software.uid.as_raw(), 0o755)
    );
    let members = Group::from_name(&machine.software_user())
        .unwrap()
        .unwrap()
        .mem;
    for number in 0..2 {
        let name = machine.user(number);
        let user = user(&name);
        assert_eq!(user.dir, machine.partition(number));
        assert_eq!(user.shell, Path::new("/bin/sh"));
        assert!(members.contains(&name), "{members:?}");
        assert!(password(&name).starts_with('!'));
        let group = Group::from_gid(user.gid).unwrap().unwrap();
        assert_eq!(group.name, name);
        let directory = machine.partition(number).metadata().unwrap();
        assert_eq!(
            (directory.uid(), directory.gid(), directory.mode() & 0o7777),
            (user.uid.as_raw(), user.gid.as_raw(), 0o750)
        );
    }
}

#[test]
fn a_present_user_is_completed_and_not_reset() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(1, PLAIN);
    let name = machine.user(0);
    let hash = "$5$salt$Gcm6FsVtF/Qa77ZKD.iwsJlCVPY0XSMgLJL0Hnww/c1";
    let mut useradd = Command::new("useradd");
    useradd.args([
        "-r",
        "-U",
        "-s",
        "/bin/bash",
        "-d",
        "/elsewhere",
        "-G",
        "games",
        "-p",
        hash,
        &name,
    ]);
    Outcome::of(&mut useradd).expect(0);
    // The owner of software has no group of its own name, which partitions' users shall join.
    let software = machine.software_user();
    let mut useradd = Command::new("useradd");
    useradd.args(["-r", "-N", "-g", "nogroup", &software]);
    Outcome::of(&mut useradd).expect(0);
    let uid = user(&name).uid;
    machine.prepare(&namespace);
    let after = user(&name);
    assert_eq!(
        (after.uid, after.shell.as_path()),
        (uid, Path::new("/bin/bash"))
    );
    assert_eq!(after.dir, Path::new("/elsewhere"));
    for group in ["games", &machine.software_user()] {
        assert!(
            Group::from_name(group)
                .unwrap()
                .unwrap()
                .mem
                .contains(&name),
            "{group}"
        );
    }
    assert_eq!(
        password(&name),
        format!("!{hash}"),
        "locked, and to be unlocked again"
    );
    machine.expect_nothing_to_do(&namespace);
}

#[test]
fn a_program_that_fails_is_quoted() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(1, PLAIN);
    // A group without user of a number that useradd would give away is no obstacle; a wrong home is.
    machine.configure(
        1,
        &format!("{PLAIN}\nsoftware_root = {}/a:b", machine.path().display()),
    );
    let outcome = machine.format(&namespace, &[]).expect(1);
    assert!(
        outcome.stderr.contains("useradd -r -d"),
        "{}",
        outcome.stderr
    );
    assert!(!machine.computer_xml().exists());
}

#[test]
fn partitions_have_directories_on_every_disk() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(1, PLAIN);
    let disks = machine.path().join("disks");
    for disk in ["data0", "data1"] {
        fs::create_dir_all(disks.join(disk)).unwrap();
    }
    machine.configure(
        1,
        &format!("{PLAIN}\ninstance_storage_home = {}", disks.display()),
    );
    machine.prepare(&namespace);
    let uid = user(&machine.user(0)).uid.as_raw();
    for disk in ["data0", "data1"] {
        let directory = disks.join(disk).join("slappart0");
        let metadata = directory.metadata().unwrap();
        assert_eq!((metadata.uid(), metadata.mode() & 0o7777), (uid, 0o750));
        let resource = fs::read_to_string(machine.partition(0).join(".slapos-resource")).unwrap();
        assert!(resource.contains(directory.to_str().unwrap()), "{resource}");
    }
    machine.expect_nothing_to_do(&namespace);
}

#[test]
fn versions_of_before_are_kept_and_a_corrupt_file_points_to_them() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::without_users(1, PLAIN);
    let mut versions = Vec::new();
    for amount in 1..4 {
        machine.configure(amount, &format!("alter_user = False\n{PLAIN}"));
        machine.prepare(&namespace);
        versions.push(machine.document());
    }
    let numbered = |number: usize| machine.path().join(format!("computer.xml.{number}"));
    assert_eq!(fs::read_to_string(numbered(1)).unwrap(), versions[1]);
    assert_eq!(fs::read_to_string(numbered(2)).unwrap(), versions[0]);
    assert!(!numbered(3).exists());
    fs::write(machine.computer_xml(), "<marshal><dictio").unwrap();
    let outcome = machine.format(&namespace, &[]).expect(1);
    assert!(
        outcome.stderr.contains("computer.xml.1 (the newest)"),
        "{}",
        outcome.stderr
    );
    assert_eq!(machine.document(), "<marshal><dictio");
}

#[test]
fn shrinking_and_renaming_are_refused() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(2, "");
    machine.prepare(&namespace);
    let before = (namespace.state(), machine.document());
    let refused = [
        (1, "", "partitions are never removed"),
        (2, "partition_base_name = other", "never renamed"),
        (
            2,
            "user_base_name = other",
            "user_base_name = other, but slappart0 has",
        ),
        (
            2,
            "tap_base_name = other",
            "tap_base_name = other, but slappart0 has slaptap0",
        ),
    ];
    for (amount, line, part) in refused {
        let base = machine.path().join("slapos.cfg");
        machine.configure(amount, "");
        let text = fs::read_to_string(&base).unwrap();
        let text = match line.split_once(" = ") {
            Some((key, _)) => {
                let kept = text.lines().filter(|kept| !kept.starts_with(key));
                kept.collect::<Vec<_>>().join("\n") + "\n" + line + "\n"
            }
            None => text,
        };
        fs::write(&base, text).unwrap();
        let outcome = machine.format(&namespace, &[]).expect(1);
        assert!(outcome.stderr.contains(part), "{line}: {}", outcome.stderr);
    }
    assert_eq!((namespace.state(), machine.document()), before);
}

#[test]
fn a_second_run_waits_for_the_first() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::without_users(2, PLAIN);
    let mut command = machine.command(&namespace, Ours);
    let runs: Vec<_> = (0..3)
        .map(|_| command.stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(2),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert_eq!(namespace.addresses("br0").len(), 6);
}

/// Runs until the log shows the wanted step and kills the run there; `None` when it ended before.
///
/// The log goes into a pipe that holds one line, so that the run cannot get further ahead than the
/// step after the one that was read.
fn killed_at(
    machine: &Machine,
    namespace: &Namespace,
    mut is_wanted: impl FnMut(usize, &str) -> bool,
) -> Option<String> {
    let (read, write) = pipe2(OFlag::O_DIRECT | OFlag::O_CLOEXEC).unwrap();
    fcntl(&write, FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
    let mut command = machine.command(namespace, Ours);
    let mut child = command.stderr(Stdio::from(write)).spawn().unwrap();
    // The command holds the other end, too.
    drop(command);
    let mut log = fs::File::from(read);
    let mut line = [0; 4096];
    let lines = std::iter::from_fn(|| match log.read(&mut line).unwrap() {
        0 => None,
        length => Some(
            String::from_utf8_lossy(&line[..length])
                .trim_end()
                .to_owned(),
        ),
    });
    let steps = lines.filter_map(|line| Some(line.split_once(": INFO     ")?.1.to_owned()));
    let mut steps = steps
        .take_while(|step| !step.starts_with("telling"))
        .enumerate();
    let step = steps.find(|(number, step)| is_wanted(*number, step));
    child.kill().unwrap();
    child.wait().unwrap();
    step.map(|(_, step)| step)
}

#[test]
fn the_run_after_a_kill_at_any_step_leaves_what_an_undisturbed_run_leaves() {
    let machine = Machine::new(1, "tap_ipv6 = True\ncreate_tun = True");
    let state = |namespace: &Namespace| {
        ["br0", "slaptap0", "slaptun0", "lo"].map(|interface| namespace.addresses(interface))
    };
    let undisturbed = Namespace::bridged(BRIDGE_ADDRESS);
    machine.prepare(&undisturbed);
    let expected = (state(&undisturbed), machine.document());
    drop(undisturbed);
    for step in 0.. {
        machine.remove_accounts();
        for name in ["computer.xml", "computer.xml.unfinished"] {
            let _ = fs::remove_file(machine.path().join(name));
        }
        for name in ["software", "instance"] {
            let _ = fs::remove_dir_all(machine.path().join(name));
        }
        let namespace = Namespace::bridged(BRIDGE_ADDRESS);
        let Some(line) = killed_at(&machine, &namespace, |number, _| number == step) else {
            assert!(step > 15, "the run ended before step {step}");
            return;
        };
        machine.prepare(&namespace);
        assert_eq!(
            (state(&namespace), machine.document()),
            expected,
            "killed at: {line}"
        );
        machine.expect_nothing_to_do(&namespace);
        assert!(!machine.path().join("computer.xml.unfinished").exists());
        println!("killed at: {line:<70} next run: complete, then nothing to do");
    }
}

#[test]
fn the_run_after_a_kill_while_things_are_given_back_leaves_what_an_undisturbed_run_leaves() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let everything = "tap_ipv6 = True\ncreate_tun = True\npartition_has_ipv6_range = True";
    let machine = Machine::new(1, everything);
    let less = "tap_ipv6 = False\npartition_has_ipv6_range = False";
    machine.prepare(&namespace);
    let before = (namespace.state(), machine.document());
    machine.configure(1, less);
    machine.prepare(&namespace);
    let expected = (namespace.state(), machine.document());
    for step in 0.. {
        machine.configure(1, everything);
        machine.prepare(&namespace);
        assert_eq!((namespace.state(), machine.document()), before);
        machine.configure(1, less);
        let Some(line) = killed_at(&machine, &namespace, |number, _| number == step) else {
            assert!(step > 8, "the run ended before step {step}");
            return;
        };
        machine.prepare(&namespace);
        let after = (namespace.state(), machine.document());
        assert_eq!(after, expected, "killed at: {line}");
        machine.expect_nothing_to_do(&namespace);
    }
}

#[test]
fn a_killed_run_leaves_no_address_behind_when_another_is_chosen() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::without_users(1, PLAIN);
    // Long enough to be killed while the kernel looks for duplicates.
    namespace.sysctl("neigh/br0/retrans_time_ms", "30000");
    let is_wait = |_: usize, step: &str| step.starts_with("wait until");
    assert!(killed_at(&machine, &namespace, is_wait).is_some());
    assert!(
        namespace
            .addresses("br0")
            .contains(&"2001:db8:1::2/64".to_owned())
    );
    namespace.sysctl("neigh/br0/retrans_time_ms", "100");
    namespace.ip("addr del 2001:db8:1::2/64 dev br0");
    let _other = namespace.neighbour("2001:db8:1::2/64");
    machine.prepare(&namespace);
    let present = namespace.addresses("br0");
    assert_eq!(present.len(), 4, "{present:?}");
    assert!(
        !present.contains(&"2001:db8:1::2/64".to_owned()),
        "{present:?}"
    );
}

#[test]
fn output_that_cannot_be_written_is_no_panic() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::without_users(1, PLAIN);
    let script = format!(
        "{} {} --now 2> /dev/full",
        slapos_tests::places::tool("slapformat").display(),
        machine.path().join("slapos.cfg").display()
    );
    namespace.shell(&script).expect(2);
    fs::set_permissions(machine.partition(0), fs::Permissions::from_mode(0o700)).unwrap();
    namespace.shell(&script).expect(2);
}

#[test]
fn a_dry_run_without_rights_says_nothing_that_it_cannot_know() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(1, PLAIN);
    machine.prepare(&namespace);
    let mut command = namespace.command(Path::new("setpriv"));
    command
        .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"])
        .arg(slapos_tests::places::tool("slapformat"))
        .arg(machine.path().join("slapos.cfg"))
        .arg("--dry_run");
    let planned = Outcome::of(&mut command).expect(0);
    assert_eq!(planned.stdout, "nothing to do\n");
    let unknown = "it is not known whether they would change: ";
    assert!(planned.stderr.contains(unknown), "{}", planned.stderr);
}

#[test]
fn interrupted_by_its_user_a_run_is_completed_by_the_next() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(6, PLAIN);
    let mut command = machine.command(&namespace, Ours);
    // As a shell does: Ctrl-C reaches the whole process group.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let third = machine.user(3);
    slapos_tests::poll::until("a user is made", std::time::Duration::from_secs(60), || {
        User::from_name(&third).unwrap().is_some()
    });
    let group = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGINT).unwrap();
    let status = child.wait().unwrap();
    assert!(!status.success());
    machine.prepare(&namespace);
    for number in 0..6 {
        let name = machine.user(number);
        assert_eq!(
            Group::from_gid(user(&name).gid).unwrap().unwrap().name,
            name
        );
        assert!(password(&name).starts_with('!'));
    }
    machine.expect_nothing_to_do(&namespace);
}
