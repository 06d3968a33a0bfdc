//! slapformat after its configuration has changed: what is no longer wanted is given back, what is
//! wanted again is as before.

use slapos_tests::{BRIDGE_ADDRESS, Machine, Namespace};

/// Routes of partitions' networks.
fn routes(namespace: &Namespace) -> String {
    let routes = namespace.ip("-6 route show table all");
    let of_partitions = |line: &&str| line.contains("2001:db8:1:0:") && !line.contains("kernel");
    let lines: Vec<_> = routes.lines().filter(of_partitions).collect();
    lines.join("\n")
}

#[test]
fn what_is_turned_off_is_given_back_and_the_same_when_it_is_turned_on_again() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let everything = "tap_ipv6 = True\ncreate_tun = True\ntap_gateway_interface = br0";
    let machine = Machine::new(2, everything);
    machine.prepare(&namespace);
    let (state, document) = (namespace.state(), machine.document());
    let nothing = "tap_ipv6 = False\npartition_has_ipv6_range = False";
    machine.configure(2, nothing);
    machine.prepare(&namespace);
    assert_eq!(routes(&namespace), "");
    for interface in ["slaptap0", "slaptun0", "slaptap1", "slaptun1"] {
        let left = namespace.addresses(interface);
        assert_eq!(left, Vec::<String>::new(), "{interface}");
    }
    let v4 = namespace.ip("-4 route show");
    assert!(!v4.contains("slaptap"), "{v4}");
    let tap = namespace.ip("-o link show slaptap0");
    assert!(tap.contains("master br0"), "{tap}");
    machine.expect_nothing_to_do(&namespace);
    let again = format!("{everything}\npartition_has_ipv6_range = True");
    machine.configure(2, &again);
    machine.prepare(&namespace);
    assert_eq!(machine.document(), document);
    assert_eq!(namespace.state(), state);
}

#[test]
fn what_others_have_in_the_same_networks_stays() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(1, "tap_ipv6 = True");
    machine.prepare(&namespace);
    let other = "2001:db8:1:0:9999::/80";
    namespace.ip(&format!("route add {other} via 2001:db8:1::77 dev br0"));
    namespace.ip("addr add 2001:db8:1:0:9998::1/80 dev slaptap0");
    machine.configure(1, "tap_ipv6 = False");
    machine.prepare(&namespace);
    assert_eq!(namespace.addresses("slaptap0"), ["2001:db8:1:0:9998::1/80"]);
    assert!(routes(&namespace).contains(other));
}

#[test]
fn a_tap_leaves_the_bridge_when_it_gets_a_network_of_its_own() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(1, "");
    let is_member = || {
        let link = namespace.ip("-o link show slaptap0");
        link.contains("master br0")
    };
    for (line, member) in [
        ("", true),
        ("tap_ipv6 = True", false),
        ("tap_ipv6 = False", true),
        ("tap_gateway_interface = br0\ntap_ipv6 = False", false),
    ] {
        machine.configure(1, line);
        machine.prepare(&namespace);
        assert_eq!(is_member(), member, "{line}");
        machine.expect_nothing_to_do(&namespace);
    }
}

#[test]
fn tuns_grow_from_any_number_and_keep_their_addresses() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let tun = "create_tap = False\ncreate_tun = True\ntun_ipv6 = False";
    let machine = Machine::new(5, tun);
    for (amount, first, last) in [
        (1, "172.16.0.1/12", "172.16.0.1/12"),
        (2, "172.16.0.1/13", "172.24.0.1/13"),
        (5, "172.16.0.1/15", "172.18.0.1/15"),
    ] {
        machine.configure(amount, tun);
        machine.prepare(&namespace);
        let last_tun = format!("slaptun{}", amount - 1);
        assert_eq!(namespace.addresses("slaptun0"), [first]);
        assert_eq!(namespace.addresses(&last_tun), [last]);
        machine.expect_nothing_to_do(&namespace);
    }
    assert_eq!(namespace.addresses("slaptun1"), ["172.24.0.1/15"]);
}

