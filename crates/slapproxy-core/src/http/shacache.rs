//! The network cache: `/shacache/cache`, `/shacache/dir`, `/shacache/update`.

use std::io;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::TryStreamExt;
use slapos_fs::InvalidFileName;
use tokio::task::spawn_blocking;
use tokio_util::io::{StreamReader, SyncIoBridge};
use tower::ServiceExt;
use tower_http::services::ServeFile;

use super::condition::names;
use super::external::ExternalUrl;
use super::{Shared, respond};
use crate::caller::{NotAllowed, Speaker};
use crate::shacache::{
    Digest, EntriesError, Entry, InvalidEntry, Key, Shacache, Updated, UploadError, UpstreamError,
    parse_entry,
};
use crate::storage::Storage;

const CACHE: &str = "/shacache/cache";
/// Largest entry, in bytes.
const LARGEST_ENTRY: usize = 1 << 20;

pub(super) fn routes<S: Storage>() -> Router<Shared<S>> {
    let entries = get(entries::<S>)
        .put(add_entry::<S>)
        .layer(DefaultBodyLimit::max(LARGEST_ENTRY));
    Router::new()
        .route(CACHE, post(upload::<S>))
        .route("/shacache/cache/", post(upload::<S>))
        .route(
            "/shacache/cache/{digest}",
            get(download::<S>).put(upload_as::<S>),
        )
        .route("/shacache/dir/{key}", entries)
        .route("/shacache/update", post(update::<S>))
}

/// Why the cache does not do it.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the network cache is not configured")]
    NotConfigured,
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    #[error("the network cache has nothing of this name")]
    NotFound,
    #[error("the name of a file is its SHA-512 in lower-case hexadecimal")]
    InvalidDigest,
    #[error(transparent)]
    InvalidKey(#[from] InvalidFileName),
    #[error(transparent)]
    InvalidEntry(#[from] InvalidEntry),
    #[error(transparent)]
    Upload(#[from] UploadError),
    #[error(transparent)]
    Entries(#[from] EntriesError),
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    #[error("the request could not be carried out")]
    Panic(#[from] tokio::task::JoinError),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotConfigured => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotAllowed(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::InvalidDigest | Self::InvalidKey(_) | Self::InvalidEntry(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::Upload(UploadError::Receive(_) | UploadError::Mismatch { .. }) => {
                StatusCode::BAD_REQUEST
            }
            Self::Upload(UploadError::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Upload(UploadError::Write(_))
            | Self::Entries(_)
            | Self::Upstream(UpstreamError::Entries(_))
            | Self::Upstream(UpstreamError::Content {
                source: UploadError::Write(_),
                ..
            })
            | Self::Panic(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Upstream(_) => StatusCode::BAD_GATEWAY,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        respond::refusal("shacache", self.status(), &self)
    }
}

/// Does something with the cache, on a thread that may wait for the disk and for upstream.
async fn with_cache<S: Storage, T: Send + 'static>(
    master: Shared<S>,
    work: impl FnOnce(&Shacache) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    spawn_blocking(move || work(master.shacache.as_ref().ok_or(Refusal::NotConfigured)?)).await?
}

async fn upload<S: Storage>(
    State(master): State<Shared<S>>,
    speaker: Speaker,
    url: ExternalUrl,
    body: Body,
) -> Result<Response, Refusal> {
    receive(master, &speaker, &url, body, None).await
}

async fn upload_as<S: Storage>(
    State(master): State<Shared<S>>,
    speaker: Speaker,
    url: ExternalUrl,
    Path(digest): Path<String>,
    body: Body,
) -> Result<Response, Refusal> {
    let digest = Digest::parse(&digest).ok_or(Refusal::InvalidDigest)?;
    receive(master, &speaker, &url, body, Some(digest)).await
}

/// Keeps a file as it comes; the answer is its digest.
async fn receive<S: Storage>(
    master: Shared<S>,
    speaker: &Speaker,
    url: &ExternalUrl,
    body: Body,
    expected: Option<Digest>,
) -> Result<Response, Refusal> {
    speaker.check_upload()?;
    let stream = body.into_data_stream().map_err(io::Error::other);
    let source = SyncIoBridge::new(StreamReader::new(stream));
    let digest = with_cache(master, move |cache| {
        Ok(cache.contents.receive(source, expected.as_ref())?)
    });
    let digest = digest.await?.to_string();
    let location = url.url(&format!("{CACHE}/{digest}"));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], digest).into_response())
}

async fn download<S: Storage>(
    State(master): State<Shared<S>>,
    speaker: Speaker,
    Path(digest): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    speaker.check_known()?;
    let digest = Digest::parse(&digest).ok_or(Refusal::NotFound)?;
    let tag = HeaderValue::try_from(format!("\"{digest}\"")).map_err(|_| Refusal::NotFound)?;
    let path = with_cache(master, move |cache| {
        let provided = cache.provide_content(&digest)?;
        provided
            .then(|| cache.contents.path(&digest))
            .ok_or(Refusal::NotFound)
    });
    let path = path.await?;
    if names(request.headers(), &header::IF_NONE_MATCH, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let Ok(response) = ServeFile::new(path)
        .oneshot(by_tag_only(&request, &tag))
        .await;
    let mut response = response.map(Body::new);
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag);
    // Whoever uploaded it must not have a browser take it for a script of ours.
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    Ok(response)
}

/// A request for the same bytes, without conditions: a file of this name never changes, so that a
/// date says nothing which the tag does not.
fn by_tag_only(request: &Request, tag: &HeaderValue) -> Request {
    let mut plain = Request::default();
    *plain.method_mut() = request.method().clone();
    let headers = request.headers();
    let resumes = !headers.contains_key(header::IF_RANGE) || names(headers, &header::IF_RANGE, tag);
    if let Some(range) = headers.get(header::RANGE).filter(|_| resumes) {
        plain.headers_mut().insert(header::RANGE, range.clone());
    }
    plain
}

async fn entries<S: Storage>(
    State(master): State<Shared<S>>,
    speaker: Speaker,
    Path(key): Path<String>,
) -> Result<Json<Vec<Entry>>, Refusal> {
    speaker.check_known()?;
    let key = Key::parse(&key)?;
    let entries = with_cache(master, move |cache| Ok(cache.provide_entries(&key)?)).await?;
    entries.map(Json).ok_or(Refusal::NotFound)
}

async fn add_entry<S: Storage>(
    State(master): State<Shared<S>>,
    speaker: Speaker,
    Path(key): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    speaker.check_upload()?;
    let key = Key::parse(&key)?;
    with_cache(master, move |cache| {
        Ok(cache.entries.add(&key, parse_entry(&body)?)?)
    })
    .await?;
    Ok(StatusCode::CREATED)
}

async fn update<S: Storage>(
    State(master): State<Shared<S>>,
    speaker: Speaker,
) -> Result<Json<Updated>, Refusal> {
    speaker.check_user()?;
    Ok(Json(with_cache(master, |cache| Ok(cache.update()?)).await?))
}
