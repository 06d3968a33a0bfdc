//! What the computer shall be: from the definition, else from what is kept, else newly allocated.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};
use slap_proto::documents::{ComputerConfiguration, PartitionAddress};
use slap_proto::marshal::Value;

use crate::addresses;
use crate::allocate::{AllocateError, Allocation, Conflicts, Situation, allocate, own_networks};
use crate::claims::Claims;
use crate::computer::{Choices, Computer, Partition, PartitionNetwork, Taps, described};
use crate::definition::{DefinedPartition, Definition, net};
use crate::describe::find;
use crate::network::LinkKind;
use crate::observe::Observed;
use crate::settings::Settings;

/// The wanted computer, and what an admin should know of it.
pub(crate) fn compose(
    settings: &Settings,
    observed: &Observed,
    conflicts: &Conflicts,
) -> Result<(Computer, Vec<String>), AllocateError> {
    match (&observed.definition, settings.alter_network) {
        (Some(definition), _) => Ok((defined(settings, observed, definition), Vec::new())),
        (None, true) => allocated(settings, observed, conflicts),
        (None, false) => Ok((found(settings, observed), Vec::new())),
    }
}

/// As the definition file says.
fn defined(settings: &Settings, observed: &Observed, definition: &Definition) -> Computer {
    let partitions: Vec<_> = definition
        .partitions
        .iter()
        .map(|partition| Partition {
            network: settings.alter_network.then(|| PartitionNetwork {
                addresses: partition
                    .addresses
                    .iter()
                    .filter_map(net)
                    .filter(|net| !net.addr().is_loopback())
                    .collect(),
                ..PartitionNetwork::default()
            }),
            ..plain(partition, observed)
        })
        .collect();
    let own = definition.address.clone();
    Computer {
        own: own.or_else(|| own_address(observed.kept.as_ref(), &partitions)),
        software_user: definition
            .software_user
            .clone()
            .unwrap_or_else(|| settings.software_user.clone()),
        taps: defined_taps(settings, observed),
        choices: Choices::default(),
        partitions,
    }
}

/// Taps of a definition have no networks of their own; they may belong to a bridge.
fn defined_taps(settings: &Settings, observed: &Observed) -> Taps {
    if !settings.alter_network || !settings.create_tap {
        return Taps::Untouched;
    }
    let interface = settings.interface_name.as_deref().unwrap_or_default();
    let link = observed.network.link(interface);
    if link.is_some_and(|link| link.kind == LinkKind::Bridge) {
        Taps::Bridged
    } else {
        Taps::Routed { ipv6: false }
    }
}

/// With the addresses that the interface has, as none may be added.
fn found(settings: &Settings, observed: &Observed) -> Computer {
    let kept = observed.kept.as_ref();
    let partitions: Vec<_> = (0..settings.partition_amount)
        .map(|number| {
            let names = Names::of(settings, number, kept);
            let addresses = find(kept, &names.reference)
                .map(|kept| kept.address_list.clone())
                .filter(|list| !list.is_empty())
                .unwrap_or_else(|| addresses::for_partition(settings, &observed.network, number));
            plain(&names.defined(addresses), observed)
        })
        .collect();
    Computer {
        own: own_address(kept, &partitions),
        software_user: settings.software_user.clone(),
        taps: Taps::Untouched,
        choices: Choices::default(),
        partitions,
    }
}

/// With addresses of their own.
fn allocated(
    settings: &Settings,
    observed: &Observed,
    conflicts: &Conflicts,
) -> Result<(Computer, Vec<String>), AllocateError> {
    let kept = observed.kept.as_ref();
    let names: Vec<_> = (0..settings.partition_amount)
        .map(|number| Names::of(settings, number, kept))
        .collect();
    let references: Vec<_> = names.iter().map(|names| names.reference.clone()).collect();
    let situation = Situation {
        settings,
        claims: &observed.claims,
        network: &observed.network,
        conflicts,
        chosen: Choices {
            tap_ipv6: choice(kept, "tap_ipv6"),
            ranges: choice(kept, "partition_has_ipv6_range"),
        },
    };
    let allocation = allocate(&situation, &references)?;
    let own = free_address(kept, &allocation);
    let partitions = names
        .into_iter()
        .zip(allocation.partitions)
        .map(|(names, network)| {
            let addresses = network.addresses.iter().copied().map(described).collect();
            Partition {
                network: Some(network),
                ..plain(&names.defined(addresses), observed)
            }
        });
    let computer = Computer {
        own,
        software_user: settings.software_user.clone(),
        partitions: partitions.collect(),
        taps: allocation.taps,
        choices: allocation.choices,
    };
    Ok((computer, allocation.warnings))
}

