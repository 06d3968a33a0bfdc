//! Where slapproxy listens.

use std::net::{IpAddr, SocketAddr};

use slapos_config::Section;

use super::{SettingsError, SettingsOverrides};

const DEFAULT_HOST: &str = "127.0.0.1";
const DEFAULT_PORT: u16 = 5000;

/// From `host` and `port`.
pub(super) fn from_section(
    section: &Section<'_>,
    overrides: &SettingsOverrides,
) -> Result<SocketAddr, SettingsError> {
    let host = section
        .get_text("host")?
        .unwrap_or_else(|| DEFAULT_HOST.to_owned());
    let host: IpAddr = match host.trim_matches(['[', ']']) {
        "localhost" => IpAddr::from([127, 0, 0, 1]),
        address => address
            .parse()
            .map_err(|_| section.wrong("host", host.clone(), "an IP address"))?,
    };
    if !host.is_loopback() && !overrides.insecure_listen {
        return Err(SettingsError::NotLoopback(host));
    }
    let port = section
        .get_parsed("port", "a TCP port")?
        .unwrap_or(DEFAULT_PORT);
    Ok(SocketAddr::new(host, port))
}
