//! URLs of masters.

use std::fmt;

use ureq::http::uri::Authority;

/// A text that is no URL of a master.
///
/// ```
/// let error = slap_client::Connection::to("localhost:5000").unwrap_err();
/// assert_eq!(error.problem, "it has no scheme");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{url:?} is no URL of a master: {problem}")]
#[non_exhaustive]
pub struct UrlError {
    /// The text, without a user and password.
    pub url: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// A master's URL, ending in a slash, so that calls are appended to it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct MasterUrl {
    text: String,
    /// For messages.
    without_user: String,
}

impl MasterUrl {
    /// A path is kept. A bare IPv6 address as host gets its brackets.
    pub(crate) fn parse(url: &str) -> Result<Self, UrlError> {
        let error = |problem| UrlError {
            url: without_user(url),
            problem,
        };
        let trimmed = url.trim();
        let (scheme, rest) = trimmed.split_once("://").ok_or(error("it has no scheme"))?;
        let scheme = scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(error("the scheme is neither http nor https"));
        }
        if rest.contains(['?', '#']) {
            return Err(error("it has a query or a fragment"));
        }
        if rest.contains(|character: char| character.is_whitespace() || character.is_control()) {
            return Err(error("it holds white space"));
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.is_empty() {
            return Err(error("it names no host"));
        }
        let authority = with_brackets(authority);
        check_authority(&authority).map_err(error)?;
        let host = authority
            .rsplit_once('@')
            .map_or(&*authority, |(_, host)| host);
        let path = path.trim_end_matches('/');
        let slash = if path.is_empty() { "" } else { "/" };
        Ok(Self {
            without_user: format!("{scheme}://{host}/{path}{slash}"),
            text: format!("{scheme}://{authority}/{path}{slash}"),
        })
    }

    /// Without a user and password, which messages shall not tell.
    pub(crate) fn shown(&self) -> &str {
        &self.without_user
    }

    pub(crate) fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// The URL of a call.
    pub(crate) fn join(&self, endpoint: &str, query: &str) -> String {
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{endpoint}{mark}{query}", self.text)
    }
}

impl fmt::Debug for MasterUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.shown(), formatter)
    }
}

/// A URL, or what is meant for one, for messages: without a user and password, which end at its last
/// `@`. A password may hold `/`, `?` and `#` by mistake, and then is in no authority.
///
/// ```
/// use slap_client::without_user;
///
/// assert_eq!(without_user("https://admin:s3cret@host/?a=1"), "https://host/?a=1");
/// assert_eq!(without_user("https://admin:s3/cret@host/"), "https://host/");
/// ```
pub fn without_user(url: &str) -> String {
    let Some((before, rest)) = url.rsplit_once('@') else {
        return url.to_owned();
    };
    match before.split_once("://") {
        Some((scheme, _)) if is_scheme(scheme.trim_start()) => format!("{scheme}://{rest}"),
        _ => rest.to_owned(),
    }
}

/// Whether this may be a scheme (RFC 3986), and is no user and password.
fn is_scheme(text: &str) -> bool {
    let is_of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.bytes().all(is_of_scheme)
}

fn check_authority(authority: &str) -> Result<(), &'static str> {
    let parsed: Authority = authority.parse().map_err(|_| "its host is malformed")?;
    let host = parsed.host();
    if host.is_empty() {
        return Err("it names no host");
    }
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    if inner.is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_err()) {
        return Err("its host is no IPv6 address");
    }
    let (_, port) = authority.rsplit_once(host).unwrap_or_default();
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok(()),
        Some(number) if number.parse::<u16>().is_ok_and(|port| port > 0) => Ok(()),
        _ => Err("its port is no number from 1 to 65535"),
    }
}

fn with_brackets(authority: &str) -> String {
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (format!("{user}@"), host),
        None => (String::new(), authority),
    };
    if host.parse::<std::net::Ipv6Addr>().is_ok() {
        format!("{user}[{host}]")
    } else {
        authority.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_relative_to_the_path() {
        let table = [
            ("http://host", "http://host/getRunId"),
            ("http://host/", "http://host/getRunId"),
            ("HTTP://host:5000/", "http://host:5000/getRunId"),
            (
                "https://host/erp5/portal_slap",
                "https://host/erp5/portal_slap/getRunId",
            ),
            (
                "https://host/erp5/portal_slap//",
                "https://host/erp5/portal_slap/getRunId",
            ),
            ("http://[::1]:5000", "http://[::1]:5000/getRunId"),
            ("http://2001:db8::1/", "http://[2001:db8::1]/getRunId"),
            (
                "http://user:pass@::1/x",
                "http://user:pass@[::1]/x/getRunId",
            ),
        ];
        for (url, expected) in table {
            assert_eq!(
                MasterUrl::parse(url).unwrap().join("getRunId", ""),
                expected
            );
        }
        let url = MasterUrl::parse("http://h/p").unwrap();
        assert_eq!(url.join("x", "a=1&b=2"), "http://h/p/x?a=1&b=2");
    }

    #[test]
    fn messages_tell_no_password() {
        let url = MasterUrl::parse("https://admin:s3cret@host/p").unwrap();
        assert_eq!(url.shown(), "https://host/p/");
        assert_eq!(url.join("x", ""), "https://admin:s3cret@host/p/x");
        assert_eq!(format!("{url:?}"), "\"https://host/p/\"");
        let url = MasterUrl::parse("http://host/~me@work/").unwrap();
        assert_eq!(url.shown(), "http://host/~me@work/");
        for wrong in [
            "http://admin:s3cret@host:x/",
            "ftp://admin:s3cret@host/",
            "admin:s3cret@host",
            "admin:s3cret://x@host",
            "http://admin:s3cret/x@host/",
            "http://admin:s3cret#x@host/",
            "http://admin:s3cret?x@host/",
            "http://admin:12/s3cret@host/?a",
        ] {
            let message = MasterUrl::parse(wrong).unwrap_err().to_string();
            assert!(
                message.contains("host") && !message.contains("s3cret"),
                "{message}"
            );
        }
    }

    #[test]
    fn what_is_no_url_is_refused_with_a_reason() {
        let table = [
            ("", "it has no scheme"),
            ("localhost:5000", "it has no scheme"),
            ("ftp://host/", "the scheme is neither http nor https"),
            ("http:///path", "it names no host"),
            ("http://host/?a=1", "it has a query or a fragment"),
            ("http://host/#a", "it has a query or a fragment"),
            ("http://ho st/", "it holds white space"),
            ("http://[::1/", "its host is malformed"),
            ("http://[::1]x:80/", "its port is no number from 1 to 65535"),
            ("http://[::zz]/", "its host is no IPv6 address"),
            ("http://user@/", "its host is malformed"),
            ("http://:80/", "it names no host"),
            (
                "http://host:99999/",
                "its port is no number from 1 to 65535",
            ),
            ("http://host:0/", "its port is no number from 1 to 65535"),
            ("http://host:/", "its port is no number from 1 to 65535"),
        ];
        for (url, problem) in table {
            assert_eq!(
                MasterUrl::parse(url).unwrap_err().problem,
                problem,
                "{url:?}"
            );
        }
    }
}
