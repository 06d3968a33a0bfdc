//! The hosts of a URI, each as a database of its own: it has a time of its own to answer, and the
//! password that is meant for it.

use std::io;
use std::net::IpAddr;

use tokio::net::lookup_host;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, LoadBalanceHosts, SslMode};

use crate::random::random;

/// So many addresses of one name are tried.
const ADDRESSES: usize = 4;

/// A configuration for each host, in the order in which they are tried. Lists of hosts, addresses and
/// ports that do not fit each other stay together, for whoever connects to refuse them.
pub(super) fn each(config: &Config) -> Vec<Config> {
    let (hosts, addresses) = (config.get_hosts().len(), config.get_hostaddrs().len());
    let ports = config.get_ports().len();
    let fits = (addresses == 0 || addresses == hosts) && (ports <= 1 || ports == hosts);
    if !fits {
        return vec![config.clone()];
    }
    let mut each: Vec<_> = match hosts {
        0 | 1 => vec![config.clone()],
        _ => (0..hosts).map(|index| only(config, index)).collect(),
    };
    for local in each.iter_mut().filter(|one| is_local(one)) {
        local.ssl_mode(SslMode::Disable);
    }
    if config.get_load_balance_hosts() == LoadBalanceHosts::Random {
        each.sort_by_cached_key(|_| random());
    }
    each
}

/// The configuration of one of several hosts.
fn only(config: &Config, index: usize) -> Config {
    let mut one = without_hosts(config);
    match &config.get_hosts()[index] {
        Host::Tcp(name) => one.host(name),
        Host::Unix(path) => one.host_path(path),
    };
    if let Some(address) = config.get_hostaddrs().get(index) {
        one.hostaddr(*address);
    }
    let ports = config.get_ports();
    if let Some(port) = ports.get(index).or(ports.first()) {
        one.port(*port);
    }
    one
}

/// Whether nothing of it goes over a network: an address takes the place of a socket.
pub(super) fn is_local(config: &Config) -> bool {
    let hosts = config.get_hosts();
    let are_sockets = hosts.iter().all(|host| matches!(host, Host::Unix(_)));
    !hosts.is_empty() && are_sockets && config.get_hostaddrs().is_empty()
}

/// A configuration for each address of a host, which thus has a time of its own to answer, too.
///
/// # Errors
/// Its name cannot be looked up.
pub(super) async fn addresses(host: &Config) -> io::Result<Vec<Config>> {
    let ([Host::Tcp(name)], []) = (host.get_hosts(), host.get_hostaddrs()) else {
        return Ok(vec![host.clone()]);
    };
    let mut addresses: Vec<IpAddr> = Vec::new();
    for found in lookup_host((name.as_str(), port(host))).await? {
        if !addresses.contains(&found.ip()) {
            addresses.push(found.ip());
        }
    }
    let with = |address| {
        let mut one = host.clone();
        one.hostaddr(address);
        one
    };
    Ok(addresses.into_iter().take(ADDRESSES).map(with).collect())
}

/// The port of one host.
pub(super) fn port(host: &Config) -> u16 {
    host.get_ports().first().copied().unwrap_or(5432)
}

/// Where one host is; its name, and its address where that is another text.
pub(super) fn place(host: &Host, address: Option<&IpAddr>) -> String {
    let name = match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    };
    match address.map(ToString::to_string) {
        Some(address) if address != name => format!("{name} ({address})"),
        _ => name,
    }
}

/// Which of the hosts, and of its addresses, answered last: begun with, it costs no waiting for those
/// before it that are away.
#[derive(Debug, Clone, Default)]
pub(super) struct Answered {
    host: Option<(Host, u16)>,
    address: Option<IpAddr>,
}

impl Answered {
    /// Of a configuration of one address.
    pub(super) fn of(config: &Config) -> Self {
        Self {
            host: Self::host_of(config),
            address: config.get_hostaddrs().first().copied(),
        }
    }

    fn host_of(config: &Config) -> Option<(Host, u16)> {
        Some((config.get_hosts().first()?.clone(), port(config)))
    }

    /// Puts its host first, unless they are to be tried in any order.
    pub(super) fn first_of_hosts(&self, mut hosts: Vec<Config>) -> Vec<Config> {
        hosts.sort_by_key(|host| {
            host.get_load_balance_hosts() == LoadBalanceHosts::Disable
                && Self::host_of(host) != self.host
        });
        hosts
    }

