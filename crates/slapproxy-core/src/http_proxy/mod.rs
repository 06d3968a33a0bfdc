//! `/http_proxy/SCHEME/HOST/PATH`: pages of the hosts that `http_proxy_allow` lists, for those who
//! reach this server and not them.
//!
//! What it hands on of a request and of an answer are lists of names; anything else stays. Pages
//! of others have our origin here, so that browsers are told to save them, not to show them.

mod error;
mod fetch;
mod target;

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header, request, response,
};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use futures_util::stream::unfold;
use slap_proto::authorization::PartitionIdentity;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::http::{ExternalUrl, Shared};
use crate::settings::AllowedHost;
use crate::storage::Storage;
use error::ProxyError;
use fetch::Fetcher;
use target::Target;

/// Requests that are served at the same time.
const MOST_AT_ONCE: usize = 16;
/// Headers of a request that are handed on.
const REQUEST_HEADERS: [HeaderName; 9] = [
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::ORIGIN,
    header::RANGE,
    header::USER_AGENT,
];
/// Headers of an answer that are handed on, beside its length and where it leads.
const RESPONSE_HEADERS: [HeaderName; 13] = [
    header::ACCEPT_RANGES,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::CACHE_CONTROL,
    header::CONTENT_ENCODING,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LAST_MODIFIED,
    header::VARY,
    header::WWW_AUTHENTICATE,
];
/// What keeps a browser from taking a page of another host for one of ours.
const HARMLESS: [(HeaderName, HeaderValue); 3] = [
    (
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment"),
    ),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("sandbox"),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
];

/// Serves what these hosts do; nothing if there are none.
pub(crate) fn routes<S: Storage>(allowed: &[AllowedHost]) -> Router<Shared<S>> {
    if allowed.is_empty() {
        return Router::new();
    }
    let proxy = Arc::new(Proxy {
        allowed: allowed.to_vec(),
        fetcher: Fetcher::new(),
        slots: Arc::new(Semaphore::new(MOST_AT_ONCE)),
    });
    // Their requests have no body that would have to be handed on.
    let methods = MethodFilter::GET
        .or(MethodFilter::HEAD)
        .or(MethodFilter::OPTIONS);
    let handler = on(
        methods,
        async move |us: ExternalUrl, request: request::Parts| {
            let answer = proxy.serve(&request, &us).await;
            answer.unwrap_or_else(IntoResponse::into_response)
        },
    );
    Router::new().route(&format!("{}{{*target}}", target::MOUNT), handler)
}

struct Proxy {
    allowed: Vec<AllowedHost>,
    fetcher: Fetcher,
    slots: Arc<Semaphore>,
}

impl Proxy {
    async fn serve(
        &self,
        request: &request::Parts,
        us: &ExternalUrl,
    ) -> Result<Response, ProxyError> {
        let target = Target::parse(&request.uri)?;
        if !target.is_one_of(&self.allowed) {
            return Err(ProxyError::Forbidden(target.shown().to_owned()));
        }
        let slot = self.slots.clone().try_acquire_owned();
        let slot = slot.map_err(|_| ProxyError::Busy)?;
        let outgoing = outgoing(request, &target)?;
        let fetcher = self.fetcher.clone();
        let (head_sender, head) = oneshot::channel();
        let (sender, body) = mpsc::channel(fetch::CHUNKS_AHEAD);
        tokio::task::spawn_blocking(move || {
            let _slot = slot;
            fetcher.fetch(outgoing, head_sender, &sender);
        });
        // The thread ends without an answer only where it panics.
        let head = head.await.unwrap_or(Err(ProxyError::Broken))?;
        log::debug!("{} {}", target.url(), head.status.as_u16());
        let mut answer = answer(&head, &request.method, body);
        let location = head.headers.get(header::LOCATION);
        let location = location.and_then(|there| target.through_us(there, |path| us.url(path)));
        let headers = answer.headers_mut();
        headers.extend(location.map(|here| (header::LOCATION, here)));
        Ok(answer)
    }
}

/// The request for the target: the same method, and of the headers those that are handed on.
fn outgoing(request: &request::Parts, target: &Target) -> Result<Request<()>, ProxyError> {
    let mut outgoing = Request::new(());
    *outgoing.method_mut() = request.method.clone();
    *outgoing.uri_mut() = target
        .url()
        .parse()
        .map_err(|_| ProxyError::Target("no URL"))?;
    let headers = outgoing.headers_mut();
    copy_headers(&request.headers, &REQUEST_HEADERS, headers);
    // What tells masters who someone is, is no business of others.
    let value = headers.get(header::AUTHORIZATION);
    let value = value.and_then(|value| value.to_str().ok());
    if PartitionIdentity::parse(value.unwrap_or_default()) != Ok(None) {
        headers.remove(header::AUTHORIZATION);
    }
    Ok(outgoing)
}

fn answer(
    head: &response::Parts,
    method: &Method,
    body: mpsc::Receiver<io::Result<Bytes>>,
) -> Response {
    use StatusCode as Status;
    let is_head = *method == Method::HEAD;
    let is_bare = matches!(head.status, Status::NO_CONTENT | Status::NOT_MODIFIED);
    let body = match is_head || is_bare {
        true => Body::empty(),
        false => Body::from_stream(unfold(body, async |mut body| {
            let chunk = body.recv().await?;
            Some((chunk, body))
        })),
    };
    let mut answer = Response::new(body);
    *answer.status_mut() = head.status;
    let headers = answer.headers_mut();
    copy_headers(&head.headers, &RESPONSE_HEADERS, headers);
    if let Some(length) = length(&head.headers).filter(|_| !is_bare) {
        headers.insert(header::CONTENT_LENGTH, length.clone());
    }
    headers.extend(HARMLESS);
    answer
}

/// The length of the body, if the target has told one and nothing else.
fn length(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    match (lengths.next(), lengths.next()) {
        (length, None) if !headers.contains_key(header::TRANSFER_ENCODING) => length,
        _ => None,
    }
}

fn copy_headers(from: &HeaderMap, names: &[HeaderName], to: &mut HeaderMap) {
    for name in names {
        for value in from.get_all(name) {
            to.append(name, value.clone());
        }
    }
}
