//! Choosing a free one among many addresses or subnets.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Most candidates that are looked at in a large network before it counts as full.
const MOST_CANDIDATES: u64 = 1 << 16;

/// What is in use.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken {
    pub(super) addresses: BTreeSet<IpAddr>,
    pub(super) networks: Vec<IpNet>,
}

impl Taken {
    pub(super) fn has(&self, address: impl Into<IpAddr>) -> bool {
        self.addresses.contains(&address.into())
    }

    /// Whether any of the network is in use.
    pub(super) fn overlaps(&self, network: impl Into<IpNet>) -> bool {
        let network = network.into();
        let meets = |other: &IpNet| other.contains(&network) || network.contains(other);
        self.networks.iter().any(meets) || self.addresses.iter().any(|one| network.contains(one))
    }
}

/// A number that is the same for the same subject and differs between subjects: what it chooses
/// is spread out, and a dry run tells what the real run will choose.
pub(super) fn spread(subject: (&str, &str)) -> u64 {
    let mut hasher = DefaultHasher::new();
    subject.hash(&mut hasher);
    hasher.finish()
}

/// A free address for a host, beginning to look at a place that `start` says.
pub(super) fn v4(network: Ipv4Net, taken: &Taken, start: u64) -> Option<Ipv4Addr> {
    let base = u32::from(network.network());
    let size = 1_u64 << (32 - network.prefix_len());
    // Of a network with more than two addresses, the first and the last are no hosts.
    let (first, count) = if size > 2 { (1, size - 2) } else { (0, size) };
    let candidates = (0..count.min(MOST_CANDIDATES)).map(|step| {
        let offset = first + (start % count + step) % count;
        Ipv4Addr::from(base.wrapping_add(u32::try_from(offset).unwrap_or_default()))
    });
    candidates.into_iter().find(|address| !taken.has(*address))
}

/// A free address: that of the number, else any that differs in the last group only.
pub(super) fn v6(network: Ipv6Net, taken: &Taken, number: usize, start: u64) -> Option<Ipv6Addr> {
    let base = u128::from(network.network());
    let bits = (128 - u32::from(network.prefix_len())).min(16);
    let size = 1_u64 << bits;
    // The address that ends in zero means "any router" where there is room for it.
    let first = u64::from(size > 2);
    let count = size - first;
    let wanted = (number as u64).saturating_add(2);
    let others = (0..count).map(|step| first + (start % count + step) % count);
    std::iter::once(wanted)
        .filter(|offset| *offset < size)
        .chain(others)
        .map(|offset| Ipv6Addr::from(base | u128::from(offset)))
        .find(|address| !taken.has(*address))
}

/// The kinds of subnets of partitions: the two highest of the bits that number them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    Range = 1,
    Tap = 2,
    Tun = 3,
}

/// A free subnet, `shift` bits longer than the network: that of the partition's number if it can.
pub(super) fn subnet(
    network: Ipv6Net,
    shift: u8,
    share: Share,
    taken: &Taken,
    number: usize,
) -> Option<Ipv6Net> {
    let length = network.prefix_len().checked_add(shift)?;
    let unused = 128_u8.checked_sub(length)?;
    let count = 1_u64 << (shift - 2).min(16);
    let base = u128::from(network.network());
    let numbers = std::iter::once(number as u64 + 1).chain(1..count);
    numbers
        .filter(|number| *number < count)
        .map(|number| (share as u128) << (shift - 2) | u128::from(number))
        .filter_map(|number| Ipv6Net::new(Ipv6Addr::from(base | number << unused), length).ok())
        .find(|subnet| !taken.overlaps(*subnet))
}

/// Length of the subnets of so many tuns.
pub(super) fn tun_length(network: Ipv4Net, amount: usize) -> u8 {
    let bits = amount.max(1).next_power_of_two().trailing_zeros();
    let bits = u8::try_from(bits).unwrap_or(u8::MAX);
    network.prefix_len().saturating_add(bits)
}

