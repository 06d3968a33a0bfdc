//! One method for each thing that the kernel is asked to tell or do.

use std::io;
use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage, AddressScope};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use netlink_packet_route::route::{
    RouteAttribute, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::socket::RouteSocket;
use super::{NetlinkError, read};
use crate::network::{Address, Link, Route};

/// The kernel's network configuration, of the network namespace of this process.
#[derive(Debug)]
pub(crate) struct Kernel(RouteSocket);

impl Kernel {
    pub(crate) fn open() -> Result<Self, NetlinkError> {
        RouteSocket::open()
            .map(Self)
            .map_err(|source| NetlinkError::new("open a netlink socket", source))
    }

    pub(crate) fn links(&mut self) -> Result<Vec<Link>, NetlinkError> {
        let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
        let messages = self.dump(&request, "list the network interfaces")?;
        let links = messages.iter().filter_map(|message| match message {
            RouteNetlinkMessage::NewLink(message) => read::link(message),
            _ => None,
        });
        Ok(links.collect())
    }

    pub(crate) fn addresses(&mut self) -> Result<Vec<Address>, NetlinkError> {
        let request = RouteNetlinkMessage::GetAddress(AddressMessage::default());
        let messages = self.dump(&request, "list the addresses")?;
        let addresses = messages.iter().filter_map(|message| match message {
            RouteNetlinkMessage::NewAddress(message) => read::address(message),
            _ => None,
        });
        Ok(addresses.collect())
    }

    pub(crate) fn routes(&mut self) -> Result<Vec<Route>, NetlinkError> {
        let mut routes = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut request = RouteMessage::default();
            request.header.address_family = family;
            let request = RouteNetlinkMessage::GetRoute(request);
            let messages = self.dump(&request, "list the routes")?;
            routes.extend(messages.iter().filter_map(|message| match message {
                RouteNetlinkMessage::NewRoute(message) => read::route(message),
                _ => None,
            }));
        }
        Ok(routes)
    }

    /// Adds an address, which the interface must not have yet. `prefix_route`: whether the network
    /// is reached over the interface.
    pub(crate) fn add_address(
        &mut self,
        link: u32,
        net: IpNet,
        prefix_route: bool,
    ) -> Result<(), NetlinkError> {
        let mut message = address_message(link, net);
        if !prefix_route {
            let flags = AddressAttribute::Flags(AddressFlags::Noprefixroute);
            message.attributes.push(flags);
        }
        self.request(
            RouteNetlinkMessage::NewAddress(message),
            NLM_F_CREATE | NLM_F_EXCL,
            || format!("add the address {net}"),
        )
    }

    pub(crate) fn remove_address(&mut self, link: u32, net: IpNet) -> Result<(), NetlinkError> {
        let message = RouteNetlinkMessage::DelAddress(address_message(link, net));
        self.request(message, 0, || format!("remove the address {net}"))
    }

    pub(crate) fn set_up(&mut self, link: u32) -> Result<(), NetlinkError> {
        let mut message = LinkMessage::default();
        message.header.index = link;
        message.header.flags = LinkFlags::Up;
        message.header.change_mask = LinkFlags::Up;
        let message = RouteNetlinkMessage::SetLink(message);
        self.request(message, 0, || "set an interface up".to_owned())
    }

    pub(crate) fn remove_link(&mut self, link: u32) -> Result<(), NetlinkError> {
        let mut message = LinkMessage::default();
        message.header.index = link;
        let message = RouteNetlinkMessage::DelLink(message);
        self.request(message, 0, || "remove an interface".to_owned())
    }

    pub(crate) fn join_bridge(&mut self, link: u32, bridge: u32) -> Result<(), NetlinkError> {
        self.set_bridge(link, bridge, "add an interface to a bridge")
    }

    pub(crate) fn leave_bridge(&mut self, link: u32) -> Result<(), NetlinkError> {
        const NONE: u32 = 0;
        self.set_bridge(link, NONE, "take an interface out of a bridge")
    }

    fn set_bridge(&mut self, link: u32, bridge: u32, operation: &str) -> Result<(), NetlinkError> {
        let mut message = LinkMessage::default();
        message.header.index = link;
        message.attributes.push(LinkAttribute::Controller(bridge));
        let message = RouteNetlinkMessage::SetLink(message);
        self.request(message, 0, || operation.to_owned())
    }

    pub(crate) fn add_route(&mut self, route: &Route) -> Result<(), NetlinkError> {
        let message = RouteNetlinkMessage::NewRoute(route_message(route));
        self.request(message, NLM_F_CREATE | NLM_F_EXCL, || {
            format!("add a route to {}", route.destination)
        })
    }

    pub(crate) fn remove_route(&mut self, route: &Route) -> Result<(), NetlinkError> {
        let mut message = route_message(route);
        // Whatever program made it.
        message.header.protocol = RouteProtocol::Unspec;
        self.request(RouteNetlinkMessage::DelRoute(message), 0, || {
            format!("remove the route to {}", route.destination)
        })
    }

    fn dump(
        &mut self,
        request: &RouteNetlinkMessage,
        operation: &str,
    ) -> Result<Vec<RouteNetlinkMessage>, NetlinkError> {
        let dumped = self.0.dump(request);
        dumped.map_err(|source| NetlinkError::new(operation, source))
    }

    fn request(
        &mut self,
        message: RouteNetlinkMessage,
        flags: u16,
        operation: impl FnOnce() -> String,
    ) -> Result<(), NetlinkError> {
        let done: io::Result<()> = self.0.request(message, flags);
        done.map_err(|source| NetlinkError::new(operation(), source))
    }
}

fn family(address: IpAddr) -> AddressFamily {
    match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}

fn address_message(link: u32, net: IpNet) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = family(net.addr());
    message.header.prefix_len = net.prefix_len();
    message.header.scope = AddressScope::Universe;
    message.header.index = link;
    message.attributes = vec![
        AddressAttribute::Local(net.addr()),
        AddressAttribute::Address(net.addr()),
    ];
    message
}

fn route_message(route: &Route) -> RouteMessage {
    let destination = route.destination;
    let mut message = RouteMessage::default();
    let header = &mut message.header;
    header.address_family = family(destination.addr());
    header.destination_prefix_length = destination.prefix_len();
    header.protocol = RouteProtocol::Boot;
    header.table = read::table_of(route.local);
    header.kind = if route.local {
        RouteType::Local
    } else {
        RouteType::Unicast
    };
    // IPv6 has no scopes of routes; in IPv4 a destination without gateway is on the link.
    header.scope = match (destination, route.gateway) {
        (IpNet::V4(_), None) => RouteScope::Link,
        _ => RouteScope::Universe,
    };
    let destination = RouteAttribute::Destination(destination.addr().into());
    message.attributes.push(destination);
    message
        .attributes
        .extend(route.link.map(RouteAttribute::Oif));
    let gateway = route
        .gateway
        .map(|address| RouteAttribute::Gateway(address.into()));
    message.attributes.extend(gateway);
    message
}
