//! Giving back what of the network is ours and no longer wanted: what is forgotten would count as
//! somebody else's, and be in the way when it is wanted again.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::network::Planner;
use super::{RoutedTo, Step};
use crate::allocate::{Conflict, Conflicts};
use crate::network::{Address, Link, LinkKind, Route};

impl<'a> Planner<'a> {
    pub(super) fn remove_unwanted(&mut self, conflicts: &Conflicts) {
        let foreign = |address: &IpAddr| conflicts.get(address) == Some(&Conflict::Foreign);
        self.remove_addresses(foreign);
        self.remove_subnets(foreign);
    }

    /// Addresses that no partition has any more, or has on another interface now.
    fn remove_addresses(&mut self, foreign: impl Fn(&IpAddr) -> bool) {
        let wanted: BTreeSet<_> = self.wanted().map(|net| net.addr()).collect();
        let own = self.computer.own.as_ref().map(|own| own.addr.parse());
        let claims = &self.observed.claims;
        let (ours, former) = (claims.addresses(), claims.links(self.network));
        for present in &self.network.addresses {
            let address = present.net.addr();
            let is_ours = ours.contains(&address)
                && !claims.own.contains(&address)
                && own != Some(Ok(address))
                && !foreign(&address)
                && present.is_made_for_one();
            let is_unwanted = if present.link == self.place(address).index {
                !wanted.contains(&address)
            } else {
                former.contains(&present.link)
            };
            if is_ours && is_unwanted {
                self.remove_address(present);
            }
        }
    }

    /// Addresses and routes of networks that no partition has any more. The taps and tuns stay:
    /// programs may have them open.
    fn remove_subnets(&mut self, foreign: impl Fn(&IpAddr) -> bool) {
        let wanted: BTreeSet<_> = self.networks().flat_map(|one| one.subnets()).collect();
        let meets = |one: &IpNet, other: &IpNet| one.contains(other) || other.contains(one);
        let mut unwanted = self.observed.claims.networks();
        unwanted
            .retain(|net| !wanted.contains(net) && !wanted.iter().any(|wanted| meets(wanted, net)));
        let is_unwanted = |net: &IpNet| unwanted.iter().any(|one| one.contains(net));
        let is_tunnel = |link: &Link| matches!(link.kind, LinkKind::Tunnel(_));
        for route in &self.network.routes {
            let link = route.link.and_then(|index| self.network.link_of(index));
            let of_ours = |link: &&Link| is_tunnel(link) || (link.loopback && route.local);
            let is_ours = route.in_use && !route.automatic && is_unwanted(&route.destination);
            if let Some(link) = link.filter(of_ours).filter(|_| is_ours) {
                self.remove_route(route, link);
            }
        }
        for address in &self.network.addresses {
            let link = self.network.link_of(address.link);
            let ip = address.net.addr();
            if link.is_some_and(is_tunnel) && is_unwanted(&ip.into()) && !foreign(&ip) {
                self.remove_address(address);
            }
        }
    }

    fn remove_address(&mut self, present: &Address) {
        if let Some(link) = self.network.link_of(present.link) {
            self.steps.removals.push(Step::RemoveAddress {
                interface: link.name.clone(),
                address: present.net,
            });
        }
    }

    fn remove_route(&mut self, route: &Route, link: &Link) {
        self.steps.removals.push(Step::RemoveRoute(RoutedTo {
            destination: route.destination,
            interface: link.name.clone(),
            gateway: route.gateway,
            local: route.local,
        }));
    }
}
