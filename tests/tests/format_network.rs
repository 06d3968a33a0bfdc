//! slapformat on the kernel's real interfaces: bridges, cables, taps, addresses, routes.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use slapos_tests::Side::Ours;
use slapos_tests::{BRIDGE_ADDRESS, Machine, Namespace, poll};

/// Partitions with addresses only.
const PLAIN: &str = "create_tap = False\npartition_has_ipv6_range = False";
/// Partitions whose taps have networks of their own, as with the peer.
const ROUTED: &str = "tap_ipv6 = True";
/// How long an address may take to appear.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_second_run_has_nothing_to_do_and_touches_nothing() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(
        2,
        &format!("{ROUTED}\ncreate_tun = True\ntap_gateway_interface = br0"),
    );
    machine.prepare(&namespace);
    let (before, document) = (namespace.state(), machine.document());
    machine.expect_nothing_to_do(&namespace);
    assert_eq!(namespace.state(), before);
    assert_eq!(machine.document(), document);
    assert!(!machine.path().join("computer.xml.unfinished").exists());
}

#[test]
fn after_a_reboot_every_address_is_the_same() {
    let machine = Machine::new(2, &format!("{ROUTED}\ncreate_tun = True"));
    let state = |namespace: &Namespace| {
        let interfaces = ["br0", "slaptap0", "slaptap1", "slaptun0", "slaptun1"];
        interfaces.map(|interface| namespace.addresses(interface))
    };
    let (before, document) = {
        let namespace = Namespace::bridged(BRIDGE_ADDRESS);
        machine.prepare(&namespace);
        (state(&namespace), machine.document())
    };
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    machine.prepare(&namespace);
    assert_eq!(state(&namespace), before);
    assert_eq!(machine.document(), document);
}

#[test]
fn taps_belong_to_the_bridge_unless_they_have_networks() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(2, "");
    machine.prepare(&namespace);
    for number in 0..2 {
        let link = namespace.ip(&format!("-o link show slaptap{number}"));
        assert!(
            link.contains("master br0") && link.contains(",UP"),
            "{link}"
        );
    }
    let users = namespace.ip("tuntap");
    assert!(users.contains("slaptap1: tap persist user"), "{users}");
    assert_eq!(namespace.addresses("slaptap0"), Vec::<String>::new());
    assert_eq!(
        namespace.addresses("br0").len(),
        6,
        "two of its own, four of partitions"
    );
    machine.expect_nothing_to_do(&namespace);
}

#[test]
fn addresses_are_checked_on_a_bridge_without_carrier() {
    let namespace = Namespace::unplugged(BRIDGE_ADDRESS);
    let machine = Machine::without_users(2, PLAIN);
    machine.prepare(&namespace);
    for address in ["2001:db8:1::2", "2001:db8:1::3"] {
        assert!(
            namespace.is_settled("br0", address.parse().unwrap()),
            "{}",
            namespace.state()
        );
    }
    let links = namespace.ip("-o link");
    assert!(
        !links.contains("slapformat"),
        "the tap of the meantime is still there: {links}"
    );
    machine.expect_nothing_to_do(&namespace);
}

#[test]
fn an_address_of_another_machine_on_the_link_is_given_back() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let _other = namespace.neighbour("2001:db8:1::2/64");
    let machine = Machine::without_users(2, PLAIN);
    let outcome = machine.prepare(&namespace);
    assert!(
        outcome
            .stderr
            .contains("someone else on the link has 2001:db8:1::2"),
        "{}",
        outcome.stderr
    );
    let present = namespace.addresses("br0");
    assert!(
        !present.contains(&"2001:db8:1::2/64".to_owned()),
        "{present:?}"
    );
    let addresses = machine.partition_addresses();
    let replacement = addresses[0][1].parse().unwrap();
    assert!(
        namespace.is_settled("br0", replacement),
        "{addresses:?}, {present:?}"
    );
    assert_eq!(addresses[1][1], "2001:db8:1::3");
    machine.expect_nothing_to_do(&namespace);
}

