//! Requests to the two services.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use slapos_fs::ReadError;
use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};

use crate::digest::{Digest, Hasher};
use crate::entry::{Entry, InvalidList, parse_list};
use crate::server::{Address, Server};
use crate::{Cancelled, chain};

/// Largest list of entries that is read, in bytes.
const LARGEST_LIST: u64 = 16 << 20;
/// Largest answer to an upload that is read, in bytes.
const LARGEST_ANSWER: u64 = 4096;
/// Bytes that an interrupted download must have brought to count as progress.
const PROGRESS: u64 = 1 << 20;
/// How often a pause looks whether it is to end.
const GLANCE: Duration = Duration::from_millis(100);

/// How long is waited for what.
#[derive(Debug, Clone)]
pub struct Patience {
    /// For a connection, and for the head of an answer to a question.
    pub answer: Duration,
    /// For the answer to an upload: the server may have to take the file in first.
    pub upload: Duration,
    /// For the next piece of a download.
    pub silence: Duration,
    /// Before each try after the first.
    pub pauses: Vec<Duration>,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(60),
            upload: Duration::from_secs(3600),
            silence: Duration::from_secs(60),
            pauses: [1, 5].map(Duration::from_secs).to_vec(),
        }
    }
}

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
    /// It was to stop.
    #[error("interrupted")]
    Cancelled,
}

impl ClientError {
    /// Whether the same may succeed a moment later.
    fn is_passing(&self) -> bool {
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

/// One of the two services: of files, or of entries.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    address: Address,
    patience: Patience,
}

impl Client {
    /// Reads the certificates. The first request connects; proxies are taken from the environment.
    ///
    /// # Errors
    /// A file cannot be read or holds something else.
    pub fn new(server: &Server, patience: Patience) -> Result<Self, ClientError> {
        let address = Address::parse(&server.url);
        let tls = server.tls(&address)?;
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .https_only(address.is_https())
            .timeout_connect(Some(patience.answer))
            .timeout_per_read(Some(patience.silence))
            .timeout_per_write(Some(patience.silence))
            .user_agent(concat!("slapos-netcache/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        Ok(Self {
            agent: agent.into(),
            address,
            patience,
        })
    }

    /// The entries of a key, the newest first; `None` if there are none.
    ///
    /// # Errors
    /// The server cannot be reached or answers something else.
    pub fn entries(
        &self,
        key: &str,
        cancelled: Cancelled<'_>,
    ) -> Result<Option<Vec<Option<Entry>>>, ClientError> {
        let url = self.address.shown(key);
        let answer = self.retry(cancelled, || match self.get(key, 0) {
            Err(ClientError::Status { status, .. }) if status == StatusCode::NOT_FOUND => Ok(None),
            answer => {
                let mut body = answer?.into_body();
                let json = body.with_config().limit(LARGEST_LIST).read_to_vec();
                json.map(Some).map_err(unreachable(&url))
            }
        })?;
        let list = answer.map(|json| parse_list(&json)).transpose();
        list.map_err(|source| ClientError::List {
            url: url.clone(),
            source,
        })
    }

    /// Gives an entry to a key.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub fn add_entry(
        &self,
        key: &str,
        entry: &Entry,
        cancelled: Cancelled<'_>,
    ) -> Result<(), ClientError> {
        let (url, shown) = (self.address.with(key), self.address.shown(key));
        let json = serde_json::json!([entry.0, entry.1]).to_string();
        self.retry(cancelled, || {
            let request = self.agent.put(&url).config();
            let request = request.timeout_recv_response(Some(self.patience.upload));
            let request = request.timeout_per_read(Some(self.patience.upload)).build();
            let request = request.header(header::CONTENT_TYPE, "application/json");
            let answer = request.send(&json).map_err(unreachable(&shown))?;
            accept(&shown, answer).map(drop)
        })
    }

    /// Downloads a file to the beginning of another, at most `limit` bytes. Returns its length.
    ///
    /// # Errors
    /// Again and again, the server cannot be reached or breaks off; or what comes is another file.
    pub fn download(
        &self,
        digest: &Digest,
        file: &mut File,
        limit: u64,
        cancelled: Cancelled<'_>,
    ) -> Result<u64, ClientError> {
        let mut download = Download {
            url: self.address.shown(digest.as_str()),
            file,
            hasher: Hasher::default(),
            received: 0,
            limit,
            cancelled,
        };
        let mut pauses = self.patience.pauses.iter();
        loop {
            let before = download.received;
            let error = match self.continue_download(digest, &mut download) {
                Ok(()) => return download.finish(digest),
                Err(error) if error.is_passing() => error,
                Err(error) => return Err(error),
            };
            if download.received >= before.saturating_add(PROGRESS) {
                pauses = self.patience.pauses.iter();
            }
            let Some(pause) = pauses.next() else {
                return Err(error);
            };
            log::info!("{}; trying again", chain(&error));
            wait(*pause, cancelled)?;
        }
    }

    fn continue_download(
        &self,
        digest: &Digest,
        download: &mut Download<'_>,
    ) -> Result<(), ClientError> {
        let answer = match self.get(digest.as_str(), download.received) {
            // There is nothing behind what came: the server says whether that was the file.
            Err(ClientError::Status { status, .. })
                if status == StatusCode::RANGE_NOT_SATISFIABLE && download.received > 0 =>
            {
                return Ok(());
            }
            answer => answer?,
        };
        if !continues(&answer, download.received) {
            download.restart()?;
        }
        download.receive(answer.into_body())
    }

