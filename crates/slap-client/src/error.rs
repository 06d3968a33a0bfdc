//! Why a call failed.

use std::io;

use slap_proto::documents::DocumentError;
use slap_proto::marshal::EncodeError;

/// Why a call failed: what the master answered, or why it could not be asked.
///
/// The text of an error does not repeat that of its source: print the chain.
///
/// ```
/// use slap_client::{ClientError, Connection, InstanceRequest};
///
/// # let master = slap_testing::Master::with_partitions(0)?;
/// let request = InstanceRequest::new("https://example.org/hello/software.cfg", "my-hello");
/// match master.slap().register_open_order().request(&request) {
///     Ok(instance) => println!("it is in {:?}", instance.partition_id),
///     Err(ClientError::ResourceNotReady { .. }) => println!("ask again later"),
///     Err(ClientError::NotFound { message, .. }) => println!("no free partition: {message}"),
///     Err(error) if error.is_unreachable() => println!("try again later: {error}"),
///     Err(error) => return Err(error.into()),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// 404: the master knows no such thing; for a request also: there is no free partition.
    #[error("{endpoint}: not found{}", said(.message))]
    NotFound {
        /// The call.
        endpoint: &'static str,
        /// What the master said.
        message: String,
    },
    /// 401 or 403: the certificate does not allow it.
    #[error("{endpoint}: the master refuses (is the certificate the right one?){}", said(.message))]
    Unauthorized {
        /// The call.
        endpoint: &'static str,
        /// What the master said.
        message: String,
    },
    /// 408: the master has taken the order; the resource is not there yet.
    #[error("{endpoint}: the master is preparing it; ask again later")]
    ResourceNotReady {
        /// The call.
        endpoint: &'static str,
    },
    /// 400: a field is missing or wrong.
    #[error("{endpoint}: the master does not accept the request{}", said(.message))]
    BadRequest {
        /// The call.
        endpoint: &'static str,
        /// What the master said.
        message: String,
    },
    /// 3xx: the calls are elsewhere. They are not followed there: a POST would become a GET, and
    /// the other place is one that nobody configured.
    #[error(
        "{endpoint}: the master answered status {status}, leading to {location:?}; is master_url right?"
    )]
    Redirect {
        /// The call.
        endpoint: &'static str,
        /// The HTTP status.
        status: u16,
        /// Where it leads.
        location: String,
    },
    /// Any other status: the master failed.
    #[error("{endpoint}: the master answered status {status}{}", said(.message))]
    Server {
        /// The call.
        endpoint: &'static str,
        /// The HTTP status.
        status: u16,
        /// What the master said.
        message: String,
    },
    /// Nobody listens there.
    #[error("cannot connect to {url}{}; does the master run, and is master_url right?", through(.proxy))]
    Connect {
        /// URL of the call.
        url: String,
        /// Host and port of the proxy that the environment (`http_proxy`, `https_proxy`, …) names.
        proxy: Option<String>,
        /// Why.
        source: io::Error,
    },
    /// The host's name is unknown.
    #[error("the host of {url} is unknown; is master_url right, and does DNS work?")]
    Dns {
        /// URL of the call.
        url: String,
    },
    /// No answer in time.
    #[error("no answer from {url} in time; is the master overloaded, or a firewall between?")]
    Timeout {
        /// URL of the call.
        url: String,
    },
    /// It was given up, as [`cancelled_by`](crate::Connection::cancelled_by) was told to.
    #[error("{endpoint}: given up before the master answered")]
    Cancelled {
        /// The call.
        endpoint: &'static str,
    },
    /// The server's certificate is not trusted, or it refuses ours.
    #[error("no secure connection to {url}; check master_ca_file, cert_file and key_file")]
    Tls {
        /// URL of the call.
        url: String,
        /// Why.
        source: io::Error,
    },
    /// The connection broke, or what came is no HTTP.
    #[error("the connection to {url} failed")]
    Transport {
        /// URL of the call.
        url: String,
        /// Why.
        source: io::Error,
    },
    /// The answer is larger than any master's.
    #[error("the answer of {url} is larger than {limit} bytes")]
    TooLarge {
        /// URL of the call.
        url: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The answer cannot be read.
    #[error("{endpoint}: the master's answer cannot be read")]
    Document {
        /// The call.
        endpoint: &'static str,
        /// Why.
        source: DocumentError,
    },
    /// The request cannot be written.
    #[error("{endpoint}: the request cannot be written")]
    Encode {
        /// The call.
        endpoint: &'static str,
        /// Why.
        source: EncodeError,
    },
}

