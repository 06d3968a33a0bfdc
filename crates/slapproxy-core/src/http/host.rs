//! Which host a request is for.
//!
//! A page of any site can have the name of its own host lead to a loopback address once a browser
//! has loaded it; for the browser, page and master are then one origin, and the page may read and
//! command everything (DNS rebinding). But its requests go on naming that host. So what comes from
//! this machine must ask for an address, for localhost or for one of `server_names`. What comes
//! from others must only where there are such names, and what is encrypted need not: a browser
//! compares the certificate's name.

use std::net::Ipv4Addr;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::{Shared, respond};
use crate::caller::Caller;

/// The name that every machine has for itself.
const LOCALHOST: &str = "localhost";

/// The request is not for this server, or does not say for which it is.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum WrongHost {
    #[error("the request names several hosts")]
    NotOne,
    #[error("this server has no name {0:?} (see server_names in section slapproxy)")]
    Stranger(String),
}

impl WrongHost {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotOne => StatusCode::BAD_REQUEST,
            Self::Stranger(_) => StatusCode::MISDIRECTED_REQUEST,
        }
    }
}

/// Lets through what is for this server.
pub(super) async fn guard<S>(
    State(master): State<Shared<S>>,
    request: Request,
    next: Next,
) -> Response {
    match check(&request, &master.settings.server.server_names) {
        Ok(()) => next.run(request).await,
        Err(wrong) => respond::refusal("host", wrong.status(), &wrong),
    }
}

fn check(request: &Request, names: &[String]) -> Result<(), WrongHost> {
    // Without a server of ours around it, the service does not know where a request comes from.
    let Some(caller) = request.extensions().get::<Caller>() else {
        return Ok(());
    };
    let Some(host) = host(request)? else {
        return Ok(());
    };
    let is_guarded = caller.address.is_some_and(|address| {
        !caller.is_tls && (address.to_canonical().is_loopback() || !names.is_empty())
    });
    if is_guarded && !is_own(host, names) {
        let host = String::from_utf8_lossy(host.as_bytes()).into_owned();
        return Err(WrongHost::Stranger(host));
    }
    Ok(())
}

/// The header; `None` in a request without, which no browser makes.
fn host(request: &Request) -> Result<Option<&HeaderValue>, WrongHost> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host,
        (None, _) => return Ok(None),
        _ => return Err(WrongHost::NotOne),
    };
    match request.uri().authority() {
        Some(other) if other.as_str() != host => Err(WrongHost::NotOne),
        _ => Ok(Some(host)),
    }
}

/// Whether it is an address, which no site can claim, or a name of ours.
fn is_own(host: &HeaderValue, names: &[String]) -> bool {
    let Ok(authority) = Authority::try_from(host.as_bytes()) else {
        return false;
    };
    if authority.as_str().contains('@') {
        return false;
    }
    let name = authority.host();
    if name.starts_with('[') || name.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_name = |own: &str| own.eq_ignore_ascii_case(name);
    is_name(LOCALHOST) || names.iter().any(|own| is_name(own))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use axum::body::Body;

    use super::*;
    use crate::caller::Speaker;

    const OTHER: &str = "evil.example";

    fn own(host: &str) -> bool {
        let host = HeaderValue::from_str(host).unwrap();
        is_own(&host, &["master.example.org".to_owned()])
    }

    #[test]
    fn addresses_localhost_and_names_are_own() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:5000",
            "192.0.2.1:80",
            "[::1]:5000",
            "localhost",
            "LocalHost:5000",
            "localhost.:5000",
            "master.example.org",
            "Master.Example.ORG.:443",
        ] {
            assert!(own(host), "{host}");
        }
    }

    #[test]
    fn others_are_not() {
        for host in [
            OTHER,
            "evil.example:5000",
            "localhost.evil.example",
            "evil.localhost",
            "127.0.0.1.evil.example",
            "example.org",
            "x.master.example.org",
            "127.0.0.1@evil.example",
            "evil.example@127.0.0.1",
            "127.1",
            "localhost/",
            "[::1",
            "::1",
            "",
        ] {
            assert!(!own(host), "{host}");
        }
    }

    fn request(from: Option<(Option<&str>, bool)>, host: &str) -> Request {
        let mut request = Request::get("/").header(header::HOST, host);
        if let Some((address, is_tls)) = from {
            request = request.extension(Caller {
                address: address.map(|address| address.parse::<IpAddr>().unwrap()),
                is_tls,
                speaker: Speaker::User,
                name: None,
            });
        }
        request.body(Body::empty()).unwrap()
    }

    #[test]
    fn where_a_browser_may_be_led_astray_names_are_checked() {
        let names = ["master.example.org".to_owned()];
        // From where, encrypted, refused without names, refused with names.
        let table = [
            (Some((Some("127.0.0.1"), false)), true, true),
            (Some((Some("::1"), false)), true, true),
            (Some((Some("::ffff:127.0.0.1"), false)), true, true),
            (Some((Some("192.0.2.1"), false)), false, true),
            (Some((Some("127.0.0.1"), true)), false, false),
            (Some((None, false)), false, false),
            (None, false, false),
        ];
        for (from, without, with) in table {
            let request = request(from, OTHER);
            assert_eq!(check(&request, &[]).is_err(), without, "{from:?}");
            assert_eq!(check(&request, &names).is_err(), with, "{from:?}");
        }
    }

    #[test]
    fn a_request_names_one_host() {
        let of = |uri: &str, hosts: &[&str]| {
            let mut request = request(Some((Some("127.0.0.1"), false)), LOCALHOST);
            *request.uri_mut() = uri.parse().unwrap();
            request.headers_mut().remove(header::HOST);
            for host in hosts {
                let host = HeaderValue::from_str(host).unwrap();
                request.headers_mut().append(header::HOST, host);
            }
            check(&request, &[])
        };
        for (uri, hosts) in [
            ("/", &[][..]),
            ("/", &["localhost"]),
            ("http://localhost:1/", &["localhost:1"]),
        ] {
            assert_eq!(of(uri, hosts), Ok(()), "{uri} {hosts:?}");
        }
        for (uri, hosts) in [
            ("/", &["localhost", "localhost"][..]),
            ("/", &["localhost", OTHER]),
            ("http://evil.example/", &["localhost"]),
            ("http://localhost/", &[OTHER]),
        ] {
            assert_eq!(of(uri, hosts), Err(WrongHost::NotOne), "{uri} {hosts:?}");
        }
    }
}
