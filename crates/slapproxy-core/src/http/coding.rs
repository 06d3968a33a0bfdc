//! Answers in shorter codings, for clients that ask for them.
//!
//! A strong tag names the bytes of an answer, and each coding has its own (RFC 9110, 8.8.3.3): that
//! of an answer in gzip is the tag of the answer itself with `-gzip` at its end. What makes answers
//! knows their own tags only.

use axum::extract::Request;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

/// Smallest answer that is compressed, in bytes: a smaller one fits a packet as it is.
const SMALLEST: u64 = 1024;
/// The codings that are known.
const CODINGS: [&str; 2] = ["zstd", "gzip"];

/// Compresses answers, quickly: documents shrink to a tenth even so.
pub(super) fn compress() -> CompressionLayer<SizeAbove> {
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(SMALLEST))
}

/// Gives answers the tags of their codings, and takes these in conditions.
pub(super) async fn tag(mut request: Request, next: Next) -> Response {
    let named = named_tags(request.headers());
    let own = named.iter().map(|named| named.own.as_str());
    let list = own.collect::<Vec<_>>().join(", ");
    if let Ok(list) = HeaderValue::try_from(list)
        && !named.is_empty()
    {
        request.headers_mut().insert(IF_NONE_MATCH, list);
    }
    let mut response = next.run(request).await;
    if let Some(tag) = tag_of(&response, &named) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// A tag of a condition.
struct Named {
    /// As the client names it.
    text: String,
    /// That of the answer itself.
    own: String,
}

/// The tags of the condition. Those of codings that the client does not take any more stay as they
/// are, and no answer has them.
fn named_tags(headers: &HeaderMap) -> Vec<Named> {
    let text = |name| {
        let values = headers.get_all(name).iter();
        let texts = values.filter_map(|value| value.to_str().ok());
        texts.collect::<Vec<_>>().join(",")
    };
    let accepted = text(ACCEPT_ENCODING);
    let conditions = text(IF_NONE_MATCH);
    let tags = conditions.split(',').map(str::trim);
    let named = |tag: &str| {
        let codings = CODINGS.iter().filter(|coding| accepted.contains(**coding));
        let mut own = codings.filter_map(|coding| tag.strip_suffix(&ending(coding)));
        Named {
            text: tag.to_owned(),
            own: own
                .next()
                .map_or_else(|| tag.to_owned(), |own| format!("{own}\"")),
        }
    };
    tags.filter(|tag| !tag.is_empty()).map(named).collect()
}

/// The tag of an answer in its coding; of one that the client has, in the coding that it has.
fn tag_of(response: &Response, named: &[Named]) -> Option<HeaderValue> {
    let headers = response.headers();
    let own = headers.get(ETAG)?.to_str().ok()?;
    if response.status() == StatusCode::NOT_MODIFIED {
        let has = |named: &&Named| named.own.trim_start_matches("W/") == own;
        let known = named.iter().find(has)?;
        return HeaderValue::try_from(known.text.trim_start_matches("W/")).ok();
    }
    let coding = headers.get(CONTENT_ENCODING)?.to_str().ok()?;
    let stem = own.strip_suffix('"')?;
    HeaderValue::try_from(format!("{stem}{}", ending(coding))).ok()
}

/// The end of the tags of a coding.
fn ending(coding: &str) -> String {
    format!("-{coding}\"")
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn;
    use axum::response::IntoResponse;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::super::condition;
    use super::*;

    const TAG: &str = "\"1-a\"";

    async fn document(headers: HeaderMap) -> Response {
        let status = match condition::names(&headers, &IF_NONE_MATCH, TAG) {
            true => return (StatusCode::NOT_MODIFIED, [(ETAG, TAG)]).into_response(),
            false => StatusCode::OK,
        };
        (status, [(ETAG, TAG)], "word ".repeat(1000)).into_response()
    }

    /// Status, coding, tag and length of an answer.
    async fn ask(accepted: &str, known: &str) -> (u16, String, String, usize) {
        let app = Router::new()
            .route("/", get(document))
            .layer(compress())
            .layer(from_fn(tag));
        let mut request = Request::get("/").body(Body::empty()).unwrap();
        for (name, value) in [(ACCEPT_ENCODING, accepted), (IF_NONE_MATCH, known)] {
            if !value.is_empty() {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
        }
        let response = app.oneshot(request).await.unwrap();
        let header = |name| {
            let value = response.headers().get(name);
            value.map_or(String::new(), |value| value.to_str().unwrap().to_owned())
        };
        let (status, coding, tag) = (
            response.status().as_u16(),
            header(CONTENT_ENCODING),
            header(ETAG),
        );
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, coding, tag, body.len())
    }

    #[tokio::test]
    async fn each_coding_has_its_tag() {
        for (accepted, coding, expected) in [
            ("", "", "\"1-a\""),
            ("br", "", "\"1-a\""),
            ("gzip", "gzip", "\"1-a-gzip\""),
            ("gzip, zstd", "zstd", "\"1-a-zstd\""),
            ("zstd;q=0.5, gzip", "gzip", "\"1-a-gzip\""),
        ] {
            let (status, found, tag, length) = ask(accepted, "").await;
            assert_eq!(
                (status, &*found, &*tag),
                (200, coding, expected),
                "{accepted}"
            );
            assert_eq!(length < 500, !coding.is_empty(), "{accepted}: {length}");
        }
    }

    #[tokio::test]
    async fn who_has_an_answer_in_a_coding_that_it_takes_is_told_so() {
        for (accepted, known, status, tag) in [
            ("", "\"1-a\"", 304, "\"1-a\""),
            ("gzip", "\"1-a-gzip\"", 304, "\"1-a-gzip\""),
            ("gzip", "\"0-x\", W/\"1-a-gzip\"", 304, "\"1-a-gzip\""),
            // It may be answered without a coding, too.
            ("gzip", "\"1-a\"", 304, "\"1-a\""),
            ("zstd", "\"1-a-gzip\"", 200, "\"1-a-zstd\""),
            ("", "\"1-a-gzip\"", 200, "\"1-a\""),
            ("gzip", "\"2-b-gzip\"", 200, "\"1-a-gzip\""),
        ] {
            let answer = ask(accepted, known).await;
            assert_eq!((answer.0, &*answer.2), (status, tag), "{accepted} {known}");
        }
    }
}
