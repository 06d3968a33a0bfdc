//! Network namespaces with the kernel's real bridges and cables.

use std::net::Ipv6Addr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::unistd::geteuid;

use crate::{Outcome, poll};

/// Address of the bridge, as an admin would configure it.
pub const BRIDGE_ADDRESS: &str = "2001:db8:1::1/64";
/// How long an interface may take to be ready.
const PATIENCE: Duration = Duration::from_secs(20);

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A network namespace of its own; dropping it removes it with all that is in it.
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// One in which only the loopback interface is up. On the interfaces that this module makes,
    /// the kernel looks for duplicates of addresses in a tenth of a second.
    pub fn new() -> Self {
        assert!(geteuid().is_root(), "only root can make network namespaces");
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("slapformat-{}-{number}", std::process::id());
        Outcome::of(Command::new("ip").args(["netns", "add", &name])).expect(0);
        let namespace = Self { name };
        namespace.ip("link set lo up");
        namespace.sysctl("conf/default/router_solicitation_delay", "0");
        namespace
    }

    /// With a bridge br0 whose cable `up0` leads to `up1`, another interface of the same
    /// namespace; br0 has an IPv4 address and, unless `address` is empty, an IPv6 address.
    pub fn bridged(address: &str) -> Self {
        let namespace = Self::unplugged(address);
        namespace.ip("link add up0 type veth peer name up1");
        namespace.sysctl("neigh/up1/retrans_time_ms", "100");
        namespace.ip("link set up1 up");
        namespace.ip("link set up0 up master br0");
        namespace.wait_for_carrier();
        namespace
    }

    /// With a bridge br0 that has no cable.
    pub fn unplugged(address: &str) -> Self {
        let namespace = Self::new();
        namespace.ip("link add br0 type bridge");
        namespace.sysctl("neigh/br0/retrans_time_ms", "100");
        namespace.ip("link set br0 up");
        namespace.ip("addr add 10.1.2.3/16 dev br0");
        if !address.is_empty() {
            namespace.ip(&format!("addr add {address} dev br0 nodad"));
        }
        namespace
    }

    /// Another machine at the end of the bridge's cable, which has an address already.
    pub fn neighbour(&self, address: &str) -> Namespace {
        let other = Namespace::new();
        self.ip(&format!("link set up1 netns {}", other.name));
        other.ip("link set up1 up");
        other.ip(&format!("addr add {address} dev up1 nodad"));
        self.wait_for_carrier();
        other
    }

    fn wait_for_carrier(&self) {
        let connected = "br0: <BROADCAST,MULTICAST,UP,LOWER_UP>";
        poll::until("br0 has a carrier", PATIENCE, || {
            self.ip("-o link").contains(connected)
        });
    }

    /// Runs `ip` in it.
    pub fn ip(&self, arguments: &str) -> String {
        let mut command = Command::new("ip");
        command.args(["-n", &self.name]).args(arguments.split(' '));
        Outcome::of(&mut command).expect(0).stdout
    }

    /// Sets a parameter of /proc/sys/net/ipv6.
    pub fn sysctl(&self, parameter: &str, value: &str) {
        let script = format!("echo {value} > /proc/sys/net/ipv6/{parameter}");
        self.shell(&script).expect(0);
    }

    /// Runs a shell command in it.
    pub fn shell(&self, script: &str) -> Outcome {
        Outcome::of(self.command(Path::new("/bin/sh")).args(["-c", script]))
    }

    /// A command that runs in it.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// The addresses of an interface, each with its length, without those of the link itself.
    pub fn addresses(&self, interface: &str) -> Vec<String> {
        let shown = self.ip(&format!("-o addr show dev {interface}"));
        let addresses = shown.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            words.find(|word| word.starts_with("inet"))?;
            words.next().map(str::to_owned)
        });
        let mut addresses: Vec<_> = addresses.filter(|one| !one.starts_with("fe80")).collect();
        addresses.sort();
        addresses
    }

    /// Whether the kernel has found out that nobody else has the address.
    pub fn is_settled(&self, interface: &str, address: Ipv6Addr) -> bool {
        let shown = self.ip(&format!("-o addr show dev {interface} to {address}"));
        shown.contains("inet6") && !shown.contains("tentative") && !shown.contains("dadfailed")
    }

    /// Everything that slapformat could change of the network, as text: without what the kernel
    /// decides by itself meanwhile.
    pub fn state(&self) -> String {
        let links = self.ip("-o link");
        let links = links.lines().map(|line| {
            let name = line.split(": ").nth(1).unwrap_or_default();
            let master = line.split_once(" master ").map(|(_, rest)| rest);
            let up = line.contains(",UP");
            format!(
                "{name} up {up} {}\n",
                master
                    .and_then(|rest| rest.split(' ').next())
                    .unwrap_or_default()
            )
        });
        let others = [
            "-o addr",
            "-4 route show table all",
            "-6 route show table all",
            "tuntap",
        ];
        let others = others.map(|command| self.ip(command)).concat();
        let own = |line: &&str| !line.contains("fe80") && !line.contains("ff00::/8");
        links
            .chain(
                others
                    .lines()
                    .filter(own)
                    .map(|line| format!("{}\n", line.replace(" linkdown", ""))),
            )
            .collect()
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // A test that fails shall not hide why by failing once more here.
        let _ = Command::new("ip")
            .args(["netns", "del", &self.name])
            .status();
    }
}
