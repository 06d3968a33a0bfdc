//! The HTTP side: requests to calls, answers to responses.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use slap_proto::authorization::PartitionIdentity;
use slap_proto::calls::{self, Call, Fields, Method};
use slap_proto::marshal::encode;
use tokio::net::TcpListener;

use crate::MasterError;
use crate::master::{Answer, Context, Serve, now};
use crate::settings::Settings;
use crate::storage::{OpenError, SqliteStorage, Storage};

/// Largest body of a request, in bytes.
const LARGEST_BODY: usize = 64 << 20;

/// The server cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The system does not let the server work.
    #[error("the server cannot run")]
    Run(#[source] io::Error),
}

/// What all requests share.
struct Master<S> {
    settings: Settings,
    storage: S,
    run_id: String,
}

type Shared<S> = Arc<Master<S>>;

/// The calls over a database, as an HTTP service. `run_id` is the random text by which masters
/// recognise themselves.
pub fn app<S: Storage>(settings: Settings, storage: S, run_id: String) -> Router {
    let router = Router::new();
    let router = route::<calls::GetFullComputerInformation, S>(router);
    let router = route::<calls::GetComputerInformation, S>(router);
    let router = route::<calls::RegisterComputerPartition, S>(router);
    let router = route::<calls::GetComputerPartitionCertificate, S>(router);
    let router = route::<calls::GetHostingSubscriptionIpList, S>(router);
    let router = route::<calls::GetComputerStatus, S>(router);
    let router = route::<calls::GetComputerPartitionStatus, S>(router);
    let router = route::<calls::GetRunId, S>(router);
    let router = route::<calls::GetSoftwareReleaseListFromSoftwareProduct, S>(router);
    let router = route::<calls::LoadComputerConfigurationFromXml, S>(router);
    let router = route::<calls::SupplySupply, S>(router);
    let router = route::<calls::RequestComputerPartition, S>(router);
    let router = route::<calls::BuildingSoftwareRelease, S>(router);
    let router = route::<calls::AvailableSoftwareRelease, S>(router);
    let router = route::<calls::DestroyedSoftwareRelease, S>(router);
    let router = route::<calls::SoftwareReleaseError, S>(router);
    let router = route::<calls::BuildingComputerPartition, S>(router);
    let router = route::<calls::AvailableComputerPartition, S>(router);
    let router = route::<calls::StartedComputerPartition, S>(router);
    let router = route::<calls::StoppedComputerPartition, S>(router);
    let router = route::<calls::DestroyedComputerPartition, S>(router);
    let router = route::<calls::SoftwareInstanceError, S>(router);
    let router = route::<calls::SoftwareInstanceBang, S>(router);
    let router = route::<calls::SoftwareInstanceRename, S>(router);
    let router = route::<calls::SetComputerPartitionConnectionXml, S>(router);
    let router = route::<calls::UpdateComputerPartitionRelatedInstanceList, S>(router);
    let router = route::<calls::ComputerBang, S>(router);
    let router = route::<calls::UseComputer, S>(router);
    router
        .fallback(|| async { (StatusCode::NOT_FOUND, "there is no such call\n") })
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(Arc::new(Master {
            settings,
            storage,
            run_id,
        }))
}

fn route<C: Serve, S: Storage>(router: Router<Shared<S>>) -> Router<Shared<S>> {
    let handler: MethodRouter<Shared<S>> = match C::METHOD {
        Method::Get => get(
            async |State(master): State<Shared<S>>,
                   RawQuery(query): RawQuery,
                   headers: HeaderMap| {
                answer::<C, S>(
                    master,
                    query.unwrap_or_default().into_bytes().into(),
                    headers,
                )
                .await
            },
        ),
        Method::Post => post(
            async |State(master): State<Shared<S>>, headers: HeaderMap, body: Bytes| {
                answer::<C, S>(master, body, headers).await
            },
        ),
    };
    router.route(&format!("/{}", C::ENDPOINT), handler)
}

/// One request, on a thread that may wait for the database.
async fn answer<C: Serve, S: Storage>(
    master: Shared<S>,
    form: Bytes,
    headers: HeaderMap,
) -> Response {
    let done = tokio::task::spawn_blocking(move || respond::<C, S>(&master, &form, &headers)).await;
    done.unwrap_or_else(|error| {
        log::error!("{}: {error}", C::ENDPOINT);
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            "the request could not be carried out\n",
        )
            .into_response()
    })
}

fn respond<C: Serve, S: Storage>(master: &Master<S>, form: &[u8], headers: &HeaderMap) -> Response {
    let response = serve_call::<C, S>(master, form, headers).and_then(to_response);
    let response = response.unwrap_or_else(|error| failure::<C>(&error));
    log::debug!("{} {}", C::ENDPOINT, response.status().as_u16());
    response
}

fn serve_call<C: Serve, S: Storage>(
    master: &Master<S>,
    form: &[u8],
    headers: &HeaderMap,
) -> Result<Answer, MasterError> {
    let header = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let identity = PartitionIdentity::parse(header.unwrap_or_default())?;
    let call = C::from_fields(&Fields::from_urlencoded(form)?)?;
    let context = Context {
        settings: &master.settings,
        run_id: &master.run_id,
        identity,
        now: now(),
    };
    if C::WRITES {
        master
            .storage
            .write(|records| call.serve(&context, records))
    } else {
        master.storage.read(|records| call.serve(&context, records))
    }
}

fn to_response(answer: Answer) -> Result<Response, MasterError> {
    let (kind, body) = match answer {
        Answer::Text(text) => ("text/plain; charset=utf-8", text),
        Answer::Document(value) => ("text/xml; charset=utf-8", encode(&value)?),
    };
    Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
}

fn failure<C: Call>(error: &MasterError) -> Response {
    let status = match error {
        MasterError::NotFound(_) => StatusCode::NOT_FOUND,
        MasterError::Form(_) | MasterError::Authorization(_) | MasterError::BadRequest(_) => {
            StatusCode::BAD_REQUEST
        }
        MasterError::Storage(_) | MasterError::Encode(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error).filter(|_| status.is_server_error());
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    if status.is_server_error() {
        log::error!("{}: {text}", C::ENDPOINT);
    } else {
        log::info!("{}: {} {text}", C::ENDPOINT, status.as_u16());
    }
    (status, text + "\n").into_response()
}

/// Opens the database and serves until SIGTERM or SIGINT; requests that have begun are finished.
/// `ready` is told the address once it is listened on.
///
/// # Errors
/// The database cannot be opened, or the address cannot be listened on.
pub fn serve(settings: Settings, ready: impl FnOnce(SocketAddr)) -> Result<(), ServeError> {
    let storage = SqliteStorage::open(&settings.database, &settings.computer_id)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.map_err(ServeError::Run)?.block_on(async {
        let address = settings.listen;
        let failed = |source| ServeError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        ready(listener.local_addr().map_err(failed)?);
        let app = app(settings, storage, run_id());
        axum::serve(listener, app)
            .with_graceful_shutdown(shutdown())
            .await
            .map_err(ServeError::Run)
    })
}

async fn shutdown() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            log::error!("SIGTERM cannot be handled: {error}");
            return;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    log::info!("ending");
}

/// 32 random letters. Each `RandomState` is seeded by the operating system.
fn run_id() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let letter = |_| {
        let number = RandomState::new().build_hasher().finish() % 26;
        char::from(b'a' + u8::try_from(number).unwrap_or(0))
    };
    (0..32).map(letter).collect()
}
