//! Steps that change interfaces, addresses and routes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{PlanError, RoutedTo, Step};
use crate::allocate::Conflicts;
use crate::computer::{Computer, PartitionNetwork, TapNetwork, Taps, Tun, first_address};
use crate::network::{Layer, Link, LinkKind, Network, Route};
use crate::observe::Observed;
use crate::settings::Settings;

/// The steps of the network, in groups between which other steps come.
#[derive(Debug, Default)]
pub(super) struct NetworkSteps {
    /// Giving back what is no longer wanted.
    pub(super) removals: Vec<Step>,
    /// Taps and tuns.
    pub(super) tunnels: Vec<Step>,
    /// Addresses, with the wait for duplicates.
    pub(super) addresses: Vec<Step>,
    /// Routes, which need addresses and interfaces.
    pub(super) routes: Vec<Step>,
}

impl NetworkSteps {
    /// Whether an address or route is added that a run killed before its end would leave behind.
    pub(super) fn claims_anything(&self) -> bool {
        let adds = |step: &Step| matches!(step, Step::AddAddress { .. } | Step::Route { .. });
        self.addresses.iter().chain(&self.routes).any(adds)
    }
}

/// What the network lacks.
pub(super) fn steps(
    settings: &Settings,
    computer: &Computer,
    observed: &Observed,
    conflicts: &Conflicts,
) -> Result<NetworkSteps, PlanError> {
    let mut planner = Planner {
        settings,
        computer,
        observed,
        network: &observed.network,
        v4: observed
            .network
            .require(settings.interface_name.as_deref())?,
        v6: observed.network.require(settings.v6_interface())?,
        steps: NetworkSteps::default(),
    };
    planner.remove_unwanted(conflicts);
    planner.tunnels()?;
    planner.addresses();
    for partition in &computer.partitions {
        if let Some(network) = &partition.network {
            planner.subnets(&partition.interface, network);
        }
    }
    Ok(planner.steps)
}

/// Interfaces on which the kernel cannot look for duplicates now, as a warning.
pub(crate) fn blind_spot(settings: &Settings, network: &Network) -> Option<String> {
    let link = network.link(settings.v6_interface()?)?;
    let blind = !can_probe(link) && !link.loopback;
    blind.then(|| {
        let state = if link.up { "has no carrier" } else { "is down" };
        format!(
            "{} {state}: whether another machine has the same addresses cannot be seen",
            link.name
        )
    })
}

fn can_probe(link: &Link) -> bool {
    link.up && (link.carrier || link.kind == LinkKind::Bridge)
}

/// Whether it is a tap or tun that stays and that this user may open.
fn is_as_wanted(link: &Link, layer: Layer, owner: Option<u32>) -> bool {
    match link.kind {
        LinkKind::Tunnel(tunnel) => {
            tunnel.layer == layer
                && tunnel.persistent
                && tunnel.owner.is_some()
                && tunnel.owner == owner
        }
        LinkKind::Bridge | LinkKind::Other => false,
    }
}

pub(super) struct Planner<'a> {
    settings: &'a Settings,
    pub(super) computer: &'a Computer,
    pub(super) observed: &'a Observed,
    pub(super) network: &'a Network,
    v4: &'a Link,
    v6: &'a Link,
    pub(super) steps: NetworkSteps,
}

