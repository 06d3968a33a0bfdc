//! The computer as it shall be: typed, before it becomes a document or steps.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use slap_proto::documents::PartitionAddress;

/// The computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Computer {
    /// Its own address, which no partition has.
    pub(crate) own: Option<PartitionAddress>,
    pub(crate) software_user: String,
    pub(crate) taps: Taps,
    pub(crate) choices: Choices,
    pub(crate) partitions: Vec<Partition>,
}

/// What was chosen for all partitions, to be chosen again. `None` leaves what is written down:
/// there was nothing to choose, or no room for what would be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Choices {
    /// Whether taps have IPv6 networks.
    pub(crate) tap_ipv6: Option<bool>,
    /// Whether partitions have ranges of IPv6 addresses.
    pub(crate) ranges: Option<bool>,
}

/// What becomes of the partitions' taps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Taps {
    /// They are not touched.
    Untouched,
    /// They belong to the bridge `interface_name`.
    Bridged,
    /// They are networks of their own, reached by routes.
    Routed {
        /// Whether each has an IPv6 network.
        ipv6: bool,
    },
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Partition {
    pub(crate) reference: String,
    pub(crate) user: String,
    /// Name of its tap.
    pub(crate) interface: String,
    pub(crate) addresses: Vec<PartitionAddress>,
    /// What the network shall have for it; `None` leaves the network as it is.
    pub(crate) network: Option<PartitionNetwork>,
    /// Directories on other disks.
    pub(crate) storage: Vec<PathBuf>,
}

/// What the network has for a partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PartitionNetwork {
    /// Its addresses on `interface_name` (IPv4) and on the interface of IPv6 addresses.
    pub(crate) addresses: Vec<IpNet>,
    pub(crate) range: Option<Ipv6Net>,
    pub(crate) tap: TapNetwork,
    pub(crate) tun: Option<Tun>,
}

impl PartitionNetwork {
    /// Everything beside its addresses.
    pub(crate) fn subnets(&self) -> impl Iterator<Item = IpNet> {
        let tun = self.tun.as_ref();
        let v4 = [
            self.tap.v4.map(|tap| Ipv4Net::from(tap.address)),
            tun.map(|tun| tun.v4.trunc()),
        ];
        let v6 = [self.range, self.tap.v6, tun.and_then(|tun| tun.v6)];
        let v4 = v4.into_iter().flatten().map(IpNet::V4);
        v4.chain(v6.into_iter().flatten().map(IpNet::V6))
    }
}

/// Addresses of a tap that belongs to no bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TapNetwork {
    pub(crate) v4: Option<TapV4>,
    pub(crate) v6: Option<Ipv6Net>,
}

impl TapNetwork {
    pub(crate) fn is_any(&self) -> bool {
        self.v4.is_some() || self.v6.is_some()
    }
}

/// The IPv4 address of what is at the other end of a tap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TapV4 {
    pub(crate) address: Ipv4Addr,
    /// Address and network of the gateway interface.
    pub(crate) gateway: Ipv4Net,
}

/// A tun with its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tun {
    pub(crate) name: String,
    /// This end's address with its network.
    pub(crate) v4: Ipv4Net,
    pub(crate) v6: Option<Ipv6Net>,
}

/// The address of what is at the other end of a tap or tun: the network's first.
pub(crate) fn first_address(network: Ipv6Net) -> Ipv6Addr {
    Ipv6Addr::from(u128::from(network.network()) | 1)
}

/// An address of a document, with the netmask in the address's own notation.
pub(crate) fn described(net: IpNet) -> PartitionAddress {
    PartitionAddress {
        addr: net.addr().to_string(),
        netmask: Some(net.netmask().to_string()),
    }
}
