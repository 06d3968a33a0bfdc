//! Who gets which address and which subnet: a pure function of what is wanted, kept and in use.

mod pools;
mod surroundings;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::claims::{Claim, Claims};
use crate::computer::{Choices, PartitionNetwork, TapNetwork, TapV4, Taps, Tun};
use crate::network::{Link, LinkKind, Network, NoInterface};
use crate::settings::Settings;
use pools::{Share, Taken};
pub(crate) use surroundings::own_networks;
use surroundings::{gateway, taken};

/// The network that the tuns share (the peer's choice).
const TUN_NETWORK: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12);
/// Longest subnet that still has two addresses for hosts.
const LONGEST_SUBNET: u8 = 126;

/// Addresses that turned out not to be usable in this run.
pub(crate) type Conflicts = BTreeMap<IpAddr, Conflict>;

/// Why an address is not usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// Someone else on the link has it; our interface has it, too, until it is given back.
    Duplicate,
    /// Someone else put it on the interface meanwhile.
    Foreign,
}

/// The addresses that are wanted cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AllocateError {
    /// The interface does not exist.
    #[error(transparent)]
    NoInterface(#[from] NoInterface),
    /// Nothing to make IPv6 addresses from.
    #[error(
        "{0} has no global IPv6 address, from whose network the partitions would get theirs: \
         configure one, or name an interface that has one as ipv6_interface"
    )]
    NoGlobalAddress(String),
    /// Nothing to make IPv4 addresses of taps from.
    #[error("tap_gateway_interface {0} has no IPv4 address")]
    NoGateway(String),
    /// No address is free.
    #[error("no address of {network} is free for {partition} ({parameter})")]
    Full {
        /// The network.
        network: IpNet,
        /// Whom it is for.
        partition: String,
        /// What says that it shall be of that network.
        parameter: &'static str,
    },
    /// Subnets would be too small.
    #[error(
        "{parameter} wants a part of {network} for each partition, but {shift} bits longer \
         (ipv6_prefixshift) leaves no addresses"
    )]
    TooLong {
        /// The network.
        network: Ipv6Net,
        /// By how many bits its parts would be longer.
        shift: u8,
        /// What wants them.
        parameter: &'static str,
    },
}

/// What all partitions have.
pub(crate) struct Allocation {
    pub(crate) partitions: Vec<PartitionNetwork>,
    pub(crate) choices: Choices,
    pub(crate) taps: Taps,
    /// Networks of the interface's own global IPv6 addresses, the largest first.
    pub(crate) bases: Vec<Ipv6Net>,
    /// What an admin should know.
    pub(crate) warnings: Vec<String>,
}

/// What is wanted, kept and in use.
pub(crate) struct Situation<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) claims: &'a Claims,
    pub(crate) network: &'a Network,
    pub(crate) conflicts: &'a Conflicts,
    /// What was chosen before.
    pub(crate) chosen: Choices,
}

/// Gives every partition of these names what it shall have.
pub(crate) fn allocate(
    situation: &Situation<'_>,
    names: &[String],
) -> Result<Allocation, AllocateError> {
    let mut allocator = Allocator::new(situation, names.len())?;
    let kept: Vec<_> = names.iter().map(|name| allocator.keep(name)).collect();
    let drafts = kept.into_iter().zip(names).enumerate();
    let partitions = drafts
        .map(|(number, (draft, name))| allocator.complete(draft, name, number))
        .collect::<Result<_, _>>()?;
    Ok(Allocation {
        partitions,
        choices: allocator.choices,
        taps: allocator.taps,
        bases: allocator.bases,
        warnings: allocator.warnings,
    })
}

/// What a partition has so far.
#[derive(Default)]
struct Draft {
    v4: Option<Ipv4Addr>,
    v6: Option<Ipv6Net>,
    range: Option<Ipv6Net>,
    tap_v4: Option<Ipv4Addr>,
    tap_v6: Option<Ipv6Net>,
    tun_v4: Option<Ipv4Net>,
    tun_v6: Option<Ipv6Net>,
}