    /// Uploads a file unless the server has it; says whether it was sent.
    ///
    /// # Errors
    /// Again and again, the server cannot be reached or refuses; or it took another file.
    pub fn upload(
        &self,
        digest: &Digest,
        file: &File,
        cancelled: Cancelled<'_>,
    ) -> Result<bool, ClientError> {
        self.retry(cancelled, || {
            if self.has(digest) {
                return Ok(false);
            }
            self.send(digest, file).map(|()| true)
        })
    }

    /// Whoever cannot say counts as one who has not, as it is for others.
    fn has(&self, digest: &Digest) -> bool {
        let (url, shown) = (
            self.address.with(digest.as_str()),
            self.address.shown(digest.as_str()),
        );
        let request = self.agent.get(&url).config();
        let request = request
            .timeout_recv_response(Some(self.patience.answer))
            .build();
        let answer = request.header(header::RANGE, "bytes=0-0").call();
        let answer = answer.map_err(unreachable(&shown));
        answer.and_then(|answer| accept(&shown, answer)).is_ok()
    }

    fn send(&self, digest: &Digest, mut file: &File) -> Result<(), ClientError> {
        file.seek(SeekFrom::Start(0)).map_err(ClientError::File)?;
        let (url, shown) = (self.address.whole(), self.address.shown(""));
        let request = self.agent.post(&url).config();
        let request = request.timeout_recv_response(Some(self.patience.upload));
        let request = request.timeout_per_read(Some(self.patience.upload)).build();
        let request = request.header(header::CONTENT_TYPE, "application/octet-stream");
        let answer = request.send(file).map_err(unreachable(&shown))?;
        let mut body = accept(&shown, answer)?.into_body();
        let answer = body.with_config().limit(LARGEST_ANSWER).read_to_string();
        let answer = answer.map_err(unreachable(&shown))?;
        if Digest::parse(answer.trim()).as_ref() == Some(digest) {
            return Ok(());
        }
        Err(ClientError::NotConfirmed { url: shown, answer })
    }

    /// Asks for a file, from a byte on.
    fn get(&self, name: &str, from: u64) -> Result<Response<Body>, ClientError> {
        let shown = self.address.shown(name);
        let request = self.agent.get(self.address.with(name)).config();
        let request = request
            .timeout_recv_response(Some(self.patience.answer))
            .build();
        let request = match from {
            0 => request,
            from => request.header(header::RANGE, format!("bytes={from}-")),
        };
        accept(&shown, request.call().map_err(unreachable(&shown))?)
    }

    fn retry<T>(
        &self,
        cancelled: Cancelled<'_>,
        mut work: impl FnMut() -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        for pause in &self.patience.pauses {
            match work() {
                Err(error) if error.is_passing() => {
                    log::info!("{}; trying again", chain(&error));
                }
                done => return done,
            }
            wait(*pause, cancelled)?;
        }
        work()
    }
}

/// A download under way.
struct Download<'a> {
    url: String,
    file: &'a mut File,
    hasher: Hasher,
    received: u64,
    limit: u64,
    cancelled: Cancelled<'a>,
}

impl Download<'_> {
    fn restart(&mut self) -> Result<(), ClientError> {
        self.hasher = Hasher::default();
        self.received = 0;
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(ClientError::File)
    }

    fn receive(&mut self, body: Body) -> Result<(), ClientError> {
        let mut reader = body.into_with_config().limit(u64::MAX).reader();
        let mut buffer = vec![0; 64 << 10];
        loop {
            if (self.cancelled)() {
                return Err(ClientError::Cancelled);
            }
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => self.keep(&buffer[..length])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(ClientError::BrokenOff {
                        url: self.url.clone(),
                        received: self.received,
                        source,
                    });
                }
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        self.received += bytes.len() as u64;
        if self.received > self.limit {
            let (url, limit) = (self.url.clone(), self.limit);
            return Err(ClientError::TooLarge { url, limit });
        }
        let kept = self.hasher.write_all(bytes);
        kept.and_then(|()| self.file.write_all(bytes))
            .map_err(ClientError::File)
    }

    fn finish(self, digest: &Digest) -> Result<u64, ClientError> {
        if self.hasher.finish() != *digest {
            return Err(ClientError::OtherFile { url: self.url });
        }
        self.file.rewind().map_err(ClientError::File)?;
        Ok(self.received)
    }
}

/// Whether an answer begins where the last one ended.
fn continues(answer: &Response<Body>, received: u64) -> bool {
    let range = answer.headers().get(header::CONTENT_RANGE);
    let range = range
        .and_then(|range| range.to_str().ok())
        .unwrap_or_default();
    answer.status() == StatusCode::PARTIAL_CONTENT
        && range.starts_with(&format!("bytes {received}-"))
}

fn accept(shown: &str, answer: Response<Body>) -> Result<Response<Body>, ClientError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    Err(ClientError::Status {
        url: shown.to_owned(),
        status,
    })
}

fn unreachable(shown: &str) -> impl FnOnce(ureq::Error) -> ClientError + use<> {
    let url = shown.to_owned();
    |source| ClientError::Unreachable {
        url,
        source: Box::new(source),
    }
}

fn wait(pause: Duration, cancelled: Cancelled<'_>) -> Result<(), ClientError> {
    let end = Instant::now() + pause;
    loop {
        if cancelled() {
            return Err(ClientError::Cancelled);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(GLANCE));
    }
}
