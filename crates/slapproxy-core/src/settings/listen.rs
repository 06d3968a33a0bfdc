//! Where slapproxy listens.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use slapos_config::{Section, ValueError};

use super::SettingsOverrides;

/// How an address of a Unix socket begins; its path follows.
const UNIX: &str = "unix:";
const DEFAULT_HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const DEFAULT_PORT: u16 = 5000;

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// `ADDRESS:PORT`, an IPv6 address in brackets; port 0 takes any.
    Tcp(SocketAddr),
    /// `unix:PATH`, for processes of the same user or group.
    Unix(PathBuf),
}

/// A text that is no address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither ADDRESS:PORT nor unix:PATH")]
pub struct InvalidListenAddress(String);

impl FromStr for ListenAddress {
    type Err = InvalidListenAddress;

    fn from_str(text: &str) -> Result<Self, InvalidListenAddress> {
        let wrong = || InvalidListenAddress(text.to_owned());
        if let Some(path) = text.strip_prefix(UNIX) {
            let path = PathBuf::from(path);
            return path
                .file_name()
                .is_some()
                .then_some(Self::Unix(path))
                .ok_or_else(wrong);
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        if host == "localhost" {
            return Ok(Self::Tcp(SocketAddr::new(DEFAULT_HOST, port)));
        }
        text.parse().map(Self::Tcp).map_err(|_| wrong())
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(formatter),
            Self::Unix(path) => write!(formatter, "{UNIX}{}", path.display()),
        }
    }
}

/// From `listen`, unless there is none or the command line names a host or a port; else from these,
/// `host` and `port`.
pub(super) fn from_section(
    section: &Section<'_>,
    overrides: &SettingsOverrides,
) -> Result<Vec<ListenAddress>, ValueError> {
    let lines = section.get_lines("listen")?;
    if lines.is_empty() || overrides.host.is_some() || overrides.port.is_some() {
        return Ok(vec![ListenAddress::Tcp(host_and_port(section, overrides)?)]);
    }
    let parsed = lines.into_iter().map(|line| {
        line.parse()
            .map_err(|_| section.wrong("listen", line, "ADDRESS:PORT or unix:PATH"))
    });
    parsed.collect()
}

fn host_and_port(
    section: &Section<'_>,
    overrides: &SettingsOverrides,
) -> Result<SocketAddr, ValueError> {
    let host = match (overrides.host, section.get_text("host")?) {
        (Some(host), _) => host,
        (None, None) => DEFAULT_HOST,
        (None, Some(host)) => ListenAddress::host(&host)
            .ok_or_else(|| section.wrong("host", host, "an IP address"))?,
    };
    let port = match overrides.port {
        Some(port) => Some(port),
        None => section.get_parsed("port", "a TCP port")?,
    };
    Ok(SocketAddr::new(host, port.unwrap_or(DEFAULT_PORT)))
}

impl ListenAddress {
    /// A host to listen on: an IP address, which may stand in brackets, or `localhost`.
    pub fn host(text: &str) -> Option<IpAddr> {
        match text.trim_matches(['[', ']']) {
            "localhost" => Some(DEFAULT_HOST),
            address => address.parse().ok(),
        }
    }
}

impl Default for ListenAddress {
    fn default() -> Self {
        Self::Tcp(SocketAddr::new(DEFAULT_HOST, DEFAULT_PORT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        for text in ["127.0.0.1:0", "[::1]:5000", "unix:/run/slapproxy.sock"] {
            assert_eq!(text.parse::<ListenAddress>().unwrap().to_string(), text);
        }
        let local: ListenAddress = "localhost:80".parse().unwrap();
        assert_eq!(local.to_string(), "127.0.0.1:80");
    }

    #[test]
    fn what_is_no_address_is_refused_by_its_text() {
        let table = [
            "",
            "5000",
            "::1:5000:",
            "127.0.0.1",
            "1.2.3.4:70000",
            "host:80",
            "unix:",
            "unix:/",
        ];
        for text in table {
            let error = text.parse::<ListenAddress>().unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }
}
