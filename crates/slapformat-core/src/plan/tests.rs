use std::path::Path;

use slap_proto::documents::{ComputerConfiguration, PartitionAddress};
use slapos_config::ConfigFile;
use slapos_fs::Owner;

use super::*;
use crate::allocate::{Conflict, Conflicts};
use crate::claims::Claims;
use crate::compose::compose;
use crate::network::{Address, Link, LinkKind, Network};
use crate::observe::PresentDirectory;
use crate::settings::Options;
use crate::warnings;

fn settings(more: &str) -> Settings {
    let text = format!(
        "[slapos]\ncomputer_id = C\nmaster_url = http://m/\nsoftware_root = /s\n\
         instance_root = /i\n[slapformat]\ncomputer_xml = /x/computer.xml\npartition_amount = 1\n\
         interface_name = eth0\n{more}\n"
    );
    let file = ConfigFile::parse(Path::new("slapos.cfg"), text.as_bytes()).unwrap();
    Settings::from_config(&file, &Options::default()).unwrap()
}

fn link(index: u32, name: &str, kind: LinkKind) -> Link {
    Link {
        index,
        name: name.to_owned(),
        kind,
        up: true,
        carrier: true,
        loopback: name == "lo",
        master: None,
    }
}

fn address(link: u32, net: &str) -> Address {
    Address {
        link,
        net: net.parse().unwrap(),
        global: true,
        tentative: false,
        duplicate: false,
    }
}

/// A machine on which nothing was made yet.
fn fresh() -> Observed {
    let mut observed = Observed {
        network: Network {
            links: vec![
                link(1, "lo", LinkKind::Other),
                link(2, "eth0", LinkKind::Other),
            ],
            addresses: vec![address(2, "2001:db8:1::1/64")],
            ..Network::default()
        },
        root: true,
        ..Observed::default()
    };
    observed.look_around(Path::new("/no")).unwrap();
    observed
}

fn plan_of(settings: &Settings, observed: &Observed, conflicts: &Conflicts) -> Vec<String> {
    let (computer, _) = compose(settings, observed, conflicts).unwrap();
    let document = describe::document(settings, &computer, &observed.machine, None);
    let wanted = Wanted { computer, document };
    let plan = plan(settings, &wanted, observed, conflicts).unwrap();
    plan.steps.iter().map(Step::to_string).collect()
}

fn position(steps: &[String], part: &str) -> usize {
    let found = steps.iter().position(|step| step.contains(part));
    found.unwrap_or_else(|| panic!("{part} is not in {steps:#?}"))
}

#[test]
fn what_a_step_needs_comes_before_it() {
    let steps = plan_of(&settings("create_tun = True"), &fresh(), &Conflicts::new());
    let order = [
        "user slapsoft",
        "user slapuser0",
        "directory /s (755, owner slapsoft)",
        "file /x/computer.xml.unfinished (644)",
        "tap slaptap0 (owner slapuser0)",
        "interface slaptap0 up",
        "address 2001:db8:1::2/64 on eth0",
        "wait until 2001:db8:1::2 of eth0",
        "route to 2001:db8:1:0:8001::1/128 on slaptap0",
        "route to 2001:db8:1:0:8001::/80 via",
        "local route to 2001:db8:1:0:4001::/80 on lo",
        "directory /i/slappart0 (750, owner slapuser0)",
        "file /x/computer.xml (644)",
        "file /x/computer.xml.unfinished removed",
    ];
    let positions: Vec<_> = order.iter().map(|part| position(&steps, part)).collect();
    assert!(positions.is_sorted(), "{steps:#?}");
}

#[test]
fn a_duplicate_is_given_back_and_what_is_foreign_is_not() {
    let mut observed = fresh();
    observed
        .network
        .addresses
        .push(address(2, "2001:db8:1::2/64"));
    let unfinished = ComputerConfiguration {
        partition_list: vec![slap_proto::documents::PartitionConfiguration {
            reference: "slappart0".to_owned(),
            address_list: vec![PartitionAddress {
                addr: "2001:db8:1::2".to_owned(),
                netmask: None,
            }],
            ..Default::default()
        }],
        ..ComputerConfiguration::default()
    };
    observed.claims = Claims::of([&unfinished]);
    let settings = settings("create_tap = False");
    let removed = "address 2001:db8:1::2/64 removed from eth0";
    for (conflict, expected) in [(Conflict::Duplicate, true), (Conflict::Foreign, false)] {
        let conflicts = [("2001:db8:1::2".parse().unwrap(), conflict)].into();
        let steps = plan_of(&settings, &observed, &conflicts);
        assert_eq!(
            steps.iter().any(|step| step == removed),
            expected,
            "{steps:#?}"
        );
        assert!(
            !steps
                .iter()
                .any(|step| step == "address 2001:db8:1::2/64 on eth0")
        );
    }
    let kept = plan_of(&settings, &observed, &Conflicts::new());
    assert!(
        !kept.iter().any(|step| step.contains("2001:db8:1::2/64")),
        "{kept:#?}"
    );
}

