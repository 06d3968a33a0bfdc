//! `/healthz` and `/metrics`: how the server is, for programs that watch it.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::prefer::PREFERENCE_APPLIED;
use super::{Shared, respond};
use crate::MasterError;
use crate::metrics::Metrics;
use crate::storage::Storage;

/// The call of requests that no route is for.
const OTHER: &str = "other";

/// Whether the server can do its work: for everyone who may connect.
pub(super) fn health<S: Storage>() -> Router<Shared<S>> {
    Router::new().route("/healthz", get(healthz::<S>))
}

/// The figures.
pub(super) fn metrics<S: Storage>() -> Router<Shared<S>> {
    Router::new().route("/metrics", get(figures::<S>))
}

async fn healthz<S: Storage>(State(master): State<Shared<S>>) -> Response {
    respond::on_blocking_thread("healthz", move || {
        let computer = &master.settings.computer_id;
        let storage = &master.storage;
        health_by(storage.read(|records| Ok(records.has_computer(computer)?)))
    })
    .await
}

/// How the server is, by what came of a look at the database.
fn health_by(looked: Result<bool, MasterError>) -> Response {
    match looked {
        // Whoever has too much to do is alive: without it, others would have even more.
        Ok(_) | Err(MasterError::Overloaded) => "ok\n".into_response(),
        Err(error) => respond::failure("healthz", &error),
    }
}

async fn figures<S: Storage>(State(master): State<Shared<S>>) -> Response {
    respond::on_blocking_thread("metrics", move || {
        match master.storage.read(|records| Ok(records.state_counts()?)) {
            Ok(states) => {
                let kind = "text/plain; version=0.0.4; charset=utf-8";
                let page = master.metrics.page(&states);
                ([(header::CONTENT_TYPE, kind)], page).into_response()
            }
            Err(error) => respond::failure("metrics", &error),
        }
    })
    .await
}

/// Notes every request under its route.
pub(super) async fn measure(
    State(metrics): State<Arc<Metrics>>,
    request: Request,
    next: Next,
) -> Response {
    let start = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let call = route.as_ref().map_or(OTHER, |route| {
        let path = route.as_str();
        // Two slashes are those of old clients.
        let name = path.trim_start_matches('/');
        if name.is_empty() { path } else { name }
    });
    let status = response.status().as_u16();
    if response.headers().contains_key(PREFERENCE_APPLIED) {
        // How long that took was the client's wish.
        metrics.request(&format!("{call}, waiting"), status, start.elapsed());
    } else {
        metrics.request(call, status, start.elapsed());
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;
    use crate::storage::{EngineError, StorageError};

    #[test]
    fn who_has_too_much_to_do_is_alive() {
        let status = |looked| health_by(looked).status();
        assert_eq!(status(Ok(false)), StatusCode::OK);
        assert_eq!(status(Err(MasterError::Overloaded)), StatusCode::OK);
        let failed = StorageError {
            action: "cannot look",
            source: EngineError::Null(0),
        };
        let failed = status(Err(failed.into()));
        assert_eq!(failed, StatusCode::INTERNAL_SERVER_ERROR);
    }
}
