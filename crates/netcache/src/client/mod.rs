//! Requests to the two services.

mod attended;
mod download;
mod error;
mod paced;

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ureq::http::{Response, StatusCode, header};
use ureq::typestate::WithBody;
use ureq::{Agent, Body, RequestBuilder, SendBody};

use self::attended::{GLANCE, attend};
use self::paced::PacedUpload;
use crate::digest::Digest;
use crate::entry::{Entry, parse_list};
use crate::server::{Address, Server};
use crate::{Cancelled, chain};

pub use error::ClientError;

/// Largest list of entries that is read, in bytes.
const LARGEST_LIST: u64 = 16 << 20;
/// Largest answer to an upload that is read, in bytes.
const LARGEST_ANSWER: u64 = 4096;

/// How long is waited for what.
#[derive(Debug, Clone)]
pub struct Patience {
    /// For a connection, for the head of an answer, and for a list of entries.
    pub answer: Duration,
    /// For the answer to an upload: the server may have to take the file in first.
    pub upload: Duration,
    /// For the next byte of anything, and for the next 128 KiB of a download or an upload.
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

/// One of the two services: of files, or of entries.
#[derive(Debug, Clone)]
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
        let key = key.to_owned();
        let answer = self.retry(cancelled, move |client| client.list(&key))?;
        let list = answer.map(|json| parse_list(&json)).transpose();
        list.map_err(|source| ClientError::List { url, source })
    }

    fn list(&self, key: &str) -> Result<Option<Vec<u8>>, ClientError> {
        let answer = match self.get(key, 0, Some(self.patience.answer)) {
            Err(ClientError::Status { status, .. }) if status == StatusCode::NOT_FOUND => {
                return Ok(None);
            }
            answer => answer?,
        };
        let mut body = answer.into_body();
        let json = body.with_config().limit(LARGEST_LIST).read_to_vec();
        json.map(Some)
            .map_err(unreachable(&self.address.shown(key)))
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
        self.retry(cancelled, move |client| {
            let request = client.patiently(client.agent.put(&url));
            let request = request.header(header::CONTENT_TYPE, "application/json");
            let answer = request.send(&json).map_err(unreachable(&shown))?;
            accept(&shown, answer).map(drop)
        })
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
        let digest = digest.clone();
        let file = Arc::new(file.try_clone().map_err(ClientError::File)?);
        self.retry(cancelled, move |client| {
            if client.has(&digest) {
                return Ok(false);
            }
            client.send(&digest, &file).map(|()| true)
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
        let length = file.metadata().map_err(ClientError::File)?.len();
        let mut body = PacedUpload::new(file, self.patience.silence);
        let (url, shown) = (self.address.whole(), self.address.shown(""));
        let request = self.patiently(self.agent.post(&url));
        let request = request.header(header::CONTENT_TYPE, "application/octet-stream");
        let request = request.header(header::CONTENT_LENGTH, length);
        let answer = request.send(SendBody::from_reader(&mut body));
        let answer = answer.map_err(unreachable(&shown))?;
        let mut body = accept(&shown, answer)?.into_body();
        let answer = body.with_config().limit(LARGEST_ANSWER).read_to_string();
        let answer = answer.map_err(unreachable(&shown))?;
        if Digest::parse(answer.trim()).as_ref() == Some(digest) {
            return Ok(());
        }
        Err(ClientError::NotConfirmed { url: shown, answer })
    }

    /// Asks for a file, from a byte on, of which all may have to come within a time.
    fn get(
        &self,
        name: &str,
        from: u64,
        whole: Option<Duration>,
    ) -> Result<Response<Body>, ClientError> {
        let shown = self.address.shown(name);
        let request = self.agent.get(self.address.with(name)).config();
        let request = request
            .timeout_recv_response(Some(self.patience.answer))
            .timeout_recv_body(whole)
            .build();
        let request = match from {
            0 => request,
            from => request.header(header::RANGE, format!("bytes={from}-")),
        };
        accept(&shown, request.call().map_err(unreachable(&shown))?)
    }

    /// Lets the server take in what it is sent before it answers.
    fn patiently(&self, request: RequestBuilder<WithBody>) -> RequestBuilder<WithBody> {
        let request = request.config();
        let request = request.timeout_recv_response(Some(self.patience.upload));
        let request = request.timeout_recv_body(Some(self.patience.answer));
        request.timeout_per_read(Some(self.patience.upload)).build()
    }

    /// Does something, up to as often as there are pauses and once more.
    fn retry<T: Send + 'static>(
        &self,
        cancelled: Cancelled<'_>,
        work: impl Fn(&Self) -> Result<T, ClientError> + Clone + Send + 'static,
    ) -> Result<T, ClientError> {
        let attempt = || {
            let (client, work) = (self.clone(), work.clone());
            attend(cancelled, move || work(&client))
        };
        for pause in &self.patience.pauses {
            match attempt() {
                Err(error) if error.is_passing() => {
                    log::info!("{}; trying again", chain(&error));
                }
                done => return done,
            }
            wait(*pause, cancelled)?;
        }
        attempt()
    }
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
