//! What may go wrong with a request.

use std::io;
use std::path::PathBuf;

use slapos_fs::ReadError;
use ureq::http::StatusCode;

use crate::entry::InvalidList;

/// A request failed. Users and passwords of URLs are not shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// A certificate or key file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file holds nothing of what it should.
    #[error("{path} holds no {expected} in PEM format")]
    Pem {
        /// The file.
        path: PathBuf,
        /// "certificate" or "private key".
        expected: &'static str,
    },
    /// The server cannot be reached, or breaks off.
    #[error("cannot reach {url}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// It answered with another status than success.
    #[error("{url} answers {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: StatusCode,
    },
    /// What came is no list of entries.
    #[error("{url} holds no list of entries")]
    List {
        /// What was asked for.
        url: String,
        /// Why.
        source: InvalidList,
    },
    /// A download broke off.
    #[error("the download of {url} broke off after {received} bytes")]
    BrokenOff {
        /// What was asked for.
        url: String,
        /// What came.
        received: u64,
        /// Why.
        source: io::Error,
    },
    /// A download is another file.
    #[error("what {url} sends has another SHA-512")]
    OtherFile {
        /// What was asked for.
        url: String,
    },
    /// A download is larger than it may be.
    #[error("{url} holds more than {limit} bytes, for which there is no space")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// The limit.
        limit: u64,
    },
    /// A server took another file than it was sent.
    #[error("{url} confirms another SHA-512 than that of the file sent: {answer:?}")]
    NotConfirmed {
        /// Where it was sent.
        url: String,
        /// What it answered.
        answer: String,
    },
    /// A file of ours cannot be read or written.
    #[error("cannot use the temporary file")]
    File(#[source] io::Error),
    /// The thread of a request cannot be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// It was to stop.
    #[error("interrupted")]
    Cancelled,
}

impl ClientError {
    /// Whether the same may succeed a moment later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::BrokenOff { .. } => true,
            Self::Unreachable { source, .. } => !matches!(
                **source,
                ureq::Error::TooManyRedirects
                    | ureq::Error::BadUri(_)
                    | ureq::Error::RequireHttpsOnly(_)
            ),
            Self::Status { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            _ => false,
        }
    }
}