#[test]
fn an_address_that_anything_else_has_is_not_taken() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    namespace.ip("addr add 2001:db8:1::2/128 dev up1 nodad");
    namespace.ip("addr add 2001:db8:1::3/64 dev br0 nodad");
    let machine = Machine::without_users(3, PLAIN);
    machine.prepare(&namespace);
    let addresses = machine.partition_addresses();
    for (number, taken) in [(0, "2001:db8:1::2"), (1, "2001:db8:1::3")] {
        assert_ne!(addresses[number][1], taken);
    }
    assert_eq!(addresses[2][1], "2001:db8:1::4");
    machine.expect_nothing_to_do(&namespace);
}

#[test]
fn two_computers_on_one_bridge_share_nothing() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let ranges = "create_tap = False";
    let machines = [
        Machine::without_users(3, ranges),
        Machine::without_users(3, ranges),
    ];
    machines
        .iter()
        .for_each(|machine| drop(machine.prepare(&namespace)));
    let mut addresses: Vec<_> = machines
        .iter()
        .flat_map(Machine::partition_addresses)
        .flatten()
        .collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), 12, "{addresses:?}");
    let ranges = namespace.ip("-6 route show table local type local");
    assert_eq!(ranges.matches("/80 dev lo").count(), 6, "{ranges}");
    machines
        .iter()
        .for_each(|machine| machine.expect_nothing_to_do(&namespace));
    assert_eq!(namespace.addresses("br0").len(), 14);
}

#[test]
fn an_interface_without_global_ipv6_is_named_and_nothing_is_changed() {
    let namespace = Namespace::bridged("");
    let machine = Machine::new(2, "");
    let before = namespace.state();
    let outcome = machine.format(&namespace, &[]).expect(1);
    assert!(
        outcome.stderr.contains("br0 has no global IPv6 address"),
        "{}",
        outcome.stderr
    );
    machine.configure(2, "ipv6_interface = eth7");
    let outcome = machine.format(&namespace, &[]).expect(1);
    assert!(
        outcome.stderr.contains("there is no interface eth7"),
        "{}",
        outcome.stderr
    );
    assert_eq!(namespace.state(), before);
    assert!(!machine.path().join("software").exists());
}

#[test]
fn of_several_networks_the_largest_is_used_on_the_interface_that_is_named() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    namespace.ip("addr add 2001:db8:7::1/64 dev up1 nodad");
    namespace.ip("addr add 2001:db8:8::1/48 dev up1 nodad");
    namespace.ip("addr add 2001:db8:9::1/56 dev up1 nodad");
    let machine = Machine::without_users(1, "create_tap = False\nipv6_interface = up1");
    machine.prepare(&namespace);
    assert_eq!(machine.partition_addresses()[0][1], "2001:db8:8::2");
    let present = namespace.addresses("up1");
    assert!(
        present.contains(&"2001:db8:8::2/48".to_owned()),
        "{present:?}"
    );
    let routes = namespace.ip("-6 route show table local type local");
    assert!(routes.contains("2001:db8:8:4001::/64 dev lo"), "{routes}");
}

#[test]
fn networks_of_every_length_are_used_as_far_as_they_go() {
    let choose = |length: u8| {
        let namespace = Namespace::bridged(&format!("2001:db8:1::1/{length}"));
        let machine = Machine::without_users(2, "create_tap = False");
        let outcome = machine.format(&namespace, &[]);
        if outcome.code == Some(2) {
            machine.expect_nothing_to_do(&namespace);
            let addresses = machine.partition_addresses();
            return Ok([addresses[0][1].clone(), addresses[1][1].clone()]);
        }
        Err(outcome.expect(1).stderr)
    };
    let own = ["2001:db8:1::2", "2001:db8:1::3"].map(str::to_owned);
    for length in [48, 64, 112] {
        assert_eq!(choose(length).unwrap(), own, "/{length}");
    }
    let shared = ["2001:db8:1::1", "2001:db8:1::1"].map(str::to_owned);
    assert_eq!(choose(128).unwrap(), shared, "there is no other address");
    let error = choose(127).unwrap_err();
    assert!(
        error.contains("2001:db8:1::/127 is free for slappart1"),
        "{error}"
    );
}

