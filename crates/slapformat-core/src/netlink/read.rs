//! What the kernel's messages say, as plain data.

use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_core::Nla;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage, AddressScope};
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoTun, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteType,
};

use crate::network::{Address, Layer, Link, LinkKind, Route, Tunnel};

/// Attributes of a tun or tap (`linux/if_link.h`), and the type of a tap (`linux/if_tun.h`).
const TUN_OWNER: u16 = 1;
const TUN_TYPE: u16 = 3;
const TUN_PERSIST: u16 = 6;
const TYPE_TAP: u8 = 2;
/// The table of addresses that are this machine's (`linux/rtnetlink.h`).
const TABLE_LOCAL: u8 = 255;

/// An interface; `None` for one without name, which there is not.
pub(super) fn link(message: &LinkMessage) -> Option<Link> {
    let flags = message.header.flags;
    let mut link = Link {
        index: message.header.index,
        name: String::new(),
        kind: LinkKind::Other,
        up: flags.contains(LinkFlags::Up),
        carrier: flags.contains(LinkFlags::LowerUp),
        loopback: flags.contains(LinkFlags::Loopback),
        master: None,
    };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => link.name.clone_from(name),
            // The flag of the same meaning is never set while the interface is down.
            LinkAttribute::Carrier(carrier) => link.carrier = *carrier != 0,
            LinkAttribute::Controller(index) => link.master = Some(*index),
            LinkAttribute::LinkInfo(infos) => link.kind = kind(infos),
            _ => {}
        }
    }
    (!link.name.is_empty()).then_some(link)
}

fn kind(infos: &[LinkInfo]) -> LinkKind {
    let is = |wanted: &InfoKind| {
        infos
            .iter()
            .any(|info| matches!(info, LinkInfo::Kind(kind) if kind == wanted))
    };
    if is(&InfoKind::Bridge) {
        return LinkKind::Bridge;
    }
    let tunnel = infos.iter().find_map(|info| match info {
        LinkInfo::Data(InfoData::Tun(attributes)) => Some(tunnel(attributes)),
        _ => None,
    });
    tunnel.map_or(LinkKind::Other, LinkKind::Tunnel)
}

fn tunnel(attributes: &[InfoTun]) -> Tunnel {
    let find = |wanted: u16| {
        let attribute = attributes
            .iter()
            .find(|attribute| attribute.kind() == wanted)?;
        let mut value = vec![0; attribute.value_len()];
        attribute.emit_value(&mut value);
        Some(value)
    };
    let byte = |wanted| find(wanted).and_then(|value| value.first().copied());
    Tunnel {
        layer: if byte(TUN_TYPE) == Some(TYPE_TAP) {
            Layer::Tap
        } else {
            Layer::Tun
        },
        owner: find(TUN_OWNER)
            .and_then(|value| value.try_into().ok())
            .map(u32::from_ne_bytes),
        persistent: byte(TUN_PERSIST) == Some(1),
    }
}

/// An address; `None` for what is neither IPv4 nor IPv6.
pub(super) fn address(message: &AddressMessage) -> Option<Address> {
    let mut remote = None;
    let mut own = None;
    let mut flags = AddressFlags::from_bits_retain(message.header.flags.bits().into());
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Address(address) => remote = Some(*address),
            // Of a point-to-point interface, the other attribute is the address at the other end.
            AddressAttribute::Local(address) => own = Some(*address),
            AddressAttribute::Flags(all) => flags = *all,
            _ => {}
        }
    }
    // On an IPv6 address, the flag "secondary" marks the temporary ones of privacy extensions.
    let is_v6 = message.header.family == AddressFamily::Inet6;
    let temporary = is_v6 && flags.contains(AddressFlags::Secondary);
    Some(Address {
        link: message.header.index,
        net: IpNet::new(own.or(remote)?, message.header.prefix_len).ok()?,
        global: message.header.scope == AddressScope::Universe
            && !temporary
            && !flags.contains(AddressFlags::Dadfailed),
        tentative: flags.contains(AddressFlags::Tentative),
        duplicate: flags.contains(AddressFlags::Dadfailed),
    })
}

/// A route of any table; `None` for families other than IPv4 and IPv6.
pub(super) fn route(message: &RouteMessage) -> Option<Route> {
    let mut link = None;
    let mut gateway = None;
    let mut destination = None;
    let mut table = u32::from(message.header.table);
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Table(number) => table = *number,
            RouteAttribute::Oif(index) => link = Some(*index),
            RouteAttribute::Gateway(address) => gateway = ip(address),
            RouteAttribute::Destination(address) => destination = ip(address),
            _ => {}
        }
    }
    // The default route has no destination; it is of no interest.
    let destination = IpNet::new(destination?, message.header.destination_prefix_length).ok()?;
    let local = message.header.kind == RouteType::Local;
    Some(Route {
        destination,
        link,
        gateway,
        local,
        in_use: table == u32::from(table_of(local)),
        automatic: message.header.protocol == RouteProtocol::Kernel,
    })
}

/// The table of routes to this machine, or of those to others.
pub(super) fn table_of(local: bool) -> u8 {
    if local {
        TABLE_LOCAL
    } else {
        RouteHeader::RT_TABLE_MAIN
    }
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        _ => None,
    }
}
