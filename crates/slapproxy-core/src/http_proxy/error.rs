//! Why a page of another host is not served.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::http::{origin_unreachable, refusal};

/// Why a page of another host is not served.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProxyError {
    /// 400: the path names no URL.
    #[error("the path after /http_proxy/ must be SCHEME/HOST/PATH: {0}")]
    Target(&'static str),
    /// 403: nobody has allowed it.
    #[error("{0} is not among the hosts of http_proxy_allow")]
    Forbidden(String),
    /// 503: too many at once.
    #[error("too many requests are under way; try again later")]
    Busy,
    /// 504: it does not answer in time.
    #[error("{0} does not answer in time")]
    Timeout(String),
    /// 526: nobody can tell whether it is the right one.
    #[error("no secure connection to {host}")]
    Tls {
        /// The host.
        host: String,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// 523: it does not answer.
    #[error("{host} cannot be reached")]
    Unreachable {
        /// The host.
        host: String,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// 500: a defect of ours.
    #[error("the request could not be carried out")]
    Broken,
}

impl ProxyError {
    /// From a request that got no answer.
    pub(super) fn from_transport(host: &str, error: ureq::Error) -> Self {
        use std::io::ErrorKind::InvalidData;
        let host = host.to_owned();
        let source = Box::new(error);
        match &*source {
            ureq::Error::Timeout(_) => Self::Timeout(host),
            ureq::Error::Tls(_) | ureq::Error::Pem(_) | ureq::Error::Rustls(_) => {
                Self::Tls { host, source }
            }
            // rustls hands its errors on as I/O errors of this kind.
            ureq::Error::Io(error) if error.kind() == InvalidData => Self::Tls { host, source },
            _ => Self::Unreachable { host, source },
        }
    }

    /// 523 and 526 are those of the peer; no standard knows them.
    fn status(&self) -> StatusCode {
        match self {
            Self::Target(_) => StatusCode::BAD_REQUEST,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Timeout(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::Tls { .. } => StatusCode::from_u16(526).unwrap_or(StatusCode::BAD_GATEWAY),
            Self::Unreachable { .. } => origin_unreachable(),
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for ProxyError {
    fn into_response(self) -> Response {
        refusal("http_proxy", self.status(), &self)
    }
}
