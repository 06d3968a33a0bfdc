//! One connection: TLS, who the client is, and its requests.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt;

use super::body::PacedBody;
use super::listen::Accepted;
use super::tls::{self, TlsError};
use crate::caller::{Caller, Speaker};
use crate::metrics::Metrics;
use crate::settings::ServerSettings;

/// Largest head of a request, in bytes: its fields may be in the URL.
const LARGEST_HEAD: usize = 64 << 10;

/// What all connections share.
pub(super) struct Connections {
    router: Router,
    metrics: Arc<Metrics>,
    http: http1::Builder,
    tls: Option<TlsAcceptor>,
    /// Names on the certificates of users, if clients have certificates.
    users: Option<Vec<String>>,
    patience: Duration,
}

impl Connections {
    pub(super) fn new(
        router: Router,
        metrics: Arc<Metrics>,
        settings: &ServerSettings,
    ) -> Result<Self, TlsError> {
        let tls = settings.tls.as_ref();
        let patience = settings.request_timeout;
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(patience)
            .max_buf_size(LARGEST_HEAD);
        Ok(Self {
            router,
            metrics,
            http,
            tls: tls.map(tls::acceptor).transpose()?,
            users: tls
                .filter(|tls| tls.client_ca.is_some())
                .map(|tls| tls.users.clone()),
            patience,
        })
    }

    /// Answers the requests of a connection until it ends.
    pub(super) async fn serve(&self, accepted: Accepted, watcher: Watcher) {
        let _open = self.metrics.connection();
        let plain = |address| Caller {
            address,
            is_tls: false,
            speaker: Speaker::User,
        };
        match (accepted, &self.tls) {
            (Accepted::Unix(stream), _) => {
                let stream = self.bounded(stream);
                self.answer(stream, plain(None), watcher).await;
            }
            (Accepted::Tcp(stream, address), None) => {
                let stream = self.bounded(stream);
                self.answer(stream, plain(Some(address)), watcher).await;
            }
            (Accepted::Tcp(stream, address), Some(tls)) => match self.encrypt(tls, stream).await {
                Ok(stream) => {
                    let caller = self.caller(address, &stream);
                    self.answer(stream, caller, watcher).await;
                }
                Err(error) => {
                    self.metrics.failed_handshake();
                    log::info!("{address}: no TLS connection: {error}");
                }
            },
        }
    }

    /// An answer that the client does not take is given up.
    fn bounded<S: AsyncRead + AsyncWrite>(&self, stream: S) -> Bounded<S> {
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.patience));
        Box::pin(stream)
    }

    async fn encrypt(
        &self,
        tls: &TlsAcceptor,
        stream: TcpStream,
    ) -> io::Result<TlsStream<Bounded<TcpStream>>> {
        let handshake = tls.accept(self.bounded(stream));
        timeout(self.patience, handshake)
            .await
            .map_err(|_| io::ErrorKind::TimedOut)?
    }

    fn caller<S>(&self, address: IpAddr, stream: &TlsStream<S>) -> Caller {
        let speaker = match &self.users {
            None => Speaker::User,
            Some(users) => {
                let chain = stream.get_ref().1.peer_certificates();
                let name = chain.and_then(|chain| tls::common_name(chain.first()?));
                name.map_or(Speaker::Nobody, |name| Speaker::named(&name, users))
            }
        };
        Caller {
            address: Some(address),
            is_tls: true,
            speaker,
        }
    }

    async fn answer<S>(&self, stream: S, caller: Caller, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let address = caller.address;
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(|body| Body::new(PacedBody::new(body, self.patience)));
            request.extensions_mut().insert(caller.clone());
            self.router.clone().oneshot(request)
        });
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection).await {
            log::debug!(
                "{}: {error}",
                address.map_or("unix".to_owned(), |address| address.to_string())
            );
        }
    }
}

type Bounded<S> = std::pin::Pin<Box<TimeoutStream<S>>>;
