//! The hosts of a URI, each as a database of its own: it has a time of its own to answer, and the
//! password that is meant for it.

use std::hash::{BuildHasher, Hasher, RandomState};

use tokio_postgres::Config;
use tokio_postgres::config::{Host, LoadBalanceHosts};

/// A configuration for each host, in the order in which they are tried. Lists of hosts, addresses and
/// ports that do not fit each other stay together, for whoever connects to refuse them.
pub(super) fn each(config: &Config) -> Vec<Config> {
    let (hosts, addresses) = (config.get_hosts().len(), config.get_hostaddrs().len());
    let ports = config.get_ports().len();
    let fits = (addresses == 0 || addresses == hosts) && (ports <= 1 || ports == hosts);
    if hosts <= 1 || !fits {
        return vec![config.clone()];
    }
    let mut each: Vec<_> = (0..hosts).map(|index| only(config, index)).collect();
    if config.get_load_balance_hosts() == LoadBalanceHosts::Random {
        each.sort_by_cached_key(|_| RandomState::new().build_hasher().finish());
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
    fn hosts_that_share_the_load_are_tried_in_any_order() {
        let uri = "postgresql://a,b,c,d,e,f,g,h/proxy?load_balance_hosts=random";
        let first = of(uri);
        assert!((0..100).any(|_| of(uri) != first));
    }
}
