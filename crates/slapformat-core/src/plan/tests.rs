use std::path::Path;

use slap_proto::documents::{ComputerConfiguration, PartitionAddress};
use slapos_config::ConfigFile;
use slapos_fs::Owner;

use super::*;
use crate::allocate::{Conflict, Conflicts};
use crate::claims::Claims;
use crate::compose::compose;
use crate::network::{Address, Link, LinkKind, Network};
use crate::settings::Options;

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
    observed.look_around([PathBuf::from("/")].into_iter());
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
        "wait until 1 new addresses of eth0",
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
