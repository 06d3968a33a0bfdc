//! Turns for large requests: each takes several times its size in memory until it is answered, and
//! there may be as many at once as there are connections.

use std::sync::Arc;
use std::time::Duration;

use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::refusals::Refused;

/// Largest body that needs no turn, in bytes: what a node of some hundred partitions sends.
const SMALL: u64 = 512 << 10;
/// Large requests that are served at the same time.
const AT_ONCE: usize = 8;
/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(30);

/// The turns of a server.
pub(super) fn turns() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(AT_ONCE))
}

/// Has large requests wait for their turn. Their bodies are not read before.
pub(super) async fn take(
    State(turns): State<Arc<Semaphore>>,
    request: Request,
    next: Next,
) -> Response {
    let is_small = request
        .body()
        .size_hint()
        .upper()
        .is_some_and(|it| it <= SMALL);
    if is_small {
        return next.run(request).await;
    }
    match timeout(PATIENCE, turns.acquire()).await {
        Ok(Ok(_turn)) => next.run(request).await,
        _ => {
            let text = "too many large requests are under way; try again later\n";
            let again = [(header::RETRY_AFTER, "30")];
            let refusal = (StatusCode::SERVICE_UNAVAILABLE, again, text).into_response();
            Refused::mark(refusal, request.uri().path(), text)
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, Bytes};
    use axum::middleware::from_fn_with_state;
    use axum::routing::post;
    use tower::ServiceExt;

    use super::*;

    fn app() -> Router {
        Router::new()
            .route("/", post(async |body: Bytes| body.len().to_string()))
            .layer(from_fn_with_state(turns(), take))
    }

    fn request(body: Body) -> Request {
        Request::post("/").body(body).unwrap()
    }

    /// A body of unknown length that never ends.
    fn endless() -> Body {
        Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>())
    }

    #[tokio::test(start_paused = true)]
    async fn large_requests_wait_and_small_ones_do_not() {
        let app = app();
        for _ in 0..AT_ONCE {
            tokio::spawn(app.clone().oneshot(request(endless())));
        }
        tokio::task::yield_now().await;
        let small = app.clone().oneshot(request("small".into())).await.unwrap();
        assert_eq!(small.status(), StatusCode::OK);
        let large = app.oneshot(request(vec![0; 1 << 20].into()));
        let large = large.await.unwrap();
        assert_eq!(large.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(large.headers()[header::RETRY_AFTER], "30");
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_ends_with_its_request() {
        let app = app();
        let waiting: Vec<_> = (0..AT_ONCE)
            .map(|_| tokio::spawn(app.clone().oneshot(request(endless()))))
            .collect();
        tokio::task::yield_now().await;
        let large = tokio::spawn(app.oneshot(request(vec![0; 1 << 20].into())));
        tokio::task::yield_now().await;
        waiting[0].abort();
        let large = large.await.unwrap().unwrap();
        assert_eq!(large.status(), StatusCode::OK);
    }
}
