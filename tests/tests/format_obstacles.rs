//! slapformat where something is missing, in the way, or somebody else means no good.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use slapos_tests::{BRIDGE_ADDRESS, Machine, Namespace, Outcome};

const PLAIN: &str = "create_tap = False\npartition_has_ipv6_range = False";

/// A run that fails since a directory of the system is empty.
fn format_without(directory: &str, machine: &Machine, namespace: &Namespace) -> Outcome {
    // `ip netns exec` gives each command mounts of its own.
    let script = format!(
        "mount -t tmpfs none {directory} && exec {} {} --now --console",
        slapos_tests::places::tool("slapformat").display(),
        machine.path().join("slapos.cfg").display()
    );
    namespace.shell(&script).expect(1)
}

#[test]
fn a_missing_program_is_named_before_anything_is_changed() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(1, PLAIN);
    let before = namespace.state();
    let outcome = format_without("/usr/sbin", &machine, &namespace);
    assert!(
        outcome.stderr.contains("useradd is needed"),
        "{}",
        outcome.stderr
    );
    assert_eq!(namespace.state(), before);
    assert!(!machine.path().join("software").exists());
}

#[test]
fn nobody_else_can_hold_a_run_up() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::without_users(1, PLAIN);
    machine.prepare(&namespace);
    let lock = machine.path().join("computer.xml.lock");
    assert_eq!(lock.metadata().unwrap().mode() & 0o777, 0o600);
    for path in [machine.path(), &machine.computer_xml(), &lock] {
        let mut flock = Command::new("setpriv");
        flock.args(["--reuid=nobody", "--clear-groups", "--", "flock", "-n"]);
        let held = Outcome::of(flock.arg(path).args(["-c", "exit 0"]));
        assert_eq!(held.code == Some(0), path != lock, "{}", held.stderr);
    }
    // Whatever others lock is not what a run waits for.
    let directory = fs::File::open(machine.path()).unwrap();
    let held = nix::fcntl::Flock::lock(directory, nix::fcntl::FlockArg::LockExclusive).unwrap();
    machine.expect_nothing_to_do(&namespace);
    drop(held);
}

#[test]
fn what_a_partition_puts_in_the_way_of_its_description_stops_no_other() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::without_users(2, PLAIN);
    let resource = |number| machine.partition(number).join(".slapos-resource");
    fs::create_dir_all(resource(0)).unwrap();
    let outcome = machine.format(&namespace, &[]).expect(1);
    let named = format!("cannot write {}", resource(0).display());
    assert!(outcome.stderr.contains(&named), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("the master was not told"),
        "{}",
        outcome.stderr
    );
    assert!(resource(1).is_file() && machine.computer_xml().is_file());
    fs::remove_dir(resource(0)).unwrap();
    machine.prepare(&namespace);
    machine.expect_nothing_to_do(&namespace);
}

#[test]
fn what_is_in_the_way_is_found_before_anything_is_changed() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(1, PLAIN);
    let before = namespace.state();
    let refuse = |options: &[&str], part: &str| {
        for more in [&["--dry_run"][..], &[]] {
            let outcome = machine
                .format(&namespace, &[options, more].concat())
                .expect(1);
            assert!(outcome.stderr.contains(part), "{part}: {}", outcome.stderr);
        }
        assert_eq!(namespace.state(), before);
        assert!(!machine.path().join("software").exists());
    };
    let missing = machine.path().join("missing/file");
    let missing = missing.to_str().unwrap();
    let expected = format!("{missing}: there is no directory");
    refuse(&["--computer_xml", missing], &expected);
    refuse(&["--output_definition_file", missing], &expected);
    fs::create_dir(machine.path().join("instance")).unwrap();
    std::os::unix::fs::symlink("/etc", machine.partition(0)).unwrap();
    refuse(&[], "slappart0 is a symbolic link");
    fs::remove_file(machine.partition(0)).unwrap();
    fs::write(machine.partition(0), "").unwrap();
    refuse(&[], "slappart0 is no directory");
    fs::remove_file(machine.partition(0)).unwrap();
    let base = machine.path().join("slapos.cfg");
    let text = fs::read_to_string(&base).unwrap();
    let certificate = "[slapos]\ncert_file = /no/cert\nkey_file = /no/key";
    let text = text.replace("[slapos]", certificate);
    fs::write(&base, text.replace("http://", "https://")).unwrap();
    let outcome = machine.format(&namespace, &[]).expect(1);
    assert!(outcome.stderr.contains("/no/"), "{}", outcome.stderr);
    assert_eq!(namespace.state(), before);
}

#[test]
fn what_the_kernel_lacks_is_named() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(1, "tap_ipv6 = True");
    let before = namespace.state();
    let outcome = format_without("/dev/net", &machine, &namespace);
    assert!(
        outcome.stderr.contains("/dev/net/tun is needed"),
        "{}",
        outcome.stderr
    );
    assert_eq!(namespace.state(), before);
    assert!(!machine.path().join("software").exists());
    namespace.sysctl("conf/default/disable_ipv6", "1");
    let outcome = machine.format(&namespace, &[]).expect(1);
    let expected = "IPv6 is disabled on slaptap0";
    assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    namespace.sysctl("conf/slaptap0/disable_ipv6", "0");
    machine.prepare(&namespace);
    machine.expect_nothing_to_do(&namespace);
}
