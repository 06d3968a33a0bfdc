//! Against pages of other sites that make a browser on this machine send requests here.
//!
//! Whoever reaches a loopback address may command the nodes, and a browser reaches it for any page
//! that it shows. What changes something is therefore refused when a browser says that another site
//! asks for it. Other programs do not send these headers.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// By which today's browsers say how the page and we are related.
const FETCH_SITE: &str = "sec-fetch-site";

/// Lets through what no other site asks for.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if reads || is_own(request.headers()) {
        return next.run(request).await;
    }
    let text = "a page of another site may not change anything here\n";
    log::warn!("{}: {}", request.uri().path(), text.trim_end());
    (StatusCode::FORBIDDEN, text).into_response()
}

fn is_own(headers: &HeaderMap) -> bool {
    let text = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default())
    };
    match (text(FETCH_SITE), text(header::ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text(header::HOST.as_str())
        }
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers.iter();
        let parsed = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        is_own(&parsed.collect())
    }

    #[test]
    fn programs_and_own_pages_are_let_through() {
        assert!(own(&[]));
        assert!(own(&[("host", "h:1")]));
        assert!(own(&[("host", "h:1"), ("origin", "http://h:1")]));
        // A proxy in front may have changed the host.
        assert!(own(&[
            ("host", "h:1"),
            ("origin", "https://public"),
            (FETCH_SITE, "same-origin")
        ]));
    }

    #[test]
    fn other_sites_are_not() {
        for headers in [
            &[("host", "h:1"), ("origin", "http://evil.example")][..],
            &[("host", "h:1"), ("origin", "http://h:2")],
            &[("host", "h:1"), ("origin", "null")],
            &[("origin", "http://h:1")],
            &[("host", "h:1"), (FETCH_SITE, "cross-site")],
            &[
                ("host", "h:1"),
                ("origin", "http://h:1"),
                (FETCH_SITE, "same-site"),
            ],
        ] {
            assert!(!own(headers), "{headers:?}");
        }
    }
}