#[test]
fn addresses_move_to_another_interface() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::without_users(2, "create_tap = False");
    machine.prepare(&namespace);
    let addresses = machine.partition_addresses();
    namespace.ip("addr add 2001:db8:1::1/64 dev up1 nodad");
    namespace.ip("addr del 2001:db8:1::1/64 dev br0");
    let configuration = machine.path().join("slapos.cfg");
    let text = std::fs::read_to_string(&configuration).unwrap();
    let text = text.replace("interface_name = br0", "interface_name = up1");
    std::fs::write(&configuration, text).unwrap();
    machine.prepare(&namespace);
    assert_eq!(machine.partition_addresses(), addresses);
    assert_eq!(namespace.addresses("br0"), ["10.1.2.3/16"]);
    assert_eq!(namespace.addresses("up1").len(), 5);
    machine.expect_nothing_to_do(&namespace);
}

#[test]
fn a_root_may_be_a_link_of_roots_to_another_disk() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(1, "create_tap = False");
    let here = machine.path();
    for root in ["software", "instance"] {
        std::fs::create_dir_all(here.join("data").join(root)).unwrap();
        std::os::unix::fs::symlink(here.join("data").join(root), here.join(root)).unwrap();
    }
    machine.prepare(&namespace);
    assert!(here.join("software").is_symlink());
    assert!(
        here.join("data/instance/slappart0/.slapos-resource")
            .exists()
    );
    machine.expect_nothing_to_do(&namespace);
}

#[test]
fn a_root_is_no_link_that_others_can_turn() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(1, "create_tap = False");
    let (here, before) = (machine.path(), namespace.state());
    let theirs = here.join("theirs");
    std::fs::create_dir_all(theirs.join("instance")).unwrap();
    std::os::unix::fs::chown(&theirs, Some(65534), None).unwrap();
    std::os::unix::fs::symlink(theirs.join("instance"), here.join("instance")).unwrap();
    for options in [&["--dry_run"][..], &[]] {
        let outcome = machine.format(&namespace, options).expect(1);
        let expected = format!("{} belongs to another user", theirs.display());
        assert!(outcome.stderr.contains(&expected), "{}", outcome.stderr);
    }
    assert_eq!(namespace.state(), before);
    assert!(!here.join("software").exists());
}

/// The steps that a dry run prints.
fn planned(machine: &Machine, namespace: &Namespace) -> Vec<String> {
    let plan = machine.format(namespace, &["--dry_run"]).expect(0).stdout;
    let steps = plan.lines().filter_map(|line| line.strip_prefix("  "));
    steps.map(str::to_owned).collect()
}

/// The steps that a run logs.
fn done(machine: &Machine, namespace: &Namespace) -> Vec<String> {
    let log = machine.prepare(namespace).stderr;
    let messages = log
        .lines()
        .filter_map(|line| line.split_once(": INFO     "));
    let steps = messages.map(|(_, step)| step.to_owned());
    steps
        .take_while(|step| !step.starts_with("telling "))
        .collect()
}

#[test]
fn a_run_does_what_the_dry_run_says() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(2, "");
    for (lines, least) in [
        ("", 20),
        (
            "create_tun = True\ntap_ipv6 = True\ntap_gateway_interface = br0",
            15,
        ),
        ("tap_ipv6 = False\npartition_has_ipv6_range = False", 10),
        ("", 0),
    ] {
        machine.configure(2, lines);
        let plan = planned(&machine, &namespace);
        assert!(plan.len() >= least, "{lines}: {plan:#?}");
        assert_eq!(done(&machine, &namespace), plan, "{lines}");
        assert_eq!(planned(&machine, &namespace), Vec::<String>::new());
    }
}

#[test]
fn a_route_of_another_table_is_none_of_ours() {
    let namespace = Namespace::bridged(BRIDGE_ADDRESS);
    let machine = Machine::new(1, "tap_ipv6 = True");
    machine.prepare(&namespace);
    let before = routes(&namespace);
    let route = "2001:db8:1:0:8001::/80 via 2001:db8:1:0:8001::1 dev slaptap0";
    namespace.ip(&format!("-6 route add {route} table 99"));
    namespace.ip(&format!("-6 route del {route}"));
    machine.prepare(&namespace);
    namespace.ip(&format!("-6 route del {route} table 99"));
    assert_eq!(routes(&namespace), before);
}