/// A free subnet for one of `amount` tuns, with the address of its first host.
pub(super) fn tun_v4(
    network: Ipv4Net,
    taken: &Taken,
    amount: usize,
    number: usize,
) -> Option<Ipv4Net> {
    let shortest = tun_length(network, amount);
    // What others use may be in the way: smaller ones fit between.
    (shortest..=30).find_map(|length| {
        let mut subnets = network.subnets(length).ok()?;
        let free = |subnet: &Ipv4Net| !taken.overlaps(*subnet);
        let preferred = subnets.clone().nth(number).filter(free);
        let subnet = preferred.or_else(|| subnets.find(free))?;
        let host = u32::from(subnet.network()).checked_add(1)?;
        Ipv4Net::new(host.into(), length).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(addresses: &[&str], networks: &[&str]) -> Taken {
        Taken {
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn every_host_of_an_ipv4_network_is_found_and_then_it_is_full() {
        let network = "10.0.0.0/29".parse().unwrap();
        for start in [0, 3, u64::MAX] {
            let mut used = Taken::default();
            while let Some(address) = v4(network, &used, start) {
                assert!(used.addresses.insert(address.into()), "{address} twice");
            }
            assert_eq!(
                used.addresses.len(),
                6,
                "not the network's own and broadcast address"
            );
        }
        assert_eq!(
            v4("10.0.0.5/32".parse().unwrap(), &Taken::default(), 9),
            Some([10, 0, 0, 5].into())
        );
    }

    #[test]
    fn the_number_chooses_the_ipv6_address_unless_it_is_taken() {
        let choose = |network: &str, used: &[&str], number| {
            let found = v6(network.parse().unwrap(), &taken(used, &[]), number, 6);
            found.map(|address| address.to_string())
        };
        assert_eq!(
            choose("2001:db8::/64", &[], 0).as_deref(),
            Some("2001:db8::2")
        );
        assert_eq!(
            choose("2001:db8::/64", &["2001:db8::2"], 0).as_deref(),
            Some("2001:db8::7")
        );
        assert_eq!(
            choose("2001:db8::/127", &["2001:db8::1"], 0).as_deref(),
            Some("2001:db8::")
        );
        assert_eq!(
            choose("2001:db8::/127", &["2001:db8::1", "2001:db8::"], 0),
            None
        );
        assert_eq!(
            choose("2001:db8::8/128", &[], 0).as_deref(),
            Some("2001:db8::8")
        );
    }

    #[test]
    fn subnets_are_numbered_as_the_peer_does() {
        let choose = |network: &str, shift, share, number, used: &[&str]| {
            let found = subnet(
                network.parse().unwrap(),
                shift,
                share,
                &taken(&[], used),
                number,
            );
            found.map(|subnet| subnet.to_string())
        };
        let text = |found: &str| Some(found.to_owned());
        assert_eq!(
            choose("2001:db8:1::/64", 16, Share::Range, 0, &[]),
            text("2001:db8:1:0:4001::/80")
        );
        assert_eq!(
            choose("2001:db8:1::/48", 16, Share::Tap, 2, &[]),
            text("2001:db8:1:8003::/64")
        );
        assert_eq!(
            choose("2001:db8:1::/112", 4, Share::Tap, 0, &[]),
            text("2001:db8:1::9000/116")
        );
        assert_eq!(choose("2001:db8:1::/120", 16, Share::Tun, 0, &[]), None);
        let used = ["2001:db8:1:0:4001::/80"];
        assert_eq!(
            choose("2001:db8:1::/64", 16, Share::Range, 0, &used),
            text("2001:db8:1:0:4002::/80")
        );
        assert_eq!(
            choose(
                "2001:db8:1::/112",
                3,
                Share::Tap,
                0,
                &["2001:db8:1::8000/113"]
            ),
            None
        );
    }

    #[test]
    fn tuns_share_their_network_and_grow_around_what_is_kept() {
        let network = "172.16.0.0/12".parse().unwrap();
        let choose = |used: &[&str], amount, number| {
            tun_v4(network, &taken(&[], used), amount, number).map(|net| net.to_string())
        };
        assert_eq!(choose(&[], 3, 1).as_deref(), Some("172.20.0.1/14"));
        let kept = ["172.16.0.0/14", "172.20.0.0/14", "172.24.0.0/14"];
        assert_eq!(choose(&kept, 10, 3).as_deref(), Some("172.28.0.1/16"));
        assert_eq!(
            [1, 2, 3, 9].map(|amount| tun_length(network, amount)),
            [12, 13, 14, 16]
        );
        assert_eq!(choose(&["172.16.0.0/12"], 2, 0), None);
    }
}
