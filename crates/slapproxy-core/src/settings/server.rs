//! How requests come in.

use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use ipnet::IpNet;
use slapos_config::{Section, ValueError};

use super::{ListenAddress, SettingsError, SettingsOverrides, TlsSettings, listen};

const DEFAULT_MAX_CONNECTIONS: usize = 512;
/// More would need more threads and files than a process may have.
const MOST_CONNECTIONS: usize = 65_536;
const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const LONGEST_TIME: Duration = Duration::from_secs(86_400);
const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(300);
/// What a disk that syncs slowly works off in about a second.
const DEFAULT_MAX_QUEUE: usize = 1000;
const HIGHEST_RATE: u32 = 1_000_000;

/// How requests come in.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Where to listen.
    pub listen: Vec<ListenAddress>,
    /// TLS, for TCP addresses.
    pub tls: Option<TlsSettings>,
    /// Whose `X-Forwarded-` headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Names of this server, in lower case: what is not encrypted must ask for one of them, for
    /// localhost or for an address. Empty: that holds for what comes from this machine.
    pub server_names: Vec<String>,
    /// Connections at a time; more wait to be accepted.
    pub max_connections: usize,
    /// For a TLS handshake, for the head of a request (and as long may a connection be idle), for
    /// a body that does not come, and for an answer that is not taken.
    pub request_timeout: Duration,
    /// How long a node may have its question lie until something changes; zero: not at all.
    pub max_wait: Duration,
    /// Transactions at a time, with those that wait for their turn; more are refused at once.
    pub max_queue: usize,
    /// Requests a second that a client may make on average; `None`: as many as it likes.
    pub rate_limit: Option<NonZeroU32>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: vec![ListenAddress::default()],
            tls: None,
            trusted_proxies: loopback(),
            server_names: Vec::new(),
            max_connections: DEFAULT_MAX_CONNECTIONS,
            request_timeout: DEFAULT_REQUEST_TIMEOUT,
            max_wait: DEFAULT_MAX_WAIT,
            max_queue: DEFAULT_MAX_QUEUE,
            rate_limit: None,
        }
    }
}

fn loopback() -> Vec<IpNet> {
    let networks = ["127.0.0.0/8", "::1/128"].into_iter();
    networks
        .filter_map(|network| network.parse().ok())
        .collect()
}

impl ServerSettings {
    pub(super) fn from_section(
        section: &Section<'_>,
        overrides: &SettingsOverrides,
    ) -> Result<Self, SettingsError> {
        let defaults = Self::default();
        let listen = match &overrides.listen[..] {
            [] => listen::from_section(section, overrides)?,
            given => given.to_vec(),
        };
        let settings = Self {
            listen,
            tls: TlsSettings::from_section(section)?,
            trusted_proxies: trusted_proxies(section)?.unwrap_or(defaults.trusted_proxies),
            server_names: server_names(section)?,
            max_connections: max_connections(section)?.unwrap_or(defaults.max_connections),
            request_timeout: request_timeout(section)?.unwrap_or(defaults.request_timeout),
            max_wait: max_wait(section)?.unwrap_or(defaults.max_wait),
            max_queue: max_queue(section)?.unwrap_or(defaults.max_queue),
            rate_limit: rate_limit(section)?,
        };
        if !overrides.insecure_listen {
            settings.check_reach()?;
        }
        Ok(settings)
    }

    /// Scheme of URLs of the TCP addresses.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Whether clients at TCP addresses prove who they are.
    pub fn checks_certificates(&self) -> bool {
        let tls = self.tls.as_ref();
        tls.is_some_and(|tls| tls.client_ca.is_some())
    }

    /// Whether `X-Forwarded-` headers from there are believed.
    pub(crate) fn trusts_proxy(&self, address: IpAddr) -> bool {
        // An IPv4 client of a socket that takes both is seen as ::ffff:1.2.3.4.
        let address = address.to_canonical();
        let mut networks = self.trusted_proxies.iter();
        networks.any(|network| network.contains(&address))
    }

    fn check_reach(&self) -> Result<(), SettingsError> {
        let outside = self.listen.iter().find_map(|address| match address {
            ListenAddress::Tcp(address) if !address.ip().is_loopback() => Some(*address),
            _ => None,
        });
        match outside {
            Some(address) if !self.checks_certificates() => {
                Err(SettingsError::NotLoopback(address))
            }
            _ => Ok(()),
        }
    }
}

/// An empty value trusts nobody.
fn trusted_proxies(section: &Section<'_>) -> Result<Option<Vec<IpNet>>, ValueError> {
    let key = "trusted_proxies";
    let Some(value) = section.get(key)? else {
        return Ok(None);
    };
    let parsed = value.split_whitespace().map(|word| {
        let address = word.parse().map(|address: IpAddr| IpNet::from(address));
        address
            .or_else(|_| word.parse())
            .map_err(|_| section.wrong(key, word.to_owned(), "an address or network"))
    });
    parsed.collect::<Result<_, _>>().map(Some)
}

fn server_names(section: &Section<'_>) -> Result<Vec<String>, ValueError> {
    let key = "server_names";
    let value = section.get(key)?.unwrap_or_default();
    let names = value.split_whitespace().map(|word| {
        let name = word.strip_suffix('.').unwrap_or(word);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        match !name.is_empty() && name.bytes().all(plain) {
            true => Ok(name.to_ascii_lowercase()),
            false => Err(section.wrong(key, word.to_owned(), "the name of a host, without a port")),
        }
    });
    names.collect()
}

fn max_connections(section: &Section<'_>) -> Result<Option<usize>, ValueError> {
    let (key, expected) = ("max_connections", "a number of connections from 1 to 65536");
    match section.get_parsed::<usize>(key, expected)? {
        Some(number) if !(1..=MOST_CONNECTIONS).contains(&number) => {
            Err(section.wrong(key, number.to_string(), expected))
        }
        number => Ok(number),
    }
}

fn request_timeout(section: &Section<'_>) -> Result<Option<Duration>, ValueError> {
    let expected = "a number of seconds above zero, a day at most";
    seconds(section, "request_timeout", expected, |time| !time.is_zero())
}

fn max_wait(section: &Section<'_>) -> Result<Option<Duration>, ValueError> {
    let expected = "a number of seconds, a day at most";
    seconds(section, "max_wait", expected, |_| true)
}

fn max_queue(section: &Section<'_>) -> Result<Option<usize>, ValueError> {
    let expected = "a number of requests above zero";
    let number = section.get_parsed::<NonZeroUsize>("max_queue", expected)?;
    Ok(number.map(NonZeroUsize::get))
}

/// Zero is no limit.
fn rate_limit(section: &Section<'_>) -> Result<Option<NonZeroU32>, ValueError> {
    let (key, expected) = (
        "rate_limit",
        "a number of requests a second, a million at most",
    );
    match section.get_parsed::<u32>(key, expected)? {
        Some(rate) if rate > HIGHEST_RATE => Err(section.wrong(key, rate.to_string(), expected)),
        rate => Ok(rate.and_then(NonZeroU32::new)),
    }
}

/// A time of a day at most that fits.
fn seconds(
    section: &Section<'_>,
    key: &'static str,
    expected: &'static str,
    fits: impl FnOnce(Duration) -> bool,
) -> Result<Option<Duration>, ValueError> {
    let Some(seconds) = section.get_parsed::<f64>(key, expected)? else {
        return Ok(None);
    };
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if time <= LONGEST_TIME && fits(time) => Ok(Some(time)),
        _ => Err(section.wrong(key, seconds.to_string(), expected)),
    }
}
