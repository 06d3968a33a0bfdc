//! The computer as it shall be: the document that is kept in `computer_xml` and posted.

use slap_proto::documents::{
    Attributes, ComputerConfiguration, PartitionAddress, PartitionConfiguration,
};
use slap_proto::marshal::Value;

use crate::addresses::{self, InterfaceAddress};
use crate::definition::{DefinedPartition, Definition};
use crate::settings::Settings;

/// The wanted computer, from the definition, else from what is kept, else from what the interface
/// has. What the kept file says beyond that stays.
pub(crate) fn computer(
    settings: &Settings,
    definition: Option<&Definition>,
    kept: Option<&ComputerConfiguration>,
    present: &[InterfaceAddress],
) -> ComputerConfiguration {
    let software_user = definition.and_then(|definition| definition.software_user.clone());
    let software_user = software_user.unwrap_or_else(|| settings.software_user.clone());
    let partitions: Vec<_> = match definition {
        Some(definition) => definition
            .partitions
            .iter()
            .map(|defined| partition(settings, &software_user, defined, kept))
            .collect(),
        None => (0..settings.partition_amount)
            .map(|number| {
                let defined = numbered(settings, number, kept, present);
                partition(settings, &software_user, &defined, kept)
            })
            .collect(),
    };
    let address = own_address(definition, kept, &partitions);
    let (address, netmask) = address.map_or((None, None), |own| (Some(own.addr), own.netmask));
    ComputerConfiguration {
        reference: settings.computer_id.clone(),
        address,
        netmask,
        ipv6_interface: settings.ipv6_interface.clone(),
        software_user: Some(software_user),
        instance_root: Some(settings.instance_root.to_string_lossy().into_owned()),
        software_root: Some(settings.software_root.to_string_lossy().into_owned()),
        partition_list: partitions,
        extra: kept.map_or_else(
            || {
                [(
                    "interface".to_owned(),
                    settings.interface_name.clone().into(),
                )]
                .into()
            },
            |kept| kept.extra.clone(),
        ),
    }
}

/// The computer's own address: as defined or kept, else that of the first partition.
fn own_address(
    definition: Option<&Definition>,
    kept: Option<&ComputerConfiguration>,
    partitions: &[PartitionConfiguration],
) -> Option<PartitionAddress> {
    let defined = definition.and_then(|definition| definition.address.clone());
    let kept = kept.and_then(|kept| {
        Some(PartitionAddress {
            addr: kept.address.clone()?,
            netmask: kept.netmask.clone(),
        })
    });
    let first = partitions
        .first()
        .and_then(|partition| partition.address_list.first().cloned());
    defined.or(kept).or(first)
}

/// A partition that no definition describes.
fn numbered(
    settings: &Settings,
    number: usize,
    kept: Option<&ComputerConfiguration>,
    present: &[InterfaceAddress],
) -> DefinedPartition {
    let reference = format!("{}{number}", settings.partition_base_name);
    let kept = find(kept, &reference);
    let addresses = kept
        .map(|kept| kept.address_list.clone())
        .filter(|list| !list.is_empty());
    DefinedPartition {
        user: kept
            .and_then(|kept| kept.user.clone())
            .unwrap_or_else(|| format!("{}{number}", settings.user_base_name)),
        interface: kept
            .and_then(|kept| kept.tap.clone())
            .unwrap_or_else(|| format!("{}{number}", settings.tap_base_name)),
        addresses: addresses.unwrap_or_else(|| addresses::for_partition(settings, present, number)),
        reference,
    }
}

fn partition(
    settings: &Settings,
    software_user: &str,
    defined: &DefinedPartition,
    kept: Option<&ComputerConfiguration>,
) -> PartitionConfiguration {
    let path = settings
        .instance_root
        .join(&defined.reference)
        .to_string_lossy()
        .into_owned();
    let extra = match find(kept, &defined.reference) {
        Some(kept) => kept.extra.clone(),
        None => new_extra(software_user, &path),
    };
    PartitionConfiguration {
        reference: defined.reference.clone(),
        path: Some(path),
        user: Some(defined.user.clone()),
        tap: Some(defined.interface.clone()),
        address_list: defined.addresses.clone(),
        extra,
    }
}

fn find<'a>(
    kept: Option<&'a ComputerConfiguration>,
    reference: &str,
) -> Option<&'a PartitionConfiguration> {
    kept?
        .partition_list
        .iter()
        .find(|partition| partition.reference == reference)
}

/// What readers of 1.x expect beside names and addresses.
fn new_extra(software_user: &str, path: &str) -> Attributes {
    const TAP_TEXTS: [&str; 8] = [
        "ipv4_addr",
        "ipv4_gateway",
        "ipv4_netmask",
        "ipv4_network",
        "ipv6_addr",
        "ipv6_gateway",
        "ipv6_netmask",
        "ipv6_network",
    ];
    let none = Vec::<(String, Value)>::new();
    let user = [
        (
            "additional_group_list",
            Value::list(vec![software_user.into()]),
        ),
        ("path", path.into()),
        ("shell", "/bin/sh".into()),
    ];
    [
        ("external_storage_list", Value::list(Vec::new())),
        ("ipv6_range", Value::dict(none)),
        (
            "tap",
            Value::dict(TAP_TEXTS.map(|name| (name, Value::from("")))),
        ),
        ("tun", Value::None),
        ("user", Value::dict(user)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The `.slapos-resource` file of a partition: its description as JSON, for the instance to read.
pub(crate) fn resource(partition: &PartitionConfiguration) -> String {
    let json = json(&partition.to_value());
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    // Writing JSON values to memory cannot fail.
    let _ = serde::Serialize::serialize(&json, &mut serializer);
    String::from_utf8_lossy(&text).into_owned()
}

fn json(value: &Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Value::None => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(number) => i64::try_from(*number).map_or(Json::Null, Json::from),
        Value::Float(number) => Json::from(*number),
        Value::Tuple(items) => items.iter().map(json).collect(),
        Value::List(items) | Value::Set(items) => items.iter().map(json).collect(),
        Value::Dict(dict) => Json::Object(
            dict.iter()
                .map(|(key, value)| (key.to_text(), json(value)))
                .collect(),
        ),
        Value::String(_) | Value::Object(_) => Json::String(value.to_text()),
    }
}