#[test]
fn subnets_that_are_asked_for_and_have_no_room_are_an_error() {
    let namespace = Namespace::bridged("2001:db8:1::1/112");
    let machine = Machine::without_users(1, "create_tap = False\npartition_has_ipv6_range = True");
    let outcome = machine.format(&namespace, &[]).expect(1);
    assert!(
        outcome.stderr.contains("partition_has_ipv6_range"),
        "{}",
        outcome.stderr
    );
    machine.configure(
        1,
        "alter_user = False\ncreate_tap = False\npartition_has_ipv6_range = True\nipv6_prefixshift = 4",
    );
    machine.prepare(&namespace);
    let routes = namespace.ip("-6 route show table local type local");
    assert!(routes.contains("2001:db8:1::5000/116 dev lo"), "{routes}");
}

#[test]
fn a_full_ipv4_network_is_named() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::without_users(3, PLAIN);
    let configuration = machine.path().join("slapos.cfg");
    let text = std::fs::read_to_string(&configuration).unwrap();
    std::fs::write(&configuration, text.replace("10.77.0.0/16", "10.77.0.0/30")).unwrap();
    let outcome = machine.format(&namespace, &[]).expect(1);
    let expected = "no address of 10.77.0.0/30 is free for slappart2 (ipv4_local_network)";
    assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    assert!(!machine.partition(0).exists());
}

#[test]
fn three_hundred_partitions_are_prepared_at_once() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::without_users(300, "create_tap = False");
    machine.prepare(&namespace);
    assert_eq!(namespace.addresses("br0").len(), 602);
    machine.expect_nothing_to_do(&namespace);
    assert!(machine.partition(299).join(".slapos-resource").exists());
}

#[test]
fn an_interface_that_vanishes_meanwhile_is_named_and_the_next_run_completes() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    // Long enough for the interface to go while the run waits.
    namespace.sysctl("neigh/br0/retrans_time_ms", "30000");
    let machine = Machine::without_users(2, PLAIN);
    let mut command = machine.command(&namespace, Ours);
    let running = command.stderr(Stdio::piped()).spawn().unwrap();
    poll::until("an address is there", PATIENCE, || {
        namespace
            .ip("-o addr show dev br0")
            .contains("2001:db8:1::3")
    });
    namespace.ip("link del br0");
    let output = running.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("br0"), "{stderr}");
    assert!(!machine.computer_xml().exists());
    let rebuilt = Namespace::bridged(BRIDGE_ADDRESS);
    machine.prepare(&rebuilt);
    machine.expect_nothing_to_do(&rebuilt);
}

#[test]
fn an_address_that_became_invalid_is_replaced_and_given_back() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::without_users(1, PLAIN);
    machine.prepare(&namespace);
    namespace.ip("addr add 2001:db8:2::1/64 dev br0 nodad");
    namespace.ip("addr del 2001:db8:1::1/64 dev br0");
    machine.prepare(&namespace);
    assert_eq!(machine.partition_addresses()[0][1], "2001:db8:2::2");
    let present = namespace.addresses("br0");
    assert!(
        !present
            .iter()
            .any(|address| address.starts_with("2001:db8:1:")),
        "{present:?}"
    );
    machine.expect_nothing_to_do(&namespace);
}

#[test]
fn what_the_interface_has_of_its_own_stays_when_partitions_get_addresses_of_theirs() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::without_users(2, "alter_network = False");
    machine.prepare(&namespace);
    let own = ["10.1.2.3", "2001:db8:1::1"];
    assert_eq!(machine.partition_addresses(), [own, own]);
    machine.configure(2, &format!("alter_user = False\n{PLAIN}"));
    machine.prepare(&namespace);
    let present = namespace.addresses("br0");
    for address in ["10.1.2.3/16", BRIDGE_ADDRESS] {
        assert!(present.contains(&address.to_owned()), "{present:?}");
    }
    let addresses = machine.partition_addresses();
    assert_eq!(
        [&addresses[0][1], &addresses[1][1]],
        ["2001:db8:1::2", "2001:db8:1::3"]
    );
    assert_eq!(present.len(), 6, "{present:?}");
    machine.expect_nothing_to_do(&namespace);
}

#[test]
fn a_tap_of_another_owner_is_made_anew_unless_it_is_in_use() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    namespace.ip("tuntap add dev slaptap0 mode tap user nobody");
    let machine = Machine::new(1, ROUTED);
    machine.prepare(&namespace);
    machine.expect_nothing_to_do(&namespace);
    let owner = nix::unistd::User::from_name(&machine.user(0))
        .unwrap()
        .unwrap();
    let taps = namespace.ip("tuntap");
    assert!(
        taps.contains(&format!("slaptap0: tap persist user {}", owner.uid)),
        "{taps}"
    );
}