struct Allocator<'a> {
    settings: &'a Settings,
    claims: &'a Claims,
    taken: Taken,
    bases: Vec<Ipv6Net>,
    /// The largest network: new addresses and subnets come from it.
    base: Ipv6Net,
    taps: Taps,
    gateway: Option<Ipv4Net>,
    choices: Choices,
    amount: usize,
    warnings: Vec<String>,
}

impl<'a> Allocator<'a> {
    fn new(situation: &Situation<'a>, amount: usize) -> Result<Self, AllocateError> {
        let Situation {
            settings,
            claims,
            network,
            ..
        } = *situation;
        let link = network.require(settings.interface_name.as_deref())?;
        let v6_link = network.require(settings.v6_interface())?;
        let bases = own_networks(network, v6_link, claims);
        let Some(base) = bases.first().copied() else {
            return Err(AllocateError::NoGlobalAddress(v6_link.name.clone()));
        };
        let mut allocator = Self {
            settings,
            claims,
            taken: taken(situation, [link.index, v6_link.index], base),
            bases,
            base,
            taps: Taps::Untouched,
            gateway: gateway(settings, network)?,
            choices: situation.chosen,
            amount,
            warnings: Vec::new(),
        };
        allocator.taps = allocator.choose_taps(link)?;
        let (ranges, before) = (
            settings.partition_has_ipv6_range,
            allocator.choices.ranges.unwrap_or(true),
        );
        allocator.choices.ranges = allocator.choose(ranges, before, "partition_has_ipv6_range")?;
        if settings.create_tun && settings.tun_ipv6 {
            allocator.choose(Some(true), true, "tun_ipv6")?;
        }
        if base.prefix_len() == 128 {
            let warning = format!(
                "{} is the only address of {}: all partitions share it",
                base.addr(),
                v6_link.name
            );
            allocator.warnings.push(warning);
        }
        Ok(allocator)
    }

    /// Whether something that takes a subnet for each partition is done. It is an error when it is
    /// asked for and there is no room, and left open when it is only the default.
    fn choose(
        &mut self,
        asked: Option<bool>,
        default: bool,
        parameter: &'static str,
    ) -> Result<Option<bool>, AllocateError> {
        let (network, shift) = (self.base, self.settings.ipv6_prefixshift);
        let has_room = network.prefix_len().saturating_add(shift) <= LONGEST_SUBNET;
        let wanted = asked.unwrap_or(default);
        if has_room || !wanted {
            return Ok(Some(wanted));
        }
        if asked.is_some() {
            return Err(AllocateError::TooLong {
                network,
                shift,
                parameter,
            });
        }
        self.warnings.push(format!(
            "{} leaves no room for subnets of partitions: going without {parameter}",
            network.trunc()
        ));
        Ok(None)
    }

    fn choose_taps(&mut self, link: &Link) -> Result<Taps, AllocateError> {
        let asked = self.settings.tap_ipv6;
        if !self.settings.create_tap {
            self.choices.tap_ipv6 = asked;
            return Ok(Taps::Untouched);
        }
        let is_bridge = link.kind == LinkKind::Bridge;
        let routed = asked.or(self.choices.tap_ipv6).unwrap_or(!is_bridge);
        if is_bridge && !routed && self.gateway.is_none() {
            self.choices.tap_ipv6 = Some(false);
            return Ok(Taps::Bridged);
        }
        self.choices.tap_ipv6 = self.choose(asked, routed, "tap_ipv6")?;
        let ipv6 = self.choices.tap_ipv6 == Some(true);
        Ok(Taps::Routed { ipv6 })
    }

    fn has_ranges(&self) -> bool {
        self.choices.ranges == Some(true)
    }

