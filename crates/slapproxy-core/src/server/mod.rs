//! The life of the server: listening, serving, ending.

mod body;
mod connection;
mod descriptors;
mod linger;
mod listen;
mod pace;
mod signals;
pub(crate) mod tls;

pub use tls::TlsError;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use self::connection::Connections;
use self::listen::{Accepted, Listeners};
use self::signals::{Signals, Wish};
use crate::error::with_causes;
use crate::http::{Waiting, measured_app};
use crate::metrics::Metrics;
use crate::random::random;
use crate::settings::{ListenAddress, Settings};
use crate::shacache::{self, ShacacheError};
use crate::storage::{AnyStorage, OpenError, RebaseError};

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

/// Who is just leaving is waited for so long before somebody is asked to make room.
const SOON: Duration = Duration::from_millis(20);
/// How long one who makes room may take before another one is asked to.
const NO_SLOT: Duration = Duration::from_millis(200);

/// Opens the database and serves until SIGTERM or SIGINT; requests that have begun are finished.
/// SIGHUP has certificates read again. `ready` is told the addresses once all are listened on.
///
/// # Errors
/// The database or a certificate cannot be opened, or an address cannot be listened on.
pub fn serve(settings: Settings, ready: impl FnOnce(&[ListenAddress])) -> Result<(), ServeError> {
    descriptors::allow(settings.server.max_connections);
    let storage = AnyStorage::open(&settings.database, &settings.computer_id)?;
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
        let identity = storage.run_id().map_or_else(run_id, str::to_owned);
        let waiting = Arc::new(Waiting::new(&server));
        let app = measured_app(
            settings,
            storage,
            identity,
            metrics.clone(),
            waiting.clone(),
        );
        let connections = Connections::new(app, metrics, &server)?;
        let signals = Signals::new().map_err(ServeError::Run)?;
        let (listeners, bound) = bind(&server.listen).await?;
        // Only now is no other server at work in its directories.
        shacache.as_ref().map_or(Ok(()), shacache::prepare)?;
        ready(&bound);
        let serving = Serving {
            connections: Arc::new(connections),
            waiting,
            open: GracefulShutdown::new(),
            closing: JoinSet::new(),
        };
        serving
            .run(listeners, server.max_connections, signals)
            .await;
        Ok(())
    });
    runtime.shutdown_timeout(LAST_WRITES);
    served
}

/// Listens on all addresses, which are told as they were taken.
async fn bind(addresses: &[ListenAddress]) -> Result<(Listeners, Vec<ListenAddress>), ServeError> {
    let (mut listeners, mut bound) = (Listeners::default(), Vec::new());
    for address in addresses {
        let added = listeners.add(address).await;
        bound.push(added.map_err(|source| ServeError::Listen {
            address: address.clone(),
            source,
        })?);
    }
    Ok((listeners, bound))
}

/// The connections of a running server.
struct Serving {
    connections: Arc<Connections>,
    waiting: Arc<Waiting>,
    /// Those that know the certificates as they were read last.
    open: GracefulShutdown,
    /// Those of before, which end with the request that they are at.
    closing: JoinSet<()>,
}

impl Serving {
    /// Serves until the signal to end, and then waits for the connections that are in use. One that
    /// comes when all slots are taken is kept until there is one; those after it wait in the backlog
    /// of the socket.
    async fn run(mut self, mut listeners: Listeners, limit: usize, mut signals: Signals) {
        let slots = Arc::new(Semaphore::new(limit));
        let mut pending = None;
        loop {
            tokio::select! {
                accepted = next_connection(&mut listeners), if pending.is_none() => {
                    pending = Some(accepted);
                }
                slot = next_slot(&slots, &self.waiting), if pending.is_some() => {
                    if let Some(accepted) = pending.take() {
                        self.begin(accepted, slot);
                    }
                }
                wish = signals.next() => match wish {
                    Wish::Reload => self.reload(),
                    Wish::End => break,
                }
            }
        }
        log::info!("ending");
        drop((listeners, pending));
        self.waiting.end();
        let Self {
            open, mut closing, ..
        } = self;
        closing.spawn(open.shutdown());
        let ended = async { while closing.join_next().await.is_some() {} };
        if timeout(GRACE, ended).await.is_err() {
            log::warn!("connections are cut off: their requests did not end");
        }
    }

    fn begin(&self, accepted: Accepted, slot: OwnedSemaphorePermit) {
        let (connections, watcher) = (self.connections.clone(), self.open.watcher());
        tokio::spawn(async move {
            connections.serve(accepted, watcher).await;
            drop(slot);
        });
    }

    /// Reads the certificates again. Who is connected has shown one that was good before, and must
    /// show it anew.
    fn reload(&mut self) {
        match self.connections.reload() {
            Ok(false) => log::info!("there are no certificates to read again"),
            Ok(true) => {
                log::info!("the certificates were read again");
                let before = std::mem::take(&mut self.open);
                self.closing.spawn(before.shutdown());
                // With what they wait for, their connections would stay.
                self.waiting.release();
                while self.closing.try_join_next().is_some() {}
            }
            Err(error) => {
                let reason = with_causes(&error);
                log::error!("the certificates stay as they were read before: {reason}");
            }
        }
    }
}

async fn next_connection(listeners: &mut Listeners) -> Accepted {
    loop {
        match listeners.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                log::error!("cannot accept a connection: {error}");
                sleep(NO_DESCRIPTOR).await;
            }
        }
    }
}

/// A slot for a connection that is there. Where there is none, those make room who only wait for
/// changes, one after the other, unless somebody is just leaving.
async fn next_slot(slots: &Arc<Semaphore>, waiting: &Waiting) -> OwnedSemaphorePermit {
    let mut pause = SOON;
    loop {
        match timeout(pause, slots.clone().acquire_owned()).await {
            Ok(Ok(slot)) => return slot,
            // Nobody closes the semaphore.
            Ok(Err(_)) => return std::future::pending().await,
            Err(_) => waiting.release_one(),
        }
        pause = NO_SLOT;
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

/// By which a master recognises itself: 32 random letters.
pub(crate) fn run_id() -> String {
    let letter = |_| char::from(b'a' + u8::try_from(random() % 26).unwrap_or(0));
    (0..32).map(letter).collect()
}
