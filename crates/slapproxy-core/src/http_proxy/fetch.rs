//! Asking another host, on a thread that may wait for it.

use std::io::{self, Read};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Request;
use axum::http::response::Parts;
use tokio::sync::{mpsc, oneshot};
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use super::error::ProxyError;

/// How much is read at a time, in bytes.
const CHUNK: usize = 64 << 10;
/// Chunks that are read before the client has taken those before.
pub(super) const CHUNKS_AHEAD: usize = 4;
/// Largest body that is handed on, in bytes.
const LARGEST_BODY: u64 = 4 << 30;
/// For a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For the head of an answer.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// For a whole body.
const BODY_TIMEOUT: Duration = Duration::from_secs(3600);

/// The HTTP client of the proxy.
#[derive(Debug, Clone)]
pub(super) struct Fetcher(Agent);

impl Fetcher {
    /// It verifies certificates by the system's authorities, and follows nobody elsewhere: the host
    /// that a redirect leads to may not be allowed.
    pub(super) fn new() -> Self {
        let roots = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_recv_response(Some(HEAD_TIMEOUT))
            .timeout_recv_body(Some(BODY_TIMEOUT))
            .user_agent(concat!("slapproxy/", env!("CARGO_PKG_VERSION")))
            .tls_config(roots.build())
            .build();
        Self(config.new_agent())
    }

    /// Makes a request, tells its head, and hands the body on until it ends or nobody wants it.
    pub(super) fn fetch(
        &self,
        request: Request<()>,
        head: oneshot::Sender<Result<Parts, ProxyError>>,
        chunks: &mpsc::Sender<io::Result<Bytes>>,
    ) {
        let host = request.uri().authority().map(ToString::to_string);
        match self.0.run(request) {
            Ok(answer) => {
                let (parts, body) = answer.into_parts();
                if head.send(Ok(parts)).is_ok() {
                    hand_on(body.into_with_config().limit(LARGEST_BODY).reader(), chunks);
                }
            }
            Err(error) => {
                let error = ProxyError::from_transport(&host.unwrap_or_default(), error);
                // A client that went away needs no error.
                let _ = head.send(Err(error));
            }
        }
    }
}

/// An error is handed on, too: what follows it is no whole body.
fn hand_on(mut body: impl Read, chunks: &mpsc::Sender<io::Result<Bytes>>) {
    let mut buffer = vec![0; CHUNK];
    loop {
        let chunk = body.read(&mut buffer);
        let is_last = !matches!(chunk, Ok(length) if length > 0);
        let chunk = match chunk {
            Ok(0) => return,
            Ok(length) => Ok(Bytes::copy_from_slice(&buffer[..length])),
            Err(error) => Err(error),
        };
        if chunks.blocking_send(chunk).is_err() || is_last {
            return;
        }
    }
}
