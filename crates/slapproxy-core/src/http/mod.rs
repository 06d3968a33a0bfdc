//! The HTTP side: what is served where.
//!
//! To serve something more, write a module with a function `routes` that returns a [`Router`] over
//! [`Shared`], and merge it in [`routes`], the one list of all that is mounted.

mod calls;
mod respond;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;

use crate::settings::Settings;
use crate::storage::Storage;

/// Largest body of a request that is read into memory, in bytes.
const LARGEST_BODY: usize = 64 << 20;

/// What all requests share.
pub(crate) struct Master<S> {
    pub(crate) settings: Settings,
    pub(crate) storage: S,
    /// By which masters recognise themselves.
    pub(crate) run_id: String,
}

/// [`Master`], as handlers get it.
pub(crate) type Shared<S> = Arc<Master<S>>;

/// All that is served over a database, as an HTTP service. `run_id` is the random text by which
/// masters recognise themselves.
pub fn app<S: Storage>(settings: Settings, storage: S, run_id: String) -> Router {
    routes()
        .fallback(|| async { (StatusCode::NOT_FOUND, "there is no such call\n") })
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(Arc::new(Master {
            settings,
            storage,
            run_id,
        }))
}

/// The mounting point: each module's routes, a line each.
fn routes<S: Storage>() -> Router<Shared<S>> {
    Router::new().merge(calls::routes())
}
