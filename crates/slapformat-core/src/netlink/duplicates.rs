//! The kernel's search for duplicates of new IPv6 addresses, awaited for all of them at once.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use netlink_packet_route::RouteNetlinkMessage;

use super::socket::RouteSocket;
use super::{Kernel, NetlinkError, read};
use crate::network::Address;

/// Notifications about IPv6 addresses (`RTNLGRP_IPV6_IFADDR` of `linux/rtnetlink.h`).
const IPV6_ADDRESSES: u32 = 9;
/// Longest wait without a decision. The kernel takes some two seconds; a bridge that runs the
/// spanning tree protocol forwards nothing in its first thirty.
const PATIENCE: Duration = Duration::from_secs(60);

/// Notifications from the moment it is made, so that none about a later address is missed.
#[derive(Debug)]
pub(crate) struct DuplicateWatch(RouteSocket);

/// How the search ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Addresses that someone else on the link has.
    pub(crate) duplicates: BTreeSet<IpAddr>,
    /// Addresses that were removed meanwhile, perhaps with their interface.
    pub(crate) vanished: BTreeSet<IpAddr>,
    /// Addresses about which the kernel said nothing in time.
    pub(crate) undecided: BTreeSet<IpAddr>,
}

impl DuplicateWatch {
    pub(crate) fn begin() -> Result<Self, NetlinkError> {
        RouteSocket::listening(IPV6_ADDRESSES)
            .map(Self)
            .map_err(|source| NetlinkError::new("watch addresses", source))
    }

    /// Waits until the kernel has decided about every address of the interface that is listed.
    pub(crate) fn settle(
        &self,
        kernel: &mut Kernel,
        link: u32,
        addresses: &BTreeSet<IpAddr>,
    ) -> Result<Verdict, NetlinkError> {
        let mut search = Search::new(link, addresses);
        search.look(&kernel.addresses()?);
        let mut wait = Wait::begin(search.pending.len(), Instant::now());
        while !search.pending.is_empty() {
            let deadline = wait.deadline(search.pending.len(), Instant::now());
            match self.0.next_notifications(deadline) {
                Ok(Some(messages)) => messages.iter().for_each(|message| search.hear(message)),
                Ok(None) => {
                    search.verdict.undecided = std::mem::take(&mut search.pending);
                }
                // There was more news than room for it: look again.
                Err(error) if is_overrun(&error) => search.look(&kernel.addresses()?),
                Err(source) => return Err(NetlinkError::new("watch addresses", source)),
            }
        }
        Ok(search.verdict)
    }
}

fn is_overrun(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::libc::ENOBUFS)
}

/// How long the next decision may take. News of other addresses is none: routers advertise for
/// ever.
struct Wait {
    open: usize,
    deadline: Instant,
}

impl Wait {
    fn begin(open: usize, now: Instant) -> Self {
        Self {
            open,
            deadline: now + PATIENCE,
        }
    }

    /// Until when to wait, with so many addresses open.
    fn deadline(&mut self, open: usize, now: Instant) -> Instant {
        if open < self.open {
            *self = Self::begin(open, now);
        }
        self.deadline
    }
}

struct Search {
    link: u32,
    pending: BTreeSet<IpAddr>,
    verdict: Verdict,
}

impl Search {
    fn new(link: u32, addresses: &BTreeSet<IpAddr>) -> Self {
        Self {
            link,
            pending: addresses.clone(),
            verdict: Verdict::default(),
        }
    }

    /// Takes in all addresses that there are.
    fn look(&mut self, present: &[Address]) {
        let link = self.link;
        let here = || present.iter().filter(move |address| address.link == link);
        here().for_each(|address| self.decide(address));
        let there: BTreeSet<_> = here().map(|address| address.net.addr()).collect();
        let vanished: Vec<_> = self.pending.difference(&there).copied().collect();
        vanished
            .into_iter()
            .for_each(|address| self.vanish(address));
    }

    /// Takes in a notification.
    fn hear(&mut self, message: &RouteNetlinkMessage) {
        match message {
            RouteNetlinkMessage::NewAddress(message) => {
                if let Some(address) = read::address(message) {
                    self.decide(&address);
                }
            }
            RouteNetlinkMessage::DelAddress(message) => {
                if let Some(address) = read::address(message).filter(|a| a.link == self.link) {
                    self.vanish(address.net.addr());
                }
            }
            _ => {}
        }
    }

    fn decide(&mut self, address: &Address) {
        let ip = address.net.addr();
        let decided = address.duplicate || !address.tentative;
        if address.link == self.link && decided && self.pending.remove(&ip) && address.duplicate {
            self.verdict.duplicates.insert(ip);
        }
    }

    fn vanish(&mut self, address: IpAddr) {
        if self.pending.remove(&address) {
            self.verdict.vanished.insert(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: u32 = 7;

    fn address(link: u32, ip: &str, tentative: bool, duplicate: bool) -> Address {
        Address {
            link,
            net: ip.parse::<IpAddr>().unwrap().into(),
            global: true,
            tentative,
            duplicate,
        }
    }

    fn set(texts: &[&str]) -> BTreeSet<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn only_decisions_make_the_wait_longer() {
        let begin = Instant::now();
        let after = |seconds| begin + Duration::from_secs(seconds);
        let mut wait = Wait::begin(3, begin);
        assert_eq!(wait.deadline(3, after(50)), begin + PATIENCE);
        assert_eq!(wait.deadline(2, after(55)), after(55) + PATIENCE);
        assert_eq!(wait.deadline(2, after(100)), after(55) + PATIENCE);
    }

    #[test]
    fn every_address_is_decided_once_and_by_its_own_interface() {
        let mut search = Search::new(LINK, &set(&["fd00::1", "fd00::2", "fd00::3", "fd00::4"]));
        search.look(&[
            address(LINK, "fd00::1", true, false),
            address(LINK, "fd00::2", true, true),
            address(LINK, "fd00::3", false, false),
            address(LINK + 1, "fd00::4", false, false),
        ]);
        assert_eq!(search.pending, set(&["fd00::1"]));
        search.decide(&address(LINK + 1, "fd00::1", false, false));
        search.decide(&address(LINK, "fd00::1", true, false));
        assert_eq!(search.pending, set(&["fd00::1"]), "not decided yet");
        search.decide(&address(LINK, "fd00::1", false, false));
        // Decided, it may go.
        search.vanish("fd00::1".parse().unwrap());
        assert_eq!(
            search.verdict,
            Verdict {
                duplicates: set(&["fd00::2"]),
                vanished: set(&["fd00::4"]),
                undecided: BTreeSet::new(),
            }
        );
    }
}
