//! Where a client reaches this server, which a proxy in front may have changed.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::Shared;
use crate::caller::Caller;

const FORWARDED_PROTO: &str = "x-forwarded-proto";
const FORWARDED_PREFIX: &str = "x-forwarded-prefix";

/// The URL under which a client reaches this server, without a slash at its end: what links in
/// answers begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExternalUrl {
    origin: String,
    prefix: String,
}

impl ExternalUrl {
    /// A path of ours as a whole URL.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin, self.prefix)
    }

    /// `X-Forwarded-` headers count if they are `trusted`.
    fn from_headers(headers: &HeaderMap, is_tls: bool, trusted: bool) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let forwarded = |name| last(text(name).filter(|_| trusted)?);
        let own = if is_tls { "https" } else { "http" };
        let scheme = match forwarded(FORWARDED_PROTO) {
            Some("https") => "https",
            Some("http") => "http",
            _ => own,
        };
        let host = text(header::HOST.as_str()).filter(|host| is_host(host));
        let prefix = forwarded(FORWARDED_PREFIX).map(|prefix| prefix.trim_end_matches('/'));
        Self {
            origin: format!("{scheme}://{}", host.unwrap_or("localhost")),
            prefix: prefix
                .filter(|path| is_prefix(path))
                .unwrap_or_default()
                .to_owned(),
        }
    }
}

/// What the nearest of several proxies says.
fn last(list: &str) -> Option<&str> {
    list.rsplit(',').next().map(str::trim)
}

/// A host and port that can stand in a URL and in a page.
fn is_host(host: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]%".contains(&byte);
    !host.is_empty() && host.bytes().all(plain)
}

/// A path that can stand before ours in a link, and does not lead to another host.
fn is_prefix(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/.-_~".contains(&byte);
    path.starts_with('/') && !path.starts_with("//") && path.bytes().all(plain)
}

impl<S: Send + Sync> FromRequestParts<Shared<S>> for ExternalUrl {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, master: &Shared<S>) -> Result<Self, Infallible> {
        let server = &master.settings.server;
        // Whoever may open the Unix socket is as near as a loopback address.
        let trusted = match parts
            .extensions
            .get::<Caller>()
            .map(|caller| caller.address)
        {
            Some(Some(address)) => server.trusts_proxy(address),
            Some(None) => true,
            None => false,
        };
        let is_tls = matches!(parts.extensions.get::<Caller>(), Some(caller) if caller.is_tls);
        Ok(Self::from_headers(&parts.headers, is_tls, trusted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(headers: &[(&'static str, &'static str)], trusted: bool) -> String {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        ExternalUrl::from_headers(&headers.collect(), false, trusted).url("/x")
    }

    #[test]
    fn forwarded_headers_count_from_trusted_proxies_only() {
        let headers = [
            ("host", "h:1"),
            (FORWARDED_PROTO, "https"),
            (FORWARDED_PREFIX, "/a/b/"),
        ];
        assert_eq!(url(&headers, true), "https://h:1/a/b/x");
        assert_eq!(url(&headers, false), "http://h:1/x");
    }

    #[test]
    fn the_nearest_proxy_is_heard() {
        let headers = [
            ("host", "h"),
            (FORWARDED_PROTO, "http, https"),
            (FORWARDED_PREFIX, "/far, /near"),
        ];
        assert_eq!(url(&headers, true), "https://h/near/x");
    }

    #[test]
    fn what_could_not_stand_in_a_link_is_ignored() {
        for prefix in ["//evil.example", "evil", "/a\"><script>", "/a b", "/"] {
            assert_eq!(
                url(&[("host", "h"), (FORWARDED_PREFIX, prefix)], true),
                "http://h/x",
                "{prefix}"
            );
        }
        assert_eq!(
            url(&[("host", "h/\"<"), (FORWARDED_PROTO, "javascript")], true),
            "http://localhost/x"
        );
        assert_eq!(url(&[], true), "http://localhost/x");
    }
}
