//! The computer as a document: what is kept in `computer_xml` and posted.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv6Net};
use slap_proto::documents::{Attributes, ComputerConfiguration, PartitionConfiguration};
use slap_proto::marshal::Value;

use crate::computer::{Computer, Partition, PartitionNetwork, TapNetwork, Tun, first_address};
use crate::settings::Settings;

/// The attributes of a tap or tun, which are empty texts where it has no address.
const TUNNEL_TEXTS: [&str; 8] = [
    "ipv4_addr",
    "ipv4_gateway",
    "ipv4_netmask",
    "ipv4_network",
    "ipv6_addr",
    "ipv6_gateway",
    "ipv6_netmask",
    "ipv6_network",
];

/// What this machine says of itself beside its partitions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Machine {
    /// JSON list: platform, then identity, version and name of the distribution.
    pub(crate) os_type: String,
    /// An address that the whole world can reach, if an interface has one.
    pub(crate) public_ipv4: Option<String>,
}

/// The document of a computer. What the kept one says beyond that stays.
pub(crate) fn document(
    settings: &Settings,
    computer: &Computer,
    machine: &Machine,
    kept: Option<&ComputerConfiguration>,
) -> ComputerConfiguration {
    let partitions = computer.partitions.iter();
    let own = computer.own.clone();
    let (address, netmask) = own.map_or((None, None), |own| (Some(own.addr), own.netmask));
    let mut extra = kept.map(|kept| kept.extra.clone()).unwrap_or_default();
    extra.extend(facts(settings, computer, machine, kept));
    ComputerConfiguration {
        reference: settings.computer_id.clone(),
        address,
        netmask,
        ipv6_interface: settings.ipv6_interface.clone(),
        software_user: Some(computer.software_user.clone()),
        instance_root: Some(settings.instance_root.to_string_lossy().into_owned()),
        software_root: Some(settings.software_root.to_string_lossy().into_owned()),
        partition_list: partitions
            .map(|one| partition(settings, computer, one, kept))
            .collect(),
        extra,
    }
}

/// What readers of 1.x expect of the computer beside its partitions.
fn facts(
    settings: &Settings,
    computer: &Computer,
    machine: &Machine,
    kept: Option<&ComputerConfiguration>,
) -> Attributes {
    let path = settings.instance_storage_home.as_ref();
    let interface = settings.interface_name.clone();
    let interface = Value::dict([
        (
            "ipv4_local_network",
            settings.ipv4_local_network.to_string().into(),
        ),
        (
            "ipv6_interface",
            settings.v6_interface().map(str::to_owned).into(),
        ),
        (
            "ipv6_prefixshift",
            Value::Int(settings.ipv6_prefixshift.into()),
        ),
        ("name", interface.into()),
    ]);
    let choices = [
        ("tap_ipv6", computer.choices.tap_ipv6),
        ("partition_has_ipv6_range", computer.choices.ranges),
    ];
    let choices = choices
        .into_iter()
        .filter_map(|(name, choice)| Some((name.to_owned(), Value::Bool(choice?))));
    let facts = [
        (
            "instance_storage_home",
            path.map(|path| path.to_string_lossy().into_owned()).into(),
        ),
        ("interface", interface),
        ("os_type", os_type(machine, kept)),
        ("public_ipv4_address", machine.public_ipv4.clone().into()),
        (
            "tap_gateway_interface",
            settings
                .tap_gateway_interface
                .clone()
                .unwrap_or_default()
                .into(),
        ),
    ];
    let facts = facts.map(|(name, value)| (name.to_owned(), value));
    facts.into_iter().chain(choices).collect()
}

/// The operating system. The peer's text names the C library besides; it stays as long as the
/// rest of it is right, so that taking turns with the peer changes nothing.
fn os_type(machine: &Machine, kept: Option<&ComputerConfiguration>) -> Value {
    let list = |text: &str| serde_json::from_str::<Vec<String>>(text).ok();
    let kept = kept
        .and_then(|kept| kept.extra.get("os_type"))
        .and_then(Value::as_str);
    let same = |kept: &&str| match (list(kept), list(&machine.os_type)) {
        (Some(kept), Some(now)) => {
            let (platform, rest) = (kept.first(), kept.get(1..));
            rest == now.get(1..)
                && platform
                    .zip(now.first())
                    .is_some_and(|(old, new)| old.starts_with(new.as_str()))
        }
        _ => false,
    };
    kept.filter(same).unwrap_or(&machine.os_type).into()
}

