//! The life of the server: listening, serving, ending.

mod body;
mod connection;
mod descriptors;
mod linger;
mod listen;
mod tls;

pub use tls::TlsError;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use self::connection::Connections;
use self::listen::Listener;
use crate::http::measured_app;
use crate::metrics::Metrics;
use crate::settings::{ListenAddress, Settings};
use crate::shacache::{self, ShacacheError};
use crate::storage::{OpenError, RebaseError, SqliteStorage};

/// The server cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Local releases have moved, and the database cannot follow.
    #[error(transparent)]
    Rebase(#[from] RebaseError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The network cache cannot be served.
    #[error(transparent)]
    Shacache(#[from] ShacacheError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: ListenAddress,
        /// Why.
        source: io::Error,
    },
    /// The system does not let the server work.
    #[error("the server cannot run")]
    Run(#[source] io::Error),
}

/// How long requests that have begun may take after the signal to end; with what follows, the
/// server ends within five seconds.
const GRACE: Duration = Duration::from_secs(4);
/// How long the database may take to finish what it began.
const LAST_WRITES: Duration = Duration::from_millis(500);
/// Threads beyond one for each connection, for files that are being sent.
const SPARE_THREADS: usize = 64;
/// How long to wait when the system has no descriptor left for another connection.
const NO_DESCRIPTOR: Duration = Duration::from_millis(100);

/// Opens the database and serves until SIGTERM or SIGINT; requests that have begun are finished.
/// `ready` is told the addresses once all are listened on.
///
/// # Errors
/// The database or a certificate cannot be opened, or an address cannot be listened on.
pub fn serve(settings: Settings, ready: impl FnOnce(&[ListenAddress])) -> Result<(), ServeError> {
    descriptors::allow(settings.server.max_connections);
    let storage = SqliteStorage::open(&settings.database, &settings.computer_id)?;
    storage.rebase_local_releases(settings.local_software_release_root.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Every request may need one: an upload keeps it to its end.
        .max_blocking_threads(settings.server.max_connections + SPARE_THREADS)
        .build()
        .map_err(ServeError::Run)?;
    let served = runtime.block_on(async {
        let (server, shacache) = (settings.server.clone(), settings.shacache.clone());
        let metrics = Arc::<Metrics>::default();
        let app = measured_app(settings, storage, run_id(), metrics.clone());
        let connections = Connections::new(app, metrics, &server)?;
        let end = Signals::new().map_err(ServeError::Run)?;
        let (listeners, bound) = bind(&server.listen).await?;
        // Only now is no other server at work in its directories.
        shacache.as_ref().map_or(Ok(()), shacache::prepare)?;
        ready(&bound);
        run(listeners, connections, server.max_connections, end).await;
        Ok(())
    });
    runtime.shutdown_timeout(LAST_WRITES);
    served
}

/// Listens on all addresses, which are told as they were taken.
async fn bind(
    addresses: &[ListenAddress],
) -> Result<(Vec<Listener>, Vec<ListenAddress>), ServeError> {
    let (mut listeners, mut bound) = (Vec::new(), Vec::new());
    for address in addresses {
        let failed = |source| ServeError::Listen {
            address: address.clone(),
            source,
        };
        let listener = Listener::bind(address).await.map_err(failed)?;
        bound.push(listener.address().map_err(failed)?);
        listeners.push(listener);
    }
    Ok((listeners, bound))
}

/// Accepts connections until the signal, and then waits for those that are in use.
async fn run(listeners: Vec<Listener>, connections: Connections, limit: usize, end: Signals) {
    let connections = Arc::new(connections);
    let slots = Arc::new(Semaphore::new(limit));
    let open = Arc::new(GracefulShutdown::new());
    let mut loops = JoinSet::new();
    for listener in listeners {
        loops.spawn(accept(
            listener,
            connections.clone(),
            slots.clone(),
            open.clone(),
        ));
    }
    end.wait().await;
    log::info!("ending");
    loops.shutdown().await;
    let Some(open) = Arc::into_inner(open) else {
        return;
    };
    if timeout(GRACE, open.shutdown()).await.is_err() {
        log::warn!("connections are cut off: their requests did not end");
    }
}

async fn accept(
    listener: Listener,
    connections: Arc<Connections>,
    slots: Arc<Semaphore>,
    open: Arc<GracefulShutdown>,
) {
    // Whoever comes when all slots are taken waits in the backlog of the socket.
    while let Ok(slot) = slots.clone().acquire_owned().await {
        match listener.accept().await {
            Ok(accepted) => {
                let (connections, watcher) = (connections.clone(), open.watcher());
                tokio::spawn(async move {
                    connections.serve(accepted, watcher).await;
                    drop(slot);
                });
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                log::error!("cannot accept a connection: {error}");
                sleep(NO_DESCRIPTOR).await;
            }
        }
    }
}

/// Whether the client went away before its connection was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, NotConnected};
    let kinds = [
        ConnectionAborted,
        ConnectionRefused,
        ConnectionReset,
        NotConnected,
    ];
    kinds.contains(&error.kind())
}

/// The signals that end the server.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
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
