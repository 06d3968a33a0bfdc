//! What there is around the partitions: the interface's own networks, and what others use.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::pools::Taken;
use super::{AllocateError, Situation};
use crate::claims::Claims;
use crate::network::{Link, Network};
use crate::settings::Settings;

/// Networks of the global IPv6 addresses that an interface has of its own, the largest first.
pub(crate) fn own_networks(network: &Network, link: &Link, claims: &Claims) -> Vec<Ipv6Net> {
    let ours = claims.addresses();
    let mut bases: Vec<_> = network
        .addresses_of(link.index)
        .filter(|address| address.global)
        .filter_map(|address| match address.net {
            IpNet::V6(net) => Some(net),
            IpNet::V4(_) => None,
        })
        .filter(|net| {
            let address = IpAddr::V6(net.addr());
            !ours.contains(&address) || claims.own.contains(&address)
        })
        .collect();
    bases.sort_by_key(|net| (net.prefix_len(), net.addr()));
    bases
}

/// The address of the interface whose network the taps share.
pub(super) fn gateway(
    settings: &Settings,
    network: &Network,
) -> Result<Option<Ipv4Net>, AllocateError> {
    let Some(name) = settings.tap_gateway_interface.as_deref() else {
        return Ok(None);
    };
    let link = network.require(Some(name))?;
    // Addresses of partitions are /32; the interface's own is that of a network.
    let net = network
        .addresses_of(link.index)
        .find_map(|address| match address.net {
            IpNet::V4(net) if net.prefix_len() < 31 => Some(net),
            _ => None,
        });
    net.map(Some)
        .ok_or_else(|| AllocateError::NoGateway(name.to_owned()))
}

/// What others use: addresses of all interfaces and destinations of routes, without those that
/// are ours and where they shall be, or were.
pub(super) fn taken(situation: &Situation<'_>, links: [u32; 2], base: Ipv6Net) -> Taken {
    let ours = situation.claims.addresses();
    // From the interfaces of before they are moved.
    let mut places = situation.claims.links(situation.network);
    places.extend(links);
    let our_networks = situation.claims.networks();
    let is_ours = |net: &IpNet| our_networks.iter().any(|own| own.contains(net));
    let addresses = situation.network.addresses.iter().filter(|address| {
        let expected = places.contains(&address.link)
            && ours.contains(&address.net.addr())
            && address.is_made_for_one();
        let exact = IpNet::from(address.net.addr());
        (!expected || address.duplicate) && !is_ours(&exact)
    });
    let routes = || {
        situation
            .network
            .routes
            .iter()
            .map(|route| route.destination)
    };
    let hosts = routes().filter(|to| {
        to.prefix_len() == to.max_prefix_len() && !is_ours(to) && !ours.contains(&to.addr())
    });
    // Networks around ours, and that of the interface itself, are no obstacle.
    let subnets = routes().filter(|to| match to {
        IpNet::V4(_) => !is_ours(to),
        IpNet::V6(net) => {
            base.contains(net) && net.prefix_len() > base.prefix_len() && !is_ours(to)
        }
    });
    let subnets = subnets.filter(|to| to.prefix_len() < to.max_prefix_len());
    let conflicts = situation.conflicts.keys().copied();
    Taken {
        addresses: addresses
            .map(|address| address.net.addr())
            .chain(hosts.map(|host| host.addr()))
            .chain(conflicts)
            .collect(),
        networks: subnets.collect(),
    }
}