fn partition(
    settings: &Settings,
    computer: &Computer,
    described: &Partition,
    kept: Option<&ComputerConfiguration>,
) -> PartitionConfiguration {
    let path = settings.instance_root.join(&described.reference);
    let path = path.to_string_lossy().into_owned();
    let mut extra = match find(kept, &described.reference) {
        Some(kept) => kept.extra.clone(),
        None => new_extra(&computer.software_user, &path),
    };
    if let Some(network) = &described.network {
        extra.extend(network_extra(network));
    }
    let storage = described.storage.iter();
    let storage = storage.map(|path| path.to_string_lossy().into_owned().into());
    extra.insert(
        "external_storage_list".to_owned(),
        Value::list(storage.collect()),
    );
    PartitionConfiguration {
        reference: described.reference.clone(),
        path: Some(path),
        user: Some(described.user.clone()),
        tap: Some(described.interface.clone()),
        address_list: described.addresses.clone(),
        extra,
    }
}

/// A partition of a document.
pub(crate) fn find<'a>(
    kept: Option<&'a ComputerConfiguration>,
    reference: &str,
) -> Option<&'a PartitionConfiguration> {
    let mut partitions = kept?.partition_list.iter();
    partitions.find(|partition| partition.reference == reference)
}

/// What readers of 1.x expect beside names and addresses.
fn new_extra(software_user: &str, path: &str) -> Attributes {
    let user = [
        (
            "additional_group_list",
            Value::list(vec![software_user.into()]),
        ),
        ("path", path.into()),
        ("shell", crate::plan::SHELL.into()),
    ];
    let mut extra = network_extra(&PartitionNetwork::default());
    extra.insert("user".to_owned(), Value::dict(user));
    extra
}

fn network_extra(network: &PartitionNetwork) -> Attributes {
    let range = network
        .range
        .map_or_else(|| Value::dict(Vec::<(String, Value)>::new()), range);
    let tun = network.tun.as_ref().map_or(Value::None, tun);
    [
        ("ipv6_range", range),
        ("tap", tap(&network.tap)),
        ("tun", tun),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn range(net: Ipv6Net) -> Value {
    Value::dict([
        ("addr", net.network().to_string().into()),
        ("netmask", net.netmask().to_string().into()),
        ("network", net.trunc().to_string().into()),
        ("prefixlen", Value::Int(net.prefix_len().into())),
    ])
}

fn tap(network: &TapNetwork) -> Value {
    let mut texts = vec![String::new(); TUNNEL_TEXTS.len()];
    if let Some(v4) = network.v4 {
        let gateway = v4.gateway;
        texts[0] = v4.address.to_string();
        texts[1] = gateway.addr().to_string();
        texts[2] = gateway.netmask().to_string();
        texts[3] = gateway.network().to_string();
    }
    if let Some(v6) = network.v6 {
        let first = first_address(v6);
        texts[4] = v6.broadcast().to_string();
        texts[5] = first.to_string();
        texts[6] = v6.netmask().to_string();
        // The peer's form: the gateway's address with the length of the network.
        texts[7] = format!("{first}/{}", v6.prefix_len());
    }
    Value::dict(
        TUNNEL_TEXTS
            .into_iter()
            .zip(texts.into_iter().map(Value::from)),
    )
}

fn tun(tun: &Tun) -> Value {
    let mut texts = vec![String::new(); TUNNEL_TEXTS.len()];
    texts[0] = tun.v4.addr().to_string();
    texts[2] = tun.v4.netmask().to_string();
    texts[3] = format!("{}/{}", tun.v4.addr(), tun.v4.netmask());
    if let Some(v6) = tun.v6 {
        let first = first_address(v6);
        texts[4] = first.to_string();
        texts[6] = v6.netmask().to_string();
        texts[7] = format!("{first}/{}", v6.prefix_len());
    }
    let texts = TUNNEL_TEXTS
        .into_iter()
        .zip(texts.into_iter().map(Value::from));
    Value::dict(texts.chain([("name", tun.name.as_str().into())]))
}

/// Whether an address can be reached from everywhere.
pub(crate) fn is_public(net: &IpNet) -> bool {
    let IpAddr::V4(address) = net.addr() else {
        return false;
    };
    let [first, second, ..] = address.octets();
    let shared = first == 100 && (64..128).contains(&second);
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || shared
        || first == 0
        || first >= 240)
}

/// The `.slapos-resource` file of a partition: its description as JSON, for the instance to read.
pub(crate) fn resource(partition: &PartitionConfiguration) -> String {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    // Writing JSON values to memory cannot fail.
    let _ = serde::Serialize::serialize(&partition.to_value(), &mut serializer);
    String::from_utf8_lossy(&text).into_owned()
}