/// The computer's own address: one that the interface has and no partition, the kept one if so.
fn free_address(
    kept: Option<&ComputerConfiguration>,
    allocation: &Allocation,
) -> Option<PartitionAddress> {
    let is_free = |net: &&Ipv6Net| {
        let mut partitions = allocation.partitions.iter().flat_map(|one| &one.addresses);
        !partitions.any(|address| address.addr() == IpAddr::V6(net.addr()))
    };
    let kept = kept.and_then(|kept| kept.address.as_deref());
    let kept: Option<Ipv6Addr> = kept.and_then(|text| text.parse().ok());
    let bases = &allocation.bases;
    let chosen = bases
        .iter()
        .filter(is_free)
        .find(|net| Some(net.addr()) == kept)
        .or_else(|| bases.iter().find(is_free))
        .or_else(|| bases.first())?;
    Some(described((*chosen).into()))
}

/// The computer's own address: as kept, else that of the first partition.
fn own_address(
    kept: Option<&ComputerConfiguration>,
    partitions: &[Partition],
) -> Option<PartitionAddress> {
    let kept = kept.and_then(|kept| {
        Some(PartitionAddress {
            addr: kept.address.clone()?,
            netmask: kept.netmask.clone(),
        })
    });
    kept.or_else(|| partitions.first()?.addresses.first().cloned())
}

/// A truth value of the kept document.
fn choice(kept: Option<&ComputerConfiguration>, key: &str) -> Option<bool> {
    match kept?.extra.get(key)? {
        Value::Bool(choice) => Some(*choice),
        _ => None,
    }
}

/// Names of a partition that no definition describes: those that are kept, else made of its number.
struct Names {
    reference: String,
    user: String,
    interface: String,
}

impl Names {
    fn of(settings: &Settings, number: usize, kept: Option<&ComputerConfiguration>) -> Self {
        let reference = format!("{}{number}", settings.partition_base_name);
        let kept = find(kept, &reference);
        let name =
            |kept: Option<String>, base: &str| kept.unwrap_or_else(|| format!("{base}{number}"));
        Self {
            user: name(
                kept.and_then(|kept| kept.user.clone()),
                &settings.user_base_name,
            ),
            interface: name(
                kept.and_then(|kept| kept.tap.clone()),
                &settings.tap_base_name,
            ),
            reference,
        }
    }

    fn defined(self, addresses: Vec<PartitionAddress>) -> DefinedPartition {
        DefinedPartition {
            reference: self.reference,
            user: self.user,
            interface: self.interface,
            addresses,
        }
    }
}

fn plain(partition: &DefinedPartition, observed: &Observed) -> Partition {
    let disks = observed.storage_disks.iter();
    Partition {
        reference: partition.reference.clone(),
        user: partition.user.clone(),
        interface: partition.interface.clone(),
        addresses: partition.addresses.clone(),
        network: None,
        storage: disks.map(|disk| disk.join(&partition.reference)).collect(),
    }
}

/// Whether partitions have an IPv6 address that others can reach.
pub(crate) fn has_global_v6(settings: &Settings, observed: &Observed) -> bool {
    let interface = settings.v6_interface().unwrap_or_default();
    let link = observed.network.link(interface);
    link.is_some_and(|link| !own_networks(&observed.network, link, &Claims::default()).is_empty())
}

/// Any public IPv4 address of the machine.
pub(crate) fn public_ipv4(observed: &Observed) -> Option<Ipv4Addr> {
    let ours = observed.claims.addresses();
    observed
        .network
        .addresses
        .iter()
        .find_map(|address| match address.net {
            IpNet::V4(net)
                if crate::describe::is_public(&address.net)
                    && !ours.contains(&net.addr().into()) =>
            {
                Some(net.addr())
            }
            _ => None,
        })
}