    /// What the documents say of the partition, as far as it is still valid.
    fn keep(&mut self, name: &str) -> Draft {
        let local = self.settings.ipv4_local_network;
        let v4 = self.kept_address(name, Claim::v4, |address| local.contains(address));
        let v6 = self.kept_v6(name);
        let ranges = self.has_ranges();
        let tap_ipv6 = self.taps == Taps::Routed { ipv6: true };
        let (tun, tun_ipv6) = (self.settings.create_tun, self.settings.tun_ipv6);
        let gateway = self.gateway.filter(|_| self.taps != Taps::Untouched);
        let in_gateway = |address: &Ipv4Addr| gateway.is_some_and(|net| net.contains(address));
        Draft {
            v4,
            v6,
            range: self.kept_subnet(name, ranges, |claim| claim.range),
            tap_v4: self.kept_address(name, |claim| claim.tap_v4, in_gateway),
            tap_v6: self.kept_subnet(name, tap_ipv6, |claim| claim.tap_v6),
            tun_v4: self.kept_tun_v4(name).filter(|_| tun),
            tun_v6: self.kept_subnet(name, tun && tun_ipv6, |claim| claim.tun_v6),
        }
    }

    fn kept_address(
        &mut self,
        name: &str,
        aspect: impl Fn(&Claim) -> Option<Ipv4Addr>,
        fits: impl Fn(&Ipv4Addr) -> bool,
    ) -> Option<Ipv4Addr> {
        let taken = &self.taken;
        let usable = |address: &Ipv4Addr| fits(address) && !taken.has(*address);
        let kept = self.claims.each(name, aspect).find(usable)?;
        self.taken.addresses.insert(kept.into());
        Some(kept)
    }

    fn kept_v6(&mut self, name: &str) -> Option<Ipv6Net> {
        let usable = |address: &std::net::Ipv6Addr| {
            let base = self.bases.iter().find(|base| base.contains(address))?;
            let kept = Ipv6Net::new(*address, base.prefix_len()).ok()?;
            (!self.taken.has(*address)).then_some(kept)
        };
        let kept = self
            .claims
            .each(name, Claim::v6)
            .find_map(|address| usable(&address))?;
        self.taken.addresses.insert(kept.addr().into());
        Some(kept)
    }

    fn kept_subnet(
        &mut self,
        name: &str,
        wanted: bool,
        aspect: impl Fn(&Claim) -> Option<Ipv6Net>,
    ) -> Option<Ipv6Net> {
        let usable = |subnet: &Ipv6Net| {
            self.bases.iter().any(|base| base.contains(subnet)) && !self.taken.overlaps(*subnet)
        };
        let kept = self
            .claims
            .each(name, aspect)
            .find(|net| wanted && usable(net))?;
        self.taken.networks.push(kept.into());
        Some(kept)
    }

    /// The address stays; its network shrinks when there are more partitions than before, or there
    /// would be no room for theirs.
    fn kept_tun_v4(&mut self, name: &str) -> Option<Ipv4Net> {
        let shortest = pools::tun_length(TUN_NETWORK, self.amount);
        let shrunk = |net: Ipv4Net| {
            let length = net.prefix_len().max(shortest);
            Ipv4Net::new(net.addr(), length).ok()
        };
        let usable = |net: &Ipv4Net| !self.taken.overlaps(net.trunc());
        let kept = self.claims.each(name, |claim| claim.tun_v4);
        let kept = kept.filter_map(shrunk).find(usable)?;
        self.taken.networks.push(kept.trunc().into());
        Some(kept)
    }

    /// Adds what is missing.
    fn complete(
        &mut self,
        draft: Draft,
        name: &str,
        number: usize,
    ) -> Result<PartitionNetwork, AllocateError> {
        let v4 = match draft.v4 {
            Some(kept) => kept,
            None => self.new_v4(name)?,
        };
        let v6 = match draft.v6 {
            Some(kept) => kept,
            None => self.new_v6(name, number)?,
        };
        let range = self.subnet(draft.range, self.has_ranges(), Share::Range, name, number)?;
        let tap_ipv6 = self.taps == Taps::Routed { ipv6: true };
        let tap = TapNetwork {
            v4: self.tap_v4(draft.tap_v4, name, number)?,
            v6: self.subnet(draft.tap_v6, tap_ipv6, Share::Tap, name, number)?,
        };
        let tun = self.tun(draft.tun_v4, draft.tun_v6, name, number)?;
        let v4 = IpNet::V4(v4.into());
        Ok(PartitionNetwork {
            addresses: vec![v4, v6.into()],
            range,
            tap,
            tun,
        })
    }

