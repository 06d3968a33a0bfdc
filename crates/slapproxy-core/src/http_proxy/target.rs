//! What a path below `/http_proxy/` stands for.

use axum::http::uri::Authority;
use axum::http::{HeaderValue, Uri};

use super::error::ProxyError;
use crate::settings::AllowedHost;

/// What the paths begin with.
pub(super) const MOUNT: &str = "/http_proxy/";

/// A page of another host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    scheme: &'static str,
    authority: Authority,
    /// From its first slash, with the query, as the client has written it.
    path: String,
}

impl Target {
    /// From the URI of a request for us. Nothing of its path is decoded: another reading of it
    /// than the target's could lead elsewhere.
    pub(super) fn parse(uri: &Uri) -> Result<Self, ProxyError> {
        let path = uri.path_and_query().map_or("", |path| path.as_str());
        let rest = path.strip_prefix(MOUNT).unwrap_or_default();
        let (scheme, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let scheme = match scheme {
            "http" => "http",
            "https" => "https",
            _ => return Err(ProxyError::Target("the scheme is neither http nor https")),
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let authority = authority
            .parse()
            .map_err(|_| ProxyError::Target("the host is malformed"))?;
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self {
            scheme,
            authority,
            path: format!("{slash}{path}"),
        })
    }

    /// Host and port for messages, without a user and password.
    pub(super) fn shown(&self) -> &str {
        let authority = self.authority.as_str();
        authority.rsplit('@').next().unwrap_or(authority)
    }

    pub(super) fn url(&self) -> String {
        let Self {
            scheme,
            authority,
            path,
        } = self;
        format!("{scheme}://{authority}{path}")
    }

    /// Whether the host is listed, and its port with it or the scheme's own.
    pub(super) fn is_one_of(&self, allowed: &[AllowedHost]) -> bool {
        let standard = if self.scheme == "https" { 443 } else { 80 };
        let Some(AllowedHost { host, port }) = AllowedHost::parse(self.authority.as_str()) else {
            return false;
        };
        let port = port.unwrap_or(standard);
        allowed
            .iter()
            .any(|allowed| allowed.host == host && allowed.port.unwrap_or(standard) == port)
    }

    /// Where a redirect of the target leads if it is followed through us, whose URLs `url` makes of
    /// paths. A relative one means the same here. `None` for other schemes.
    pub(super) fn through_us(
        &self,
        location: &HeaderValue,
        url: impl Fn(&str) -> String,
    ) -> Option<HeaderValue> {
        let text = location.to_str().ok()?;
        let Self {
            scheme, authority, ..
        } = self;
        let path = match text.split_once("://") {
            Some((scheme @ ("http" | "https"), rest)) => format!("{MOUNT}{scheme}/{rest}"),
            Some(_) => return None,
            None if text.starts_with("//") => format!("{MOUNT}{scheme}{}", &text[1..]),
            None if text.starts_with('/') => format!("{MOUNT}{scheme}/{authority}{text}"),
            None => return Some(location.clone()),
        };
        url(&path).parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &str) -> Result<Target, ProxyError> {
        Target::parse(&path.parse().unwrap())
    }

    #[test]
    fn paths_are_urls() {
        let table = [
            ("/http_proxy/http/h/a/b?c=d%20e", "http://h/a/b?c=d%20e"),
            ("/http_proxy/https/h:444/", "https://h:444/"),
            ("/http_proxy/http/h", "http://h/"),
            ("/http_proxy/http/h?q", "http://h/?q"),
            (
                "/http_proxy/http/[::1]:8080//a/../b%2F",
                "http://[::1]:8080//a/../b%2F",
            ),
        ];
        for (path, url) in table {
            assert_eq!(target(path).unwrap().url(), url);
        }
        for path in [
            "/http_proxy/ftp/h/",
            "/http_proxy/http",
            "/http_proxy/http/",
            "/http_proxy/http//a",
            "/http_proxy/HTTP/h/",
            "/http_proxy/",
        ] {
            assert!(target(path).is_err(), "{path}");
        }
    }

    #[test]
    fn only_listed_hosts_and_ports_are_allowed() {
        let listed = ["example.org", "[::1]:8080"];
        let allowed: Vec<_> = listed
            .iter()
            .map(|host| AllowedHost::parse(host).unwrap())
            .collect();
        let table = [
            ("http/example.org/", true),
            ("http/EXAMPLE.org:80/", true),
            ("https/example.org/", true),
            ("http/example.org:443/", false),
            ("https/example.org:80/", false),
            ("http/[::1]:8080/", true),
            ("http/[::1]/", false),
            ("http/example.org.evil.example/", false),
            ("http/evil.example.org/", false),
            ("http/example.org@evil.example/", false),
            ("http/evil.example@example.org/", false),
            ("http/example.org%2eevil.example/", false),
            ("http/127.0.0.1/", false),
            ("http/example.org:port/", false),
        ];
        for (path, expected) in table {
            let found = target(&format!("/http_proxy/{path}"));
            let found = found.is_ok_and(|target| target.is_one_of(&allowed));
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn redirects_lead_through_us() {
        let target = target("/http_proxy/https/h:1/a/b").unwrap();
        let table = [
            ("/c?d", Some("//us/http_proxy/https/h:1/c?d")),
            ("http://other/x", Some("//us/http_proxy/http/other/x")),
            ("//other/x", Some("//us/http_proxy/https/other/x")),
            ("c", Some("c")),
            ("?d", Some("?d")),
            ("javascript://x", None),
        ];
        for (location, expected) in table {
            let location = location.parse().unwrap();
            let found = target.through_us(&location, |path| format!("//us{path}"));
            let found = found.as_ref().map(|value| value.to_str().unwrap());
            assert_eq!(found, expected, "{location:?}");
        }
    }
}
