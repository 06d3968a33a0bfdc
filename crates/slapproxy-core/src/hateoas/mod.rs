//! As much of the hateoas API as the `service` and `computer` commands of clients need.
//!
//! A client reads the root document, which has two templates of URLs: one to search documents by a
//! query, and one to read a document by the path that the search found.

mod documents;
mod query;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};
use slap_proto::calls::{Call, GetHateoasUrl};

use self::documents::Key;
use crate::MasterError;
use crate::http::{ExternalUrl, Master, Shared, respond};
use crate::storage::Storage;

const PATH: &str = "/hateoas/";

/// What is asked for.
#[derive(Debug, Deserialize)]
struct Parameters {
    mode: Option<String>,
    query: Option<String>,
    relative_url: Option<String>,
}

/// The call that says where the documents are: for everyone, as each client makes it first.
pub(crate) fn url_route<S: Storage>() -> Router<Shared<S>> {
    let path = format!("/{}", GetHateoasUrl::ENDPOINT);
    Router::new().route(&path, get(async |external: ExternalUrl| url(&external)))
}

/// The documents.
pub(crate) fn routes<S: Storage>() -> Router<Shared<S>> {
    Router::new()
        .route(PATH, get(root_handler::<S>))
        .route(PATH.trim_end_matches('/'), get(root_handler::<S>))
        .route("/hateoas/{kind}/{*name}", get(document_handler::<S>))
}

/// URL of the root document.
pub(crate) fn url(external: &ExternalUrl) -> String {
    external.url(PATH)
}

async fn root_handler<S: Storage>(
    State(master): State<Shared<S>>,
    external: ExternalUrl,
    Query(parameters): Query<Parameters>,
) -> Response {
    answer(move || by_mode(&master, &external, &parameters)).await
}

async fn document_handler<S: Storage>(
    State(master): State<Shared<S>>,
    Path((kind, name)): Path<(String, String)>,
) -> Response {
    answer(move || {
        let key = Key::parse(&format!("{PATH}{kind}/{name}"))?;
        master
            .storage
            .read(|records| documents::read(records, &key))
    })
    .await
}

async fn answer(read: impl FnOnce() -> Result<Value, MasterError> + Send + 'static) -> Response {
    respond::on_blocking_thread(PATH, move || match read() {
        Ok(document) => json_response(&document),
        Err(error) => respond::failure(PATH, &error),
    })
    .await
}

fn json_response(document: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::OK, kind, document.to_string()).into_response()
}

fn by_mode<S: Storage>(
    master: &Master<S>,
    external: &ExternalUrl,
    parameters: &Parameters,
) -> Result<Value, MasterError> {
    let missing = |name: &str| MasterError::BadRequest(format!("{name} is missing"));
    match parameters.mode.as_deref() {
        None => Ok(root(&url(external))),
        Some("search") => {
            let query = parameters
                .query
                .as_deref()
                .ok_or_else(|| missing("query"))?;
            let query = query.parse()?;
            master
                .storage
                .read(|records| query::search(records, &query))
        }
        Some("traverse") => {
            let key = parameters.relative_url.as_deref();
            let key = Key::parse(key.ok_or_else(|| missing("relative_url"))?)?;
            master
                .storage
                .read(|records| documents::read(records, &key))
        }
        Some(mode) => Err(MasterError::BadRequest(format!("mode {mode} is unknown"))),
    }
}

/// The templates are those of RFC 6570, level 1.
fn root(url: &str) -> Value {
    let search = format!("{url}?mode=search&query={{query}}&select_list={{select_list}}");
    let traverse = format!("{url}?mode=traverse&relative_url={{relative_url}}&view={{view}}");
    json!({
        "_links": {
            "self": {"href": url},
            "raw_search": {"href": search},
            "traverse": {"href": traverse},
        }
    })
}
