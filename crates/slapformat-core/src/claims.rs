//! What this computer's own documents say that it has of the network: those addresses are ours
//! when an interface has them, all others are somebody else's.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use slap_proto::documents::{
    Attributes, ComputerConfiguration, PartitionAddress, PartitionConfiguration,
};
use slap_proto::marshal::Value;

use crate::network::Network;

/// Everything that is claimed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Claims {
    /// By reference of the partition; the first claim is the one to prefer.
    partitions: BTreeMap<String, Vec<Claim>>,
    /// Addresses of the computer itself.
    pub(crate) own: Vec<IpAddr>,
    /// Names of the interfaces that have the addresses.
    interfaces: BTreeSet<String>,
}

/// What a document says of one partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Claim {
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) range: Option<Ipv6Net>,
    pub(crate) tap_v4: Option<Ipv4Addr>,
    pub(crate) tap_v6: Option<Ipv6Net>,
    pub(crate) tun_v4: Option<Ipv4Net>,
    pub(crate) tun_v6: Option<Ipv6Net>,
}

impl Claims {
    /// The claims of documents, the preferred one first.
    pub(crate) fn of<'a>(documents: impl IntoIterator<Item = &'a ComputerConfiguration>) -> Self {
        let mut claims = Self::default();
        for document in documents {
            let own = document.address.as_deref();
            claims
                .own
                .extend(own.and_then(|text| text.parse::<IpAddr>().ok()));
            claims.interfaces.extend(interfaces(document));
            for partition in &document.partition_list {
                let list = claims.partitions.entry(partition.reference.clone());
                list.or_default().push(Claim::of(partition));
            }
        }
        claims
    }

    /// What the documents say of one aspect of a partition, the preferred one first.
    pub(crate) fn each<'a, T>(
        &'a self,
        reference: &str,
        aspect: impl Fn(&'a Claim) -> Option<T>,
    ) -> impl Iterator<Item = T> {
        let claims = self.partitions.get(reference);
        claims.into_iter().flatten().filter_map(aspect)
    }

    /// The addresses of all partitions.
    pub(crate) fn addresses(&self) -> BTreeSet<IpAddr> {
        let claims = self.partitions.values().flatten();
        claims
            .flat_map(|claim| claim.addresses.iter().copied())
            .collect()
    }

    /// The interfaces that had the addresses when the documents were written, as far as they are
    /// still there.
    pub(crate) fn links(&self, network: &Network) -> BTreeSet<u32> {
        let names = self.interfaces.iter();
        let links = names.filter_map(|name| network.link(name));
        links.map(|link| link.index).collect()
    }

    /// The subnets, and addresses beside those of the interface, of all partitions.
    pub(crate) fn networks(&self) -> Vec<IpNet> {
        self.partitions
            .values()
            .flatten()
            .flat_map(Claim::networks)
            .collect()
    }
}

impl Claim {
    fn of(partition: &PartitionConfiguration) -> Self {
        let part = |key| Part::of(&partition.extra, key);
        let (range, tap, tun) = (part("ipv6_range"), part("tap"), part("tun"));
        let addresses = partition.address_list.iter();
        Self {
            addresses: addresses.filter_map(claimed).collect(),
            range: range.parse("network"),
            tap_v4: tap.parse("ipv4_addr"),
            tap_v6: tap.parse("ipv6_network").map(|net: Ipv6Net| net.trunc()),
            tun_v4: tun.v4_net(),
            tun_v6: tun.parse("ipv6_network").map(|net: Ipv6Net| net.trunc()),
        }
    }

    pub(crate) fn v4(&self) -> Option<Ipv4Addr> {
        self.addresses.iter().find_map(|address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        })
    }

    pub(crate) fn v6(&self) -> Option<Ipv6Addr> {
        self.addresses.iter().find_map(|address| match address {
            IpAddr::V6(address) => Some(*address),
            IpAddr::V4(_) => None,
        })
    }

    fn networks(&self) -> impl Iterator<Item = IpNet> {
        let v6 = [self.range, self.tap_v6, self.tun_v6];
        let v4 = [
            self.tap_v4.map(Ipv4Net::from),
            self.tun_v4.map(|net| net.trunc()),
        ];
        let v6 = v6.into_iter().flatten().map(IpNet::V6);
        v6.chain(v4.into_iter().flatten().map(IpNet::V4))
    }
}

