//! The life of the server: listening, serving, ending.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::http::app;
use crate::settings::Settings;
use crate::storage::{OpenError, SqliteStorage};

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