    /// Puts its address first.
    pub(super) fn first_of_addresses(&self, mut addresses: Vec<Config>) -> Vec<Config> {
        addresses.sort_by_key(|one| one.get_hostaddrs().first() != self.address.as_ref());
        addresses
    }
}

/// A copy of all else.
fn without_hosts(config: &Config) -> Config {
    /// Copies what may be missing.
    macro_rules! copy {
        ($copy:ident, $($get:ident => $set:ident),*) => {$(
            if let Some(value) = config.$get() {
                $copy.$set(value.to_owned());
            }
        )*};
    }
    let mut copy = Config::new();
    copy!(
        copy,
        get_user => user,
        get_password => password,
        get_dbname => dbname,
        get_options => options,
        get_application_name => application_name,
        get_connect_timeout => connect_timeout,
        get_tcp_user_timeout => tcp_user_timeout,
        get_keepalives_interval => keepalives_interval,
        get_keepalives_retries => keepalives_retries
    );
    copy.ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .target_session_attrs(config.get_target_session_attrs())
        .channel_binding(config.get_channel_binding())
        .load_balance_hosts(config.get_load_balance_hosts());
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str) -> Vec<Config> {
        each(&uri.parse().unwrap())
    }

    #[test]
    fn each_host_has_its_own_and_what_is_common() {
        let common = "u:p@{}/proxy?options=-c%20x%3Dy&application_name=a&connect_timeout=7\
            &target_session_attrs=read-write&sslmode=require&channel_binding=disable\
            &tcp_user_timeout=9&keepalives=0&keepalives_idle=8&keepalives_interval=5\
            &keepalives_retries=2&load_balance_hosts=disable";
        let uri = |hosts: &str| format!("postgresql://{}", common.replace("{}", hosts));
        for (together, apart) in [
            ("one:1,two:2", ["one:1", "two:2"]),
            ("one,two", ["one", "two"]),
            ("%2Frun%2Fa,two", ["%2Frun%2Fa", "two"]),
        ] {
            let apart = apart.map(|host| of(&uri(host)));
            assert_eq!(of(&uri(together)), apart.concat(), "{together}");
        }
        let addresses = of("postgresql://a:7,b:8/proxy?hostaddr=192.0.2.1,192.0.2.2");
        let second: Config = "postgresql://b:8/proxy?hostaddr=192.0.2.2".parse().unwrap();
        assert_eq!((addresses.len(), &addresses[1]), (2, &second));
    }

    #[test]
    fn lists_that_do_not_fit_are_refused_as_they_are() {
        for uri in [
            "postgresql:///proxy?host=a&host=b&host=c&port=1,2",
            "postgresql:///proxy?host=a&host=b&hostaddr=192.0.2.1",
        ] {
            assert_eq!(of(uri), [uri.parse().unwrap()]);
        }
    }

    #[test]
    fn nothing_speaks_tls_over_a_socket() {
        let uri = "postgresql:///proxy?host=/run/a&host=two&sslmode=require";
        let modes: Vec<_> = of(uri).iter().map(Config::get_ssl_mode).collect();
        assert_eq!(modes, [SslMode::Disable, SslMode::Require]);
    }

    #[tokio::test]
    async fn each_address_of_a_name_is_one_of_its_own_and_the_last_that_answered_is_first() {
        let names: Config = "postgresql://127.0.0.9,localhost/proxy".parse().unwrap();
        let hosts = each(&names);
        let found = addresses(&hosts[1]).await.unwrap();
        assert!(!found.is_empty());
        for one in &found {
            assert_eq!(one.get_hosts(), [Host::Tcp("localhost".to_owned())]);
            assert_eq!(one.get_hostaddrs().len(), 1);
        }
        let last = Answered::of(found.last().unwrap());
        let ordered = last.first_of_hosts(hosts.clone());
        assert_eq!(ordered, [hosts[1].clone(), hosts[0].clone()]);
        assert_eq!(
            last.first_of_addresses(found.clone())[0],
            found[found.len() - 1]
        );
        let given: Config = "postgresql://a/proxy?hostaddr=192.0.2.1".parse().unwrap();
        assert_eq!(addresses(&given).await.unwrap(), [given]);
    }

    #[test]
    fn hosts_that_share_the_load_are_tried_in_any_order() {
        let uri = "postgresql://a,b,c,d,e,f,g,h/proxy?load_balance_hosts=random";
        let first = of(uri);
        assert!((0..100).any(|_| of(uri) != first));
    }
}