    fn new_v4(&mut self, name: &str) -> Result<Ipv4Addr, AllocateError> {
        self.warn_of_loss(name, self.claims.each(name, Claim::v4).next());
        let network = self.settings.ipv4_local_network;
        let start = pools::spread((&self.settings.computer_id, name));
        let address = pools::v4(network, &self.taken, start)
            .ok_or_else(|| full(network.trunc(), name, "ipv4_local_network"))?;
        self.taken.addresses.insert(address.into());
        Ok(address)
    }

    fn new_v6(&mut self, name: &str, number: usize) -> Result<Ipv6Net, AllocateError> {
        if self.base.prefix_len() == 128 {
            return Ok(self.base);
        }
        self.warn_of_loss(name, self.claims.each(name, Claim::v6).next());
        let start = pools::spread((&self.settings.computer_id, name));
        let address = pools::v6(self.base, &self.taken, number, start)
            .ok_or_else(|| full(self.base.trunc(), name, "the interface of IPv6 addresses"))?;
        self.taken.addresses.insert(address.into());
        Ipv6Net::new(address, self.base.prefix_len())
            .map_err(|_| full(self.base, name, "the interface of IPv6 addresses"))
    }

    fn warn_of_loss(&mut self, name: &str, claimed: Option<impl Into<IpAddr>>) {
        if let Some(claimed) = claimed {
            let claimed = claimed.into();
            self.warnings.push(format!(
                "{name} gets another address than {claimed}, which is taken or of another network"
            ));
        }
    }

    fn subnet(
        &mut self,
        kept: Option<Ipv6Net>,
        wanted: bool,
        share: Share,
        name: &str,
        number: usize,
    ) -> Result<Option<Ipv6Net>, AllocateError> {
        if kept.is_some() || !wanted {
            return Ok(kept);
        }
        let shift = self.settings.ipv6_prefixshift;
        let subnet = pools::subnet(self.base, shift, share, &self.taken, number)
            .ok_or_else(|| full(self.base.trunc(), name, "ipv6_prefixshift"))?;
        self.taken.networks.push(subnet.into());
        Ok(Some(subnet))
    }

    fn tap_v4(
        &mut self,
        kept: Option<Ipv4Addr>,
        name: &str,
        number: usize,
    ) -> Result<Option<TapV4>, AllocateError> {
        let (Some(gateway), Taps::Routed { .. }) = (self.gateway, &self.taps) else {
            return Ok(None);
        };
        let address = match kept {
            Some(address) => address,
            None => pools::v4(gateway, &self.taken, number as u64)
                .ok_or_else(|| full(gateway.trunc(), name, "tap_gateway_interface"))?,
        };
        self.taken.addresses.insert(address.into());
        Ok(Some(TapV4 { address, gateway }))
    }

    fn tun(
        &mut self,
        v4: Option<Ipv4Net>,
        v6: Option<Ipv6Net>,
        name: &str,
        number: usize,
    ) -> Result<Option<Tun>, AllocateError> {
        if !self.settings.create_tun {
            return Ok(None);
        }
        let v4 = match v4 {
            Some(kept) => kept,
            None => pools::tun_v4(TUN_NETWORK, &self.taken, self.amount, number)
                .ok_or_else(|| full(TUN_NETWORK, name, "create_tun"))?,
        };
        self.taken.networks.push(v4.trunc().into());
        let v6 = self.subnet(v6, self.settings.tun_ipv6, Share::Tun, name, number)?;
        let name = format!("{}{number}", self.settings.tun_base_name);
        Ok(Some(Tun { name, v4, v6 }))
    }
}

fn full(network: impl Into<IpNet>, partition: &str, parameter: &'static str) -> AllocateError {
    AllocateError::Full {
        network: network.into(),
        partition: partition.to_owned(),
        parameter,
    }
}