impl<'a> Planner<'a> {
    /// The interface of a partition's address.
    pub(super) fn place(&self, address: IpAddr) -> &'a Link {
        if address.is_ipv4() { self.v4 } else { self.v6 }
    }

    /// What the network shall have for each partition.
    pub(super) fn networks(&self) -> impl Iterator<Item = &'a PartitionNetwork> + use<'a> {
        let partitions = self.computer.partitions.iter();
        partitions.filter_map(|one| one.network.as_ref())
    }

    /// All addresses of partitions.
    pub(super) fn wanted(&self) -> impl Iterator<Item = IpNet> + use<'a> {
        self.networks()
            .flat_map(|network| network.addresses.iter().copied())
    }

    fn tunnels(&mut self) -> Result<(), PlanError> {
        let mut seen = BTreeSet::new();
        for partition in &self.computer.partitions {
            let tap = Some(partition.interface.as_str())
                .filter(|_| self.computer.taps != Taps::Untouched);
            let tun = partition
                .network
                .as_ref()
                .and_then(|network| network.tun.as_ref());
            let tun = tun.map(|tun| tun.name.as_str());
            for (name, layer) in [(tap, Layer::Tap), (tun, Layer::Tun)] {
                if let Some(name) = name.filter(|name| seen.insert(*name)) {
                    self.tunnel(name, layer, &partition.user)?;
                }
            }
            if tap.is_some()
                && partition
                    .network
                    .as_ref()
                    .is_some_and(|one| one.tap.is_any())
            {
                self.leave_bridge(&partition.interface);
            }
        }
        Ok(())
    }

    /// A part of a bridge receives nothing for addresses of its own.
    fn leave_bridge(&mut self, tap: &str) {
        if self
            .remaining(tap)
            .is_some_and(|link| link.master.is_some())
        {
            let interface = tap.to_owned();
            self.steps.tunnels.push(Step::LeaveBridge { interface });
        }
    }

    fn tunnel(&mut self, name: &str, layer: Layer, owner: &str) -> Result<(), PlanError> {
        let uid = self
            .observed
            .accounts
            .users
            .get(owner)
            .map(|owner| owner.uid);
        if uid.is_none() && !self.settings.alter_user {
            return Err(PlanError::NoUser {
                user: owner.to_owned(),
                interface: name.to_owned(),
            });
        }
        let mut present = self.network.link(name);
        if let Some(link) = present.filter(|link| !is_as_wanted(link, layer, uid)) {
            self.remove_tunnel(link, layer)?;
            present = None;
        }
        let interface = || name.to_owned();
        if present.is_none() {
            self.steps.tunnels.push(Step::Tunnel {
                name: interface(),
                layer,
                owner: owner.to_owned(),
            });
        }
        let bridged = self.computer.taps == Taps::Bridged && layer == Layer::Tap;
        if bridged && present.is_none_or(|link| link.master != Some(self.v4.index)) {
            let bridge = self.v4.name.clone();
            self.steps.tunnels.push(Step::JoinBridge {
                interface: interface(),
                bridge,
            });
        }
        if present.is_none_or(|link| !link.up) {
            self.steps.tunnels.push(Step::LinkUp {
                interface: interface(),
            });
        }
        Ok(())
    }

    /// Removes a tap or tun of another owner, unless a program uses it.
    fn remove_tunnel(&mut self, link: &Link, layer: Layer) -> Result<(), PlanError> {
        let name = link.name.clone();
        match link.kind {
            LinkKind::Tunnel(tunnel) if tunnel.layer == layer && link.carrier => {
                Err(PlanError::TunnelInUse(name))
            }
            LinkKind::Tunnel(tunnel) if tunnel.layer == layer => {
                self.steps.tunnels.push(Step::RemoveTunnel { name });
                Ok(())
            }
            _ => Err(PlanError::OtherInterface(name)),
        }
    }

    /// Adds all addresses first, then waits once.
    fn addresses(&mut self) {
        let mut awaited = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let present = self.network.addresses.iter();
        let present: BTreeMap<_, _> = present
            .map(|address| ((address.link, address.net.addr()), address))
            .collect();
        for net in self.wanted().filter(|net| seen.insert(net.addr())) {
            let link = self.place(net.addr());
            let present = present.get(&(link.index, net.addr()));
            if present.is_none() {
                self.add_address(link.name.clone(), net, true);
            }
            let undecided = present.is_none_or(|present| present.tentative || present.duplicate);
            if undecided && net.addr().is_ipv6() && can_probe(link) {
                awaited.insert(net.addr());
            }
        }
        if awaited.is_empty() {
            return;
        }
        let name = self.v6.name.clone();
        if !self.v6.carrier {
            let bridge = name.clone();
            self.steps.addresses.insert(0, Step::Carrier { bridge });
        }
        self.steps.addresses.push(Step::AwaitDuplicates {
            interface: name,
            addresses: awaited.into_iter().collect(),
        });
    }

    fn add_address(&mut self, interface: String, address: IpNet, prefix_route: bool) {
        self.steps.addresses.push(Step::AddAddress {
            interface,
            address,
            prefix_route,
        });
    }

    /// What a partition has beside its addresses.
    fn subnets(&mut self, tap: &str, network: &PartitionNetwork) {
        if self.computer.taps != Taps::Untouched {
            self.tap_network(tap, &network.tap);
        }
        if let Some(tun) = &network.tun {
            self.tun_network(tun);
        }
        if let Some(range) = network.range {
            self.range(range);
        }
    }

    fn tap_network(&mut self, name: &str, network: &TapNetwork) {
        if let Some(v4) = network.v4 {
            self.route(name, Ipv4Net::from(v4.address).into(), None, false);
        }
        if let Some(v6) = network.v6 {
            // The last address is this end's, the first one that of the other end.
            self.ensure_address(name, v6.broadcast(), v6, false);
            let first = first_address(v6);
            self.route(name, Ipv6Net::from(first).into(), None, false);
            self.route(name, v6.into(), Some(first.into()), false);
        }
    }

    fn tun_network(&mut self, tun: &Tun) {
        let wanted = IpNet::from(tun.v4);
        let link = self.remaining(&tun.name);
        let mut present: Vec<_> = link
            .into_iter()
            .flat_map(|link| self.network.addresses_of(link.index))
            .map(|address| address.net)
            .filter(|net| net.addr() == wanted.addr())
            .collect();
        if !present.contains(&wanted) {
            self.steps.routes.push(Step::AddAddress {
                interface: tun.name.clone(),
                address: wanted,
                prefix_route: true,
            });
        }
        // Tuns share a network: the parts become smaller when there are more.
        present.retain(|net| *net != wanted);
        let removals = present.into_iter().map(|address| Step::RemoveAddress {
            interface: tun.name.clone(),
            address,
        });
        self.steps.removals.extend(removals);
        if let Some(v6) = tun.v6 {
            self.ensure_address(&tun.name, first_address(v6), v6, true);
        }
    }

    fn ensure_address(
        &mut self,
        interface: &str,
        address: std::net::Ipv6Addr,
        network: Ipv6Net,
        prefix_route: bool,
    ) {
        if self.has(interface, address) {
            return;
        }
        if let Ok(address) = Ipv6Net::new(address, network.prefix_len()) {
            self.steps.routes.push(Step::AddAddress {
                interface: interface.to_owned(),
                address: address.into(),
                prefix_route,
            });
        }
    }

    /// The interface, unless it is made anew by a step before.
    fn remaining(&self, interface: &str) -> Option<&'a Link> {
        let made = |step: &Step| matches!(step, Step::Tunnel { name, .. } if name == interface);
        let link = self.network.link(interface)?;
        (!self.steps.tunnels.iter().any(made)).then_some(link)
    }

    fn has(&self, interface: &str, address: impl Into<IpAddr>) -> bool {
        let link = self.remaining(interface);
        link.is_some_and(|link| self.network.has(link.index, address.into()))
    }

    fn range(&mut self, range: Ipv6Net) {
        if !self.network.nonlocal_bind && !self.steps.routes.contains(&Step::NonlocalBind) {
            self.steps.routes.push(Step::NonlocalBind);
        }
        let loopback = self.network.links.iter().find(|link| link.loopback);
        let name = loopback.map_or_else(|| "lo".to_owned(), |link| link.name.clone());
        self.route(&name, range.into(), None, true);
    }

    fn route(&mut self, interface: &str, destination: IpNet, gateway: Option<IpAddr>, local: bool) {
        let link = self.remaining(interface).map(|link| link.index);
        let is_wanted = |route: &Route| {
            (route.destination, route.gateway, route.local) == (destination, gateway, local)
                && route.link == link
                && route.in_use
        };
        if link.is_none() || !self.network.routes.iter().any(is_wanted) {
            self.steps.routes.push(Step::Route(RoutedTo {
                destination,
                interface: interface.to_owned(),
                gateway,
                local,
            }));
        }
    }
}
