//! One connection: TLS, who the client is, and its requests.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt;

use super::body::PacedBody;
use super::linger::Lingering;
use super::listen::Accepted;
use super::pace::PacedWrites;
use super::tls::{self, Certificates, TlsError};
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
    certificates: Option<Certificates>,
    /// Names on the certificates of users, if clients have certificates.
    users: Option<Vec<String>>,
    patience: Duration,
    most: usize,
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
            certificates: tls.map(Certificates::read).transpose()?,
            users: tls
                .filter(|tls| tls.client_ca.is_some())
                .map(|tls| tls.users.clone()),
            patience,
            most: settings.max_connections,
        })
    }

    /// Reads the certificates again, for connections to come; says whether there are any. If one
    /// cannot be used, all stay as they are.
    pub(super) fn reload(&self) -> Result<bool, TlsError> {
        let Some(certificates) = &self.certificates else {
            return Ok(false);
        };
        certificates.reload().map(|()| true)
    }

    /// Answers the requests of a connection until it ends.
    pub(super) async fn serve(&self, accepted: Accepted, watcher: Watcher) {
        let _open = self.metrics.connection();
        let unread = Arc::default();
        let plain = |address| Caller {
            address,
            is_tls: false,
            speaker: Speaker::User,
            name: None,
        };
        match (accepted, &self.certificates) {
            (Accepted::Unix(stream), _) => {
                let stream = self.bounded(stream, &unread);
                self.answer(stream, plain(None), &unread, watcher).await;
            }
            (Accepted::Tcp(stream, address), None) => {
                let stream = self.bounded(stream, &unread);
                let caller = plain(Some(address));
                self.answer(stream, caller, &unread, watcher).await;
            }
            (Accepted::Tcp(stream, address), Some(certificates)) => {
                let stream = self.bounded(stream, &unread);
                match self.encrypt(certificates.acceptor(), stream).await {
                    Ok(stream) => {
                        let caller = self.caller(address, &stream);
                        self.answer(stream, caller, &unread, watcher).await;
                    }
                    Err(error) => {
                        self.metrics.failed_handshake();
                        log::info!("{address}: no TLS connection: {error}");
                    }
                }
            }
        }
    }

    /// An answer that the client does not take, or too slowly, is given up.
    fn bounded<S>(&self, stream: S, unread: &Arc<AtomicBool>) -> Bounded<S> {
        Lingering::new(PacedWrites::new(stream, self.patience), unread.clone())
    }

    async fn encrypt(
        &self,
        tls: TlsAcceptor,
        stream: Bounded<TcpStream>,
    ) -> io::Result<TlsStream<Bounded<TcpStream>>> {
        let handshake = timeout(self.patience, tls.accept(stream));
        handshake.await.map_err(|_| io::ErrorKind::TimedOut)?
    }

    fn caller<S>(&self, address: IpAddr, stream: &TlsStream<S>) -> Caller {
        let chain = stream.get_ref().1.peer_certificates();
        let name = chain.and_then(|chain| tls::common_name(chain.first()?));
        let speaker = match (&self.users, &name) {
            (None, _) => Speaker::User,
            (Some(users), Some(name)) => Speaker::named(name, users),
            (Some(_), None) => Speaker::Nobody,
        };
        Caller {
            address: Some(address),
            is_tls: true,
            speaker,
            name: name.map(Into::into),
        }
    }

    async fn answer<S>(&self, stream: S, caller: Caller, unread: &AtomicBool, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(|request| self.respond(request, caller.clone(), unread));
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection).await {
            log::debug!("a connection broke: {error}");
        }
    }

    async fn respond(
        &self,
        request: Request<Incoming>,
        caller: Caller,
        unread: &AtomicBool,
    ) -> Result<Response, Infallible> {
        let (mut head, body) = request.into_parts();
        head.extensions.insert(caller);
        let body = PacedBody::new(body, self.patience);
        let is_read = body.is_read();
        let request = Request::from_parts(head, Body::new(body));
        let mut response = self.router.clone().oneshot(request).await?;
        let is_read = is_read.load(Ordering::Relaxed);
        if !is_read {
            // What is left of the body stands where the next request would be.
            unread.store(true, Ordering::Relaxed);
        }
        if !is_read || self.are_scarce() {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        Ok(response)
    }

    /// Whether so many connections are open that none should stay when it has served its request.
    fn are_scarce(&self) -> bool {
        self.metrics.open_connections() + self.most / 8 >= self.most
    }
}

type Bounded<S> = Lingering<PacedWrites<S>>;