impl ClientError {
    /// Whether no answer came, so that asking again later may help. An answer with an error status
    /// is no such case. After [`Timeout`](Self::Timeout) and [`Transport`](Self::Transport) the
    /// master may have taken the call all the same.
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. }
                | Self::Dns { .. }
                | Self::Timeout { .. }
                | Self::Tls { .. }
                | Self::Transport { .. }
        )
    }

    /// From a status other than success.
    pub(crate) fn from_status(endpoint: &'static str, status: u16, body: &[u8]) -> Self {
        let message = message(body);
        match status {
            400 => Self::BadRequest { endpoint, message },
            401 | 403 => Self::Unauthorized { endpoint, message },
            404 => Self::NotFound { endpoint, message },
            408 => Self::ResourceNotReady { endpoint },
            _ => Self::Server {
                endpoint,
                status,
                message,
            },
        }
    }

    /// From a request that got no answer.
    pub(crate) fn from_transport(
        url: String,
        proxy: Option<String>,
        limit: u64,
        error: ureq::Error,
    ) -> Self {
        match error {
            ureq::Error::HostNotFound => Self::Dns { url },
            ureq::Error::Timeout(_) => Self::Timeout { url },
            ureq::Error::BodyExceedsLimit(_) => Self::TooLarge { url, limit },
            ureq::Error::Io(source) => Self::from_io(url, proxy, source),
            ureq::Error::ConnectionFailed => Self::Connect {
                url,
                proxy,
                source: io::Error::other("no address of the host answers"),
            },
            error @ (ureq::Error::Tls(_) | ureq::Error::Pem(_) | ureq::Error::Rustls(_)) => {
                let source = error.into_io();
                Self::Tls { url, source }
            }
            error => Self::Transport {
                url,
                source: error.into_io(),
            },
        }
    }

    fn from_io(url: String, proxy: Option<String>, source: io::Error) -> Self {
        use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable, TimedOut};
        // rustls hands its errors on as I/O errors of kind InvalidData.
        let is_tls = source
            .get_ref()
            .is_some_and(|inner| inner.is::<ureq::Error>())
            || (url.starts_with("https:") && source.kind() == io::ErrorKind::InvalidData);
        // The standard library has no kind for a name that cannot be looked up.
        let is_dns = source.to_string().starts_with("failed to lookup address");
        match source.kind() {
            _ if is_dns => Self::Dns { url },
            ConnectionRefused | HostUnreachable | NetworkUnreachable => {
                Self::Connect { url, proxy, source }
            }
            TimedOut => Self::Timeout { url },
            _ if is_tls => Self::Tls { url, source },
            _ => Self::Transport { url, source },
        }
    }
}

fn through(proxy: &Option<String>) -> String {
    let through = |proxy| format!(" through the proxy {proxy} of the environment");
    proxy.as_ref().map(through).unwrap_or_default()
}

/// What the master said, for the end of a message.
fn said(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}

/// Longest message that is kept, in characters.
const LONGEST_MESSAGE: usize = 500;

/// The text of an answer for people: without its tags, on one line, bounded.
pub(crate) fn message(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let is_html = text.trim_start().starts_with('<');
    let mut plain = String::new();
    let mut in_tag = false;
    for character in text.chars().take(20 * LONGEST_MESSAGE) {
        match character {
            '<' if is_html => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                plain.push(' ');
            }
            _ if in_tag => {}
            _ => plain.push(character),
        }
    }
    let plain = plain
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#39;", "'")
        .replace("&quot;", "\"");
    let words: Vec<_> = plain.split_whitespace().collect();
    words
        .join(" ")
        .replace("&amp;", "&")
        .chars()
        .take(LONGEST_MESSAGE)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_pages_become_one_line() {
        let page = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>No &#39;free&#39; partition &amp; more</p>\n";
        assert_eq!(
            message(page.as_bytes()),
            "404 Not Found Not Found No 'free' partition & more"
        );
        assert_eq!(
            message(b"field url: missing, 1 < 2\n"),
            "field url: missing, 1 < 2"
        );
        assert_eq!(message(b""), "");
        assert_eq!(message(&[b'x'; 10_000]).len(), LONGEST_MESSAGE);
    }

    #[test]
    fn each_status_has_its_error() {
        let error = |status| ClientError::from_status("getRunId", status, b"why");
        assert!(matches!(error(400), ClientError::BadRequest { .. }));
        assert!(matches!(error(403), ClientError::Unauthorized { .. }));
        assert!(matches!(error(404), ClientError::NotFound { .. }));
        assert!(matches!(error(408), ClientError::ResourceNotReady { .. }));
        assert!(matches!(
            error(500),
            ClientError::Server { status: 500, .. }
        ));
        assert_eq!(
            error(503).to_string(),
            "getRunId: the master answered status 503: why"
        );
        assert!(!error(500).is_unreachable());
    }
}
