//! To which hosts `/http_proxy/` leads.

use slapos_config::{Section, ValueError};

/// A host and port that `/http_proxy/` may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    /// The name or address in lower case, an IPv6 address in brackets.
    pub host: String,
    /// The port; `None` for the scheme's own.
    pub port: Option<u16>,
}

impl AllowedHost {
    /// From `HOST` or `HOST:PORT`.
    pub fn parse(text: &str) -> Option<Self> {
        let authority: axum::http::uri::Authority = text.parse().ok()?;
        // User and password are no part of a host.
        if authority.host().is_empty() || text.contains('@') {
            return None;
        }
        let rest = text.strip_prefix(authority.host())?;
        let port = match rest.strip_prefix(':') {
            Some(port) => Some(port.parse().ok()?),
            None => None,
        };
        Some(Self {
            host: authority.host().to_ascii_lowercase(),
            port,
        })
    }
}

/// The hosts of `http_proxy_allow`, one a line. There are none unless it says so.
pub(super) fn from_section(section: &Section<'_>) -> Result<Vec<AllowedHost>, ValueError> {
    let key = "http_proxy_allow";
    let host = |line: String| {
        AllowedHost::parse(&line).ok_or_else(|| section.wrong(key, line, "HOST or HOST:PORT"))
    };
    section.get_lines(key)?.into_iter().map(host).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_with_and_without_port() {
        let table = [
            ("Example.ORG", Some(("example.org", None))),
            ("example.org:8080", Some(("example.org", Some(8080)))),
            ("10.0.0.1:80", Some(("10.0.0.1", Some(80)))),
            ("[::1]", Some(("[::1]", None))),
            ("[2001:DB8::1]:443", Some(("[2001:db8::1]", Some(443)))),
            ("", None),
            (":80", None),
            ("http://example.org", None),
            ("example.org/", None),
            ("user@example.org", None),
            ("example.org:", None),
            ("example.org:70000", None),
            ("*", Some(("*", None))),
        ];
        for (text, expected) in table {
            let found = AllowedHost::parse(text);
            let found = found.as_ref().map(|found| (&*found.host, found.port));
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
