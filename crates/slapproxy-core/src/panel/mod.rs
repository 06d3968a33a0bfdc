//! The web panel: what the master knows, as pages to read. Nothing is changed from here.
//!
//! Pages are whole without script; the script asks for the same page again every few seconds and
//! puts in what differs. Every link is relative, so that a prefix that a frontend adds does no harm.

mod assets;
mod computers;
mod instance;
mod instances;
mod listing;
mod moment;
mod overview;
mod page;
mod parts;
mod public;
mod slaves;
mod software;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};

use self::listing::PageQuery;
use self::page::Page;
use crate::http::{Master, Shared, respond};
use crate::master::now;
use crate::storage::Storage;
use crate::survey::Survey;

/// The end of a report's message that is shown, in characters.
const LONGEST_MESSAGE: u32 = 16 * 1024;

/// What every answer of the panel tells browsers: nothing but our own files is loaded or framed,
/// and what may hold passwords of instances is not kept.
const HEADERS: [(HeaderName, HeaderValue); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
             img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// What a page is made from.
struct View {
    survey: Survey,
    query: PageQuery,
    /// Seconds since 1970.
    now: f64,
}

/// The panel below `/panel/`, and what leads there.
pub(crate) fn routes<S: Storage>() -> Router<Shared<S>> {
    Router::new()
        .route("/", redirect(StatusCode::FOUND))
        .route("/panel", redirect(StatusCode::PERMANENT_REDIRECT))
        .route("/panel/", page(overview::page))
        .route("/panel/instances", page(instances::page))
        .route("/panel/instance", page(instance::page))
        .route("/panel/software", page(software::page))
        .route("/panel/computers", page(computers::page))
        .route("/panel/computer", page(computers::one))
        .route("/panel/slaves", page(slaves::page))
        .route("/panel/assets/{name}", get(assets::serve))
        .route("/panel/public/{*path}", get(public::serve::<S>))
        .layer(map_response(secure))
}

/// Leads to the panel; both paths that do so lie beside it.
fn redirect<S: Storage>(status: StatusCode) -> MethodRouter<Shared<S>> {
    get(move || async move { (status, [(header::LOCATION, "panel/")]) })
}

fn page<S: Storage>(render: fn(&View) -> Page) -> MethodRouter<Shared<S>> {
    get(
        move |State(master): State<Shared<S>>, RawQuery(query): RawQuery| {
            let query = PageQuery::parse(&query.unwrap_or_default());
            respond::on_blocking_thread("panel", move || answer(&master, query, render))
        },
    )
}

fn answer<S: Storage>(master: &Master<S>, query: PageQuery, render: fn(&View) -> Page) -> Response {
    let survey = master
        .storage
        .read(|records| Survey::read(records, LONGEST_MESSAGE));
    match survey {
        Ok(survey) => {
            let now = now();
            render(&View { survey, query, now }).into_response()
        }
        Err(error) => {
            let status = respond::status(&error);
            let text = respond::text(&error, status);
            let page = respond::or_later(Page::failure(status, &text).into_response());
            respond::logged("panel", &text, page)
        }
    }
}

/// Adds [`HEADERS`] where a handler has not said otherwise.
async fn secure(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}
