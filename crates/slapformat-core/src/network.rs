//! The network of this machine as the kernel tells it: plain data.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::listing::some_of;

/// Everything of the network that slapformat looks at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Network {
    pub(crate) links: Vec<Link>,
    pub(crate) addresses: Vec<Address>,
    pub(crate) routes: Vec<Route>,
    /// `net.ipv6.ip_nonlocal_bind`: whether programs may bind to any address of a routed range.
    pub(crate) nonlocal_bind: bool,
}

/// An interface that is named does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no interface {name}; there are {present}")]
pub struct NoInterface {
    /// Its name.
    pub name: String,
    /// Interfaces that exist, the first few.
    pub present: String,
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) name: String,
    pub(crate) kind: LinkKind,
    pub(crate) up: bool,
    /// Whether something is connected at the other end.
    pub(crate) carrier: bool,
    pub(crate) loopback: bool,
    /// Index of the bridge that it belongs to.
    pub(crate) master: Option<u32>,
}

/// What an interface is, as far as that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkKind {
    Bridge,
    Tunnel(Tunnel),
    Other,
}

/// An interface whose other end is a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tunnel {
    pub(crate) layer: Layer,
    /// The user who may open it.
    pub(crate) owner: Option<u32>,
    /// Whether it stays while no program has it open.
    pub(crate) persistent: bool,
}

/// What a program at the other end of an interface sends and receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Ethernet frames.
    Tap,
    /// IP packets.
    Tun,
}

/// An address of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address {
    /// Index of the interface.
    pub(crate) link: u32,
    /// The address, with the length of its network.
    pub(crate) net: IpNet,
    /// Whether it is meant for all of the network, and to stay.
    pub(crate) global: bool,
    /// Whether the kernel still looks whether someone else has it.
    pub(crate) tentative: bool,
    /// Whether the kernel found that someone else has it.
    pub(crate) duplicate: bool,
}

impl Address {
    /// Whether it looks like one that was added for a partition: IPv4 addresses by themselves.
    pub(crate) fn is_made_for_one(&self) -> bool {
        self.net.addr().is_ipv6() || self.net.prefix_len() == 32
    }
}

/// A route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) destination: IpNet,
    /// Index of the interface.
    pub(crate) link: Option<u32>,
    pub(crate) gateway: Option<IpAddr>,
    /// Whether packets end here instead of being sent on: it is in the table of such routes.
    pub(crate) local: bool,
    /// Whether it is in the table where routes of its kind are looked for.
    pub(crate) in_use: bool,
    /// Whether the kernel made it of an address, and removes it with that.
    pub(crate) automatic: bool,
}

impl Network {
    pub(crate) fn link(&self, name: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.name == name)
    }

    /// The interface that a parameter names.
    pub(crate) fn require(&self, name: Option<&str>) -> Result<&Link, NoInterface> {
        let name = name.unwrap_or_default();
        self.link(name).ok_or_else(|| NoInterface {
            name: name.to_owned(),
            present: some_of(self.links.iter().map(|link| &link.name)),
        })
    }

    pub(crate) fn link_of(&self, index: u32) -> Option<&Link> {
        self.links.iter().find(|link| link.index == index)
    }

    /// The addresses of an interface.
    pub(crate) fn addresses_of(&self, link: u32) -> impl Iterator<Item = &Address> {
        self.addresses
            .iter()
            .filter(move |address| address.link == link)
    }

    /// Whether the interface has the address, with whatever length.
    pub(crate) fn has(&self, link: u32, address: IpAddr) -> bool {
        self.addresses_of(link)
            .any(|present| present.net.addr() == address)
    }
}