/// The interfaces that a document names. Those of 0.27 name that of IPv6 addresses only.
fn interfaces(document: &ComputerConfiguration) -> impl Iterator<Item = String> {
    let part = Part::of(&document.extra, "interface");
    let names = [part.parse("name"), part.parse("ipv6_interface")];
    let names = names.into_iter().chain([document.ipv6_interface.clone()]);
    names.flatten()
}

/// An address that was made for a partition. An IPv6 address by itself was none: it is one of the
/// interface, which partitions have where none may be added or there is no room for others.
fn claimed(address: &PartitionAddress) -> Option<IpAddr> {
    let ip = address.addr.parse().ok()?;
    let mask = address
        .netmask
        .as_deref()
        .and_then(|mask| mask.parse().ok());
    let borrowed = mask == Some(Ipv6Addr::from(u128::MAX));
    (!borrowed).then_some(ip)
}

/// One of the dictionaries of a partition.
struct Part<'a>(Option<&'a slap_proto::marshal::Dict>);

impl<'a> Part<'a> {
    fn of(extra: &'a Attributes, key: &str) -> Self {
        Self(extra.get(key).and_then(Value::as_dict))
    }

    fn parse<T: FromStr>(&self, key: &str) -> Option<T> {
        self.0?.get(key)?.as_str()?.parse().ok()
    }

    fn v4_net(&self) -> Option<Ipv4Net> {
        let mask: Ipv4Addr = self.parse("ipv4_netmask")?;
        Ipv4Net::with_netmask(self.parse("ipv4_addr")?, mask).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(address: &str) -> ComputerConfiguration {
        let texts = |entries: &[(&str, &str)]| {
            Value::dict(
                entries
                    .iter()
                    .map(|(key, value)| (*key, Value::from(*value))),
            )
        };
        let extra = [
            (
                "ipv6_range",
                texts(&[("network", "2001:db8:0:0:4001::/80")]),
            ),
            (
                "tap",
                texts(&[
                    ("ipv6_network", "2001:db8:0:0:8001::1/80"),
                    ("ipv4_addr", ""),
                ]),
            ),
            (
                "tun",
                texts(&[("ipv4_addr", "172.16.0.1"), ("ipv4_netmask", "255.252.0.0")]),
            ),
        ];
        let partition = PartitionConfiguration {
            reference: "part0".to_owned(),
            address_list: vec![PartitionAddress {
                addr: address.to_owned(),
                netmask: None,
            }],
            extra: extra.map(|(key, value)| (key.to_owned(), value)).into(),
            ..PartitionConfiguration::default()
        };
        ComputerConfiguration {
            address: Some("2001:db8::1".to_owned()),
            partition_list: vec![partition],
            ..ComputerConfiguration::default()
        }
    }

    #[test]
    fn what_the_peer_writes_is_understood() {
        let claims = Claims::of([&document("10.0.0.7")]);
        let networks: Vec<_> = claims.networks().iter().map(ToString::to_string).collect();
        let expected = [
            "2001:db8:0:0:4001::/80",
            "2001:db8:0:0:8001::/80",
            "172.16.0.0/14",
        ];
        assert_eq!(networks, expected);
        assert_eq!(claims.own.len(), 1);
    }

    #[test]
    fn an_address_that_is_the_interfaces_own_is_no_claim() {
        let claim = |addr: &str, mask: &str| {
            let (addr, netmask) = (addr.to_owned(), Some(mask.to_owned()));
            claimed(&PartitionAddress { addr, netmask }).is_some()
        };
        assert!(!claim(
            "2001:db8::1",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
        ));
        assert!(claim("2001:db8::2", "ffff:ffff:ffff:ffff::"));
        assert!(claim("10.0.0.7", "255.255.255.255"));
    }

    #[test]
    fn the_first_document_is_preferred_and_nonsense_is_passed_over() {
        let documents = [
            document("10.0.0.7"),
            document("nonsense"),
            document("10.0.0.8"),
        ];
        let claims = Claims::of(&documents);
        let v4: Vec<_> = claims
            .each("part0", Claim::v4)
            .map(|a| a.to_string())
            .collect();
        assert_eq!(v4, ["10.0.0.7", "10.0.0.8"]);
        assert_eq!(claims.each("part1", Claim::v4).count(), 0);
    }
}
