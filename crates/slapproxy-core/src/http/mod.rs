//! The HTTP side: what is served where.
//!
//! To serve something more, write a module with a function `routes` that returns a [`Router`] over
//! [`Shared`], and merge it in [`routes`], the one list of all that is mounted.

mod authority;
mod calls;
mod coding;
pub(crate) mod condition;
mod cross_site;
mod external;
mod host;
mod prefer;
mod rate;
mod refusals;
pub(crate) mod respond;
mod shacache;
#[cfg(test)]
mod speakers;
mod status;
mod turns;
mod versioned;
mod waiting;

pub(crate) use external::ExternalUrl;
pub(crate) use respond::{origin_unreachable, refusal};
pub(crate) use waiting::Waiting;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use slap_proto::authorization::PartitionIdentity;

use self::rate::Rates;
use self::refusals::Refusals;
use crate::master::{Context, now};
use crate::metrics::{Measured, Metrics};
use crate::multimaster::Remotes;
use crate::settings::Settings;
use crate::shacache::Shacache;
use crate::storage::{Bounded, Storage};
use crate::{MasterError, hateoas, http_proxy, jsonrpc, panel};

/// Largest body of a request that is read into memory, in bytes.
const LARGEST_BODY: usize = 32 << 20;

/// What all requests share.
pub(crate) struct Master<S> {
    pub(crate) settings: Settings,
    pub(crate) storage: S,
    /// By which masters recognise themselves.
    pub(crate) run_id: String,
    pub(crate) metrics: Arc<Metrics>,
    /// The network cache, if it is served.
    pub(crate) shacache: Option<Shacache>,
    /// The masters that requests may be forwarded to.
    pub(crate) remotes: Remotes,
    /// Requests that wait for changes.
    pub(crate) waiting: Arc<Waiting>,
}

impl<S> Master<S> {
    /// What a call needs to know of a request.
    pub(crate) fn context<'a>(
        &'a self,
        headers: &'a HeaderMap,
    ) -> Result<Context<'a>, MasterError> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let authorization = text(header::AUTHORIZATION).unwrap_or_default();
        Ok(Context {
            settings: &self.settings,
            run_id: &self.run_id,
            remotes: &self.remotes,
            host: text(header::HOST),
            identity: PartitionIdentity::parse(authorization)?,
            now: now(),
        })
    }
}

/// [`Master`], as handlers get it.
pub(crate) type Shared<S> = Arc<Master<S>>;

/// All that is served over a database, as an HTTP service. `run_id` is the random text by which
/// masters recognise themselves.
pub fn app<S: Storage>(settings: Settings, storage: S, run_id: String) -> Router {
    let waiting = Arc::new(Waiting::new(&settings.server));
    measured_app(settings, storage, run_id, Arc::default(), waiting)
}

/// As [`app`], with figures that others add to, and those who wait, whom others may release.
pub(crate) fn measured_app<S: Storage>(
    settings: Settings,
    storage: S,
    run_id: String,
    metrics: Arc<Metrics>,
    waiting: Arc<Waiting>,
) -> Router {
    let told = waiting.clone();
    storage.tell_changes(Box::new(move |changed| told.tell(changed)));
    let rates = Rates::new(&settings.server);
    let storage = Measured::new(storage, metrics.clone());
    let master = Arc::new(Master {
        shacache: settings.shacache.as_ref().map(Shacache::new),
        remotes: Remotes::new(&settings.multimaster),
        storage: Bounded::new(storage, settings.server.max_queue),
        settings,
        run_id,
        metrics: metrics.clone(),
        waiting,
    });
    routes(&master)
        .fallback(|| async { (StatusCode::NOT_FOUND, "there is no such call\n") })
        .method_not_allowed_fallback(|| async {
            let text = "the call is made by another method of HTTP\n";
            (StatusCode::METHOD_NOT_ALLOWED, text)
        })
        .layer(from_fn(cross_site::guard))
        .layer(from_fn_with_state(master.clone(), host::guard))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(from_fn_with_state(rates, rate::limit))
        .layer(from_fn_with_state(
            Arc::<Refusals>::default(),
            refusals::tell,
        ))
        .layer(from_fn_with_state(metrics, status::measure))
        .with_state(master)
}

/// The mounting point: each module's routes, a line each.
fn routes<S: Storage>(master: &Shared<S>) -> Router<Shared<S>> {
    let of_users = Router::new()
        .merge(status::metrics())
        .merge(panel::routes())
        .merge(hateoas::routes())
        .merge(http_proxy::routes(&master.settings.http_proxy_allow));
    // All that read their bodies into memory.
    let with_bodies = Router::new()
        .merge(calls::routes())
        .merge(jsonrpc::routes())
        .layer(from_fn_with_state(turns::turns(), turns::take))
        .layer(coding::compress())
        .layer(from_fn(coding::tag));
    of_users
        .route_layer(from_fn_with_state(master.clone(), authority::users_only))
        // These are for nodes, too, and check themselves whom the sender may speak for.
        .merge(with_bodies)
        .merge(shacache::routes())
        .merge(hateoas::url_route())
        .merge(status::health())
}
