//! Addresses for partitions where neither a definition nor the computer's file tells them: those
//! that the interface has, as this version adds none.

use std::net::{IpAddr, Ipv4Addr};

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use slap_proto::documents::PartitionAddress;

use crate::settings::Settings;

/// An address of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InterfaceAddress {
    pub(crate) interface: String,
    pub(crate) address: IpAddr,
    pub(crate) loopback: bool,
}

/// All addresses of all interfaces.
pub(crate) fn of_interfaces() -> Result<Vec<InterfaceAddress>, nix::errno::Errno> {
    let addresses = getifaddrs()?.filter_map(|entry| {
        let storage = entry.address?;
        let v4 = storage
            .as_sockaddr_in()
            .map(|address| IpAddr::V4(address.ip()));
        let address = v4.or_else(|| {
            storage
                .as_sockaddr_in6()
                .map(|address| IpAddr::V6(address.ip()))
        })?;
        let loopback = entry.flags.contains(InterfaceFlags::IFF_LOOPBACK);
        Some(InterfaceAddress {
            interface: entry.interface_name,
            address,
            loopback,
        })
    });
    Ok(addresses.collect())
}

/// Addresses of one partition: an IPv4 and an IPv6, as far as there are any.
pub(crate) fn for_partition(
    settings: &Settings,
    present: &[InterfaceAddress],
    number: usize,
) -> Vec<PartitionAddress> {
    let v4_interface = settings.interface_name.as_deref();
    let v6_interface = settings.ipv6_interface.as_deref().or(v4_interface);
    let loopback = loopback_network_address(&settings.ipv4_local_network, number);
    let v4 = loopback
        .map(IpAddr::V4)
        .or_else(|| pick(present, v4_interface, |address| address.is_ipv4()));
    let global = pick(present, v6_interface, is_global_v6);
    let v6 = global.or_else(|| {
        pick(present, v6_interface, |address| {
            address.is_ipv6() && address.is_loopback()
        })
    });
    v4.into_iter().chain(v6).map(host_address).collect()
}

/// Whether partitions would have an IPv6 address that others can reach.
pub(crate) fn has_global_v6(settings: &Settings, present: &[InterfaceAddress]) -> bool {
    let interface = settings
        .ipv6_interface
        .as_deref()
        .or(settings.interface_name.as_deref());
    pick(present, interface, is_global_v6).is_some()
}

fn pick(
    present: &[InterfaceAddress],
    interface: Option<&str>,
    fits: impl Fn(&IpAddr) -> bool,
) -> Option<IpAddr> {
    let on_interface = |entry: &&InterfaceAddress| match interface {
        Some(name) => entry.interface == name,
        None => entry.loopback,
    };
    present
        .iter()
        .filter(on_interface)
        .map(|entry| entry.address)
        .find(fits)
}

fn is_global_v6(address: &IpAddr) -> bool {
    match address {
        IpAddr::V6(address) => {
            !address.is_loopback() && !address.is_unicast_link_local() && !address.is_multicast()
        }
        IpAddr::V4(_) => false,
    }
}

/// The address of a partition in a network within 127.0.0.0/8, where no address needs adding.
fn loopback_network_address(network: &str, number: usize) -> Option<Ipv4Addr> {
    let (base, length) = network.split_once('/')?;
    let base: Ipv4Addr = base.parse().ok()?;
    let length: u32 = length
        .parse()
        .ok()
        .filter(|length| (8..=32).contains(length))?;
    let size = 1_u64 << (32 - length);
    let offset = u32::try_from(number).ok()?.checked_add(2)?;
    let fits = base.is_loopback() && u64::from(offset) < size;
    fits.then(|| Ipv4Addr::from(u32::from(base).wrapping_add(offset)))
}

/// An address with the netmask of a single host.
fn host_address(address: IpAddr) -> PartitionAddress {
    let netmask = match address {
        IpAddr::V4(_) => "255.255.255.255".to_owned(),
        IpAddr::V6(_) => ["ffff"; 8].join(":"),
    };
    PartitionAddress {
        addr: address.to_string(),
        netmask: Some(netmask),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_of_a_loopback_network_have_addresses_of_their_own() {
        let address =
            |network, number| loopback_network_address(network, number).map(|a| a.to_string());
        assert_eq!(address("127.0.1.0/24", 0).as_deref(), Some("127.0.1.2"));
        assert_eq!(address("127.0.1.0/24", 3).as_deref(), Some("127.0.1.5"));
        assert_eq!(address("127.0.1.0/30", 2), None);
        assert_eq!(address("10.0.0.0/16", 0), None);
        assert_eq!(address("nonsense", 0), None);
    }

    #[test]
    fn this_machine_has_a_loopback_interface() {
        let present = of_interfaces().unwrap();
        assert!(
            present
                .iter()
                .any(|entry| entry.loopback && entry.address.is_loopback()),
            "{present:?}"
        );
    }
}