/// Opens a tap as a virtual machine does, says so, and holds it until its input ends.
const HOLD_TAP: &str = "import fcntl, struct, sys
tap = open('/dev/net/tun', 'r+b', buffering=0)
fcntl.ioctl(tap, 0x400454ca, struct.pack('16sH22x', b'slaptap0', 0x1002))
print('held', flush=True)
sys.stdin.read()";

#[test]
fn a_tap_that_a_program_has_open_stays_as_it_is() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    namespace.ip("tuntap add dev slaptap0 mode tap user nobody");
    let machine = Machine::new(1, ROUTED);
    let hold = || {
        let mut command = namespace.command(Path::new("/usr/bin/python3"));
        let command = command.args(["-c", HOLD_TAP]);
        let mut held = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = [0; 5];
        held.stdout.take().unwrap().read_exact(&mut said).unwrap();
        held
    };
    let release = |mut held: Child| {
        drop(held.stdin.take());
        held.wait().unwrap();
    };
    let held = hold();
    let outcome = machine.format(&namespace, &[]).expect(1);
    let expected = "slaptap0 belongs to another user, and a program has it open";
    assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    release(held);
    machine.prepare(&namespace);
    let held = hold();
    machine.expect_nothing_to_do(&namespace);
    release(held);
}

#[test]
fn an_interface_that_is_no_tap_is_left_alone() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    namespace.ip("link add slaptap0 type bridge");
    let machine = Machine::new(1, ROUTED);
    let before = namespace.state();
    let outcome = machine.format(&namespace, &[]).expect(1);
    assert!(
        outcome.stderr.contains("interface slaptap0 exists"),
        "{}",
        outcome.stderr
    );
    assert_eq!(namespace.state(), before);
}

#[test]
fn addresses_of_a_definition_are_added_and_duplicates_of_them_are_an_error() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::without_users(1, "create_tap = False");
    let definition = machine.path().join("definition.cfg");
    let define = |address: &str| {
        let text = format!(
            "[computer]\naddress = 2001:db8:1::1/64\nsoftware_user = nobody\n[partition_0]\n\
             address = 10.77.0.9/255.255.255.255 {address}/64\nuser = nobody\n\
             network_interface = slaptap0\npathname = slappart0\n"
        );
        std::fs::write(&definition, text).unwrap();
    };
    let options = ["--input_definition_file", definition.to_str().unwrap()];
    define("2001:db8:1::abcd");
    machine.format(&namespace, &options).expect(2);
    let present = namespace.addresses("br0");
    for wanted in ["10.77.0.9/32", "2001:db8:1::abcd/64"] {
        assert!(present.contains(&wanted.to_owned()), "{present:?}");
    }
    let _other = namespace.neighbour("2001:db8:1::beef/64");
    define("2001:db8:1::beef");
    let outcome = machine.format(&namespace, &options).expect(1);
    assert!(
        outcome
            .stderr
            .contains("someone else has: 2001:db8:1::beef"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn anyone_may_see_the_plan_and_only_root_may_carry_it_out() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(1, &format!("{ROUTED}\ncreate_tun = True"));
    let before = namespace.state();
    let mut command = namespace.command(Path::new("setpriv"));
    command
        .args(["--reuid=nobody", "--clear-groups", "--"])
        .arg(slapos_tests::places::tool("slapformat"))
        .arg(machine.path().join("slapos.cfg"));
    let refused = slapos_tests::Outcome::of(&mut command);
    let refused = refused.expect(1);
    assert!(refused.stderr.contains("only root"), "{}", refused.stderr);
    let planned = slapos_tests::Outcome::of(command.args(["--dry_run", "--json"])).expect(0);
    let plan: serde_json::Value = serde_json::from_str(&planned.stdout).unwrap();
    let kinds: std::collections::BTreeSet<_> = plan["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    for kind in [
        "user",
        "directory",
        "tunnel",
        "add_address",
        "await_duplicates",
        "route",
        "file",
    ] {
        assert!(kinds.contains(kind), "{kind} is not in {kinds:?}");
    }
    assert_eq!(namespace.state(), before);
    assert_eq!(
        std::fs::read_dir(machine.path()).unwrap().count(),
        1,
        "only slapos.cfg"
    );
}
