//! Addresses for partitions where neither a definition nor the computer's file tells them and the
//! network is not to be changed: those that the interface has.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use slap_proto::documents::PartitionAddress;

use crate::computer::described;
use crate::network::Network;
use crate::settings::Settings;

/// Addresses of one partition: an IPv4 and an IPv6, as far as there are any.
pub(crate) fn for_partition(
    settings: &Settings,
    network: &Network,
    number: usize,
) -> Vec<PartitionAddress> {
    let v4 = loopback_network_address(settings.ipv4_local_network, number)
        .map(IpAddr::V4)
        .or_else(|| pick(network, settings.interface_name.as_deref(), IpAddr::is_ipv4));
    let v6 = pick(network, settings.v6_interface(), is_global_v6).or_else(|| {
        pick(network, settings.v6_interface(), |address| {
            address.is_ipv6() && address.is_loopback()
        })
    });
    let addresses = v4.into_iter().chain(v6);
    addresses
        .map(|address| described(IpNet::from(address)))
        .collect()
}

fn pick(
    network: &Network,
    interface: Option<&str>,
    fits: impl Fn(&IpAddr) -> bool,
) -> Option<IpAddr> {
    let link = match interface {
        Some(name) => network.link(name),
        None => network.links.iter().find(|link| link.loopback),
    };
    let mut addresses = network
        .addresses_of(link?.index)
        .map(|address| address.net.addr());
    addresses.find(fits)
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
fn loopback_network_address(network: Ipv4Net, number: usize) -> Option<Ipv4Addr> {
    let offset = u32::try_from(number).ok()?.checked_add(2)?;
    let address = Ipv4Addr::from(u32::from(network.network()).checked_add(offset)?);
    (network.addr().is_loopback() && network.contains(&address)).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_of_a_loopback_network_have_addresses_of_their_own() {
        let address = |network: &str, number| {
            let network = network.parse().unwrap();
            loopback_network_address(network, number).map(|address| address.to_string())
        };
        assert_eq!(address("127.0.1.0/24", 0).as_deref(), Some("127.0.1.2"));
        assert_eq!(address("127.0.1.0/24", 3).as_deref(), Some("127.0.1.5"));
        assert_eq!(address("127.0.1.0/30", 2), None);
        assert_eq!(address("10.0.0.0/16", 0), None);
    }
}