#[test]
fn without_users_a_tap_has_nobody_to_belong_to() {
    let settings = settings("alter_user = False");
    let mut observed = fresh();
    let attempt = |observed: &Observed| {
        let (computer, _) = compose(&settings, observed, &Conflicts::new()).unwrap();
        let document = ComputerConfiguration::default();
        plan(
            &settings,
            &Wanted { computer, document },
            observed,
            &Conflicts::new(),
        )
    };
    let error = attempt(&observed).unwrap_err().to_string();
    assert!(
        error.contains("slapuser0, who shall own slaptap0"),
        "{error}"
    );
    let owner = Owner { uid: 900, gid: 900 };
    observed
        .accounts
        .users
        .insert("slapuser0".to_owned(), owner);
    assert!(attempt(&observed).unwrap().programs().is_empty());
}

#[test]
fn an_interface_without_carrier_is_not_waited_for() {
    let mut observed = fresh();
    observed.network.links[1].carrier = false;
    let settings = settings("create_tap = False");
    let steps = plan_of(&settings, &observed, &Conflicts::new());
    assert!(
        !steps.iter().any(|step| step.starts_with("wait")),
        "{steps:#?}"
    );
    let warning = blind_spot(&settings, &observed.network).unwrap();
    assert!(warning.contains("eth0 has no carrier"), "{warning}");
    // A bridge gets one.
    observed.network.links[1].kind = LinkKind::Bridge;
    let steps = plan_of(&settings, &observed, &Conflicts::new());
    assert!(
        position(&steps, "plugged into eth0") < position(&steps, "address 10."),
        "{steps:#?}"
    );
    assert_eq!(blind_spot(&settings, &observed.network), None);
}

/// Why the partition of a definition cannot be made.
fn refused(settings: &Settings, observed: &mut Observed, user: &str, interface: &str) -> String {
    let text = format!(
        "[computer]\nsoftware_user = soft\n[partition_0]\npathname = part0\nuser = {user}\n\
         network_interface = {interface}\naddress = 10.0.0.9/32\n"
    );
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("definition.cfg");
    std::fs::write(&path, text).unwrap();
    observed.definition = Some(definition::Definition::read(&path).unwrap());
    let (computer, _) = compose(settings, observed, &Conflicts::new()).unwrap();
    let document = ComputerConfiguration::default();
    let wanted = Wanted { computer, document };
    plan(settings, &wanted, observed, &Conflicts::new())
        .unwrap_err()
        .to_string()
}

#[test]
fn names_of_a_definition_are_no_options_lists_or_patterns() {
    let (settings, mut observed) = (settings(""), fresh());
    for (user, interface, part) in [
        ("-x", "tap0", "part0: \"-x\" cannot be the name of a user"),
        ("a,sudo", "tap0", "part0: \"a,sudo\""),
        (
            "user0",
            "tap%%d",
            "part0: \"tap%d\" cannot be the name of an interface",
        ),
    ] {
        let error = refused(&settings, &mut observed, user, interface);
        assert!(error.starts_with(part), "{error}");
    }
}

#[test]
fn no_partition_is_roots_whatever_its_name() {
    let (settings, mut observed) = (settings(""), fresh());
    let root = Owner { uid: 0, gid: 0 };
    observed.accounts.users.insert("toor".to_owned(), root);
    let error = refused(&settings, &mut observed, "toor", "tap0");
    assert!(error.contains("toor of part0 is root"), "{error}");
}

#[test]
fn the_password_of_root_stays_when_software_is_roots() {
    let (settings, mut observed) = (settings("software_user = root"), fresh());
    let root = Owner { uid: 0, gid: 0 };
    let accounts = &mut observed.accounts;
    accounts.users.insert("root".to_owned(), root);
    accounts.with_password.insert("root".to_owned());
    let steps = plan_of(&settings, &observed, &Conflicts::new());
    assert!(
        !steps.iter().any(|step| step.contains("password")),
        "{steps:#?}"
    );
}

#[test]
fn files_that_may_not_be_read_are_not_said_to_change() {
    let (settings, mut observed) = (settings("create_tap = False"), fresh());
    let resource = "/i/slappart0/.slapos-resource";
    let is_written = |observed: &Observed| {
        let steps = plan_of(&settings, observed, &Conflicts::new());
        steps.iter().any(|step| step.contains(resource))
    };
    assert!(is_written(&observed));
    observed.unreadable.insert(resource.into());
    assert!(!is_written(&observed));
}

#[test]
fn what_stands_in_no_step_is_warned_of() {
    let (settings, mut observed) = (settings("alter_user = False\ncreate_tap = False"), fresh());
    let (computer, _) = compose(&settings, &observed, &Conflicts::new()).unwrap();
    observed.kept = Some(ComputerConfiguration {
        reference: "OTHER".to_owned(),
        ..ComputerConfiguration::default()
    });
    observed.unreadable.insert("/secret".into());
    let owner = Owner { uid: 33, gid: 33 };
    let root = PresentDirectory { mode: 0o755, owner };
    observed.directories.insert("/i".into(), root);
    let warnings = warnings::all(&settings, &computer, &observed);
    let expected = [
        "these users do not exist, slapgrid will want them: slapuser0",
        "this user may not read, so it is not known whether they would change: /secret",
        "/x/computer.xml was that of the computer OTHER; it becomes that of C",
        "/i belongs to the user 33, who can exchange partitions: it should be root's",
    ];
    assert_eq!(warnings, expected);
}
