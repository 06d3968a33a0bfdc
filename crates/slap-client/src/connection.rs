//! The connection to a master.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use slap_proto::authorization::PartitionIdentity;
use slap_proto::calls::{Call, Method};
use slap_proto::documents::DocumentError;
use slap_proto::marshal::{Value, decode};
use ureq::Agent;
use ureq::http::HeaderValue;

use crate::cancellation::Cancellation;
use crate::coding;
use crate::condition::{Condition, NOT_MODIFIED, Refreshed};
use crate::error::ClientError;
use crate::tls;
use crate::url::{MasterUrl, UrlError, without_user};

/// How long a call may take unless [`Connection::timeout`] says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// Largest answer that is read, in bytes: a computer with thousands of partitions needs less.
const LARGEST_ANSWER: u64 = 256 << 20;

/// Most redirections from a document of the hateoas API: slapos.core's proxy completes URLs by them.
const HATEOAS_REDIRECTIONS: u32 = 4;

/// How to reach a master; [`Connection::open`] makes the [`Slap`].
///
/// By default, servers are verified by the system's certificate authorities, no certificate is
/// presented, and a proxy of the environment (`http_proxy`, `https_proxy`, `no_proxy`) is used.
///
/// ```no_run
/// use std::time::Duration;
/// use slap_client::Connection;
///
/// let slap = Connection::to("https://slap.example.org/")?
///     .master_ca_file("/etc/opt/slapos/ca.crt")
///     .client_certificate("/etc/opt/slapos/user.crt", "/etc/opt/slapos/user.key")
///     .timeout(Duration::from_secs(10))
///     .open()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "it connects to nothing before it is opened"]
pub struct Connection {
    url: MasterUrl,
    authority: Option<PathBuf>,
    client: Option<(PathBuf, PathBuf)>,
    timeout: Duration,
    user_agent: String,
    takes_proxy: bool,
    cancellation: Option<Cancellation>,
}

/// Why a connection could not be set up. No request was made yet.
///
/// ```
/// use slap_client::{Connection, OpenError};
///
/// let connection = Connection::to("https://slap.example.org/")?;
/// let error = connection.master_ca_file("/no/such.crt").open().unwrap_err();
/// assert!(matches!(&error, OpenError::Read { path, .. } if path.ends_with("such.crt")));
/// assert_eq!(error.to_string(), "cannot read /no/such.crt");
/// # Ok::<(), slap_client::UrlError>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A certificate or key file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds nothing of what it should.
    #[error("{path} holds no {expected} in PEM format")]
    Pem {
        /// The file.
        path: PathBuf,
        /// "certificate" or "private key".
        expected: &'static str,
    },
    /// The User-Agent is no text that a header can hold.
    #[error("{name:?} cannot be sent as User-Agent")]
    UserAgent {
        /// The text.
        name: String,
    },
}

impl Connection {
    /// A connection to the master of this URL, with the system's certificate authorities.
    ///
    /// # Errors
    /// The text is no URL of a master.
    pub fn to(url: &str) -> Result<Self, UrlError> {
        Ok(Self {
            url: MasterUrl::parse(url)?,
            authority: None,
            client: None,
            timeout: DEFAULT_TIMEOUT,
            user_agent: concat!("slap-client/", env!("CARGO_PKG_VERSION")).to_owned(),
            takes_proxy: true,
            cancellation: None,
        })
    }

    /// Trusts only the certificate authorities of this PEM file.
    pub fn master_ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.authority = Some(path.into());
        self
    }

    /// Identifies us by a certificate and its key, PEM files.
    pub fn client_certificate(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.client = Some((certificate.into(), key.into()));
        self
    }

    /// How long a call may take as a whole; 60 seconds by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The User-Agent header.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = name.into();
        self
    }

    /// Connects to the master itself, whatever proxy the environment names: for a master that no proxy
    /// can reach, such as one on loopback.
    ///
    /// ```
    /// # let master = slap_testing::Master::start()?;
    /// let slap = slap_client::Connection::to(master.url())?.without_proxy().open()?;
    /// assert!(!slap.run_id()?.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn without_proxy(mut self) -> Self {
        self.takes_proxy = false;
        self
    }

    /// Gives calls up, and begins none any more, once this says so; it is asked ten times a second
    /// while a call is under way. The master may have taken a call that was given up.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use slap_client::{ClientError, Connection};
    ///
    /// let ending = Arc::new(AtomicBool::new(false));
    /// let told = ending.clone();
    /// let connection = Connection::to("http://127.0.0.1:5000/")?;
    /// let slap = connection.cancelled_by(move || told.load(Ordering::Relaxed)).open()?;
    /// ending.store(true, Ordering::Relaxed);
    /// assert!(matches!(slap.run_id(), Err(ClientError::Cancelled { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cancelled_by(mut self, is_requested: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.cancellation = Some(Cancellation::new(is_requested));
        self
    }

    /// Reads the certificates and makes the client. The first call connects.
    ///
    /// # Errors
    /// A file cannot be read or holds something else, or the User-Agent fits no header.
    pub fn open(self) -> Result<Slap, OpenError> {
        // Otherwise ureq would panic at the first call.
        if HeaderValue::from_str(&self.user_agent).is_err() {
            let name = self.user_agent;
            return Err(OpenError::UserAgent { name });
        }
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            // Followed, a POST would become a GET, and a login page would count as success.
            .max_redirects(0)
            .timeout_global(Some(self.timeout))
            .user_agent(self.user_agent.clone());
        if !self.takes_proxy {
            config = config.proxy(None);
        }
        // Certificates are of no use without TLS, so they may be missing there.
        if self.url.is_https() {
            let client = self.client.as_ref();
            config = config.tls_config(tls::config(self.authority.as_deref(), client)?);
        }
        let agent = config.build().new_agent();
        Ok(Slap {
            inner: Arc::new(Inner {
                agent,
                timeout: self.timeout,
                url: self.url,
                cancellation: self.cancellation,
            }),
        })
    }
}

/// A connection to a master. Clones share it; connections are kept alive between calls.
///
/// ```
/// # let master = slap_testing::Master::start()?;
/// let slap = slap_client::Connection::to(master.url())?.open()?;
/// assert_eq!(slap.master_url(), master.url());
/// assert_eq!(slap.run_id()?, slap.clone().run_id()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Slap {
    inner: Arc<Inner>,
}

impl fmt::Debug for Slap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Slap")
            .field("master_url", &self.inner.url)
            .finish_non_exhaustive()
    }
}

struct Inner {
    agent: Agent,
    timeout: Duration,
    url: MasterUrl,
    cancellation: Option<Cancellation>,
}

/// A request, ready to be sent.
struct Request {
    method: Method,
    endpoint: &'static str,
    form: String,
    authorization: Option<String>,
    condition: Condition,
}

impl Inner {
    /// The URL of a call, for messages.
    fn shown(&self, endpoint: &str) -> String {
        format!("{}{endpoint}", self.url.shown())
    }

    /// Why no answer came from `url`, which has no user and password any more.
    fn failed(&self, url: &str, error: ureq::Error) -> ClientError {
        let proxy = self.agent.config().proxy();
        let proxy = proxy.map(|proxy| format!("{}:{}", proxy.host(), proxy.port()));
        ClientError::from_transport(url.to_owned(), proxy, LARGEST_ANSWER, error)
    }

    /// Sends a request and returns its answer.
    fn exchange(&self, request: &Request) -> Result<Refreshed<Vec<u8>>, ClientError> {
        let Request {
            endpoint,
            form,
            condition,
            ..
        } = request;
        let shown = self.shown(endpoint);
        let header = request.authorization.as_deref();
        let answer = match request.method {
            Method::Get => {
                let get = self.agent.get(self.url.join(endpoint, form));
                let get = get.header("Accept-Encoding", coding::ACCEPTED);
                condition.set(authorize(get, header), self.timeout).call()
            }
            Method::Post => {
                let request = self.agent.post(self.url.join(endpoint, ""));
                let request = request.content_type("application/x-www-form-urlencoded");
                authorize(request, header).send(form)
            }
        };
        let answer = answer.map_err(|error| self.failed(&shown, error))?;
        if answer.status().as_u16() == NOT_MODIFIED && condition.known.is_some() {
            return Ok(condition.unchanged(answer.headers()));
        }
        let headers = answer.headers().clone();
        let body = self.body(endpoint, &shown, answer)?;
        Ok(Refreshed::answer(&headers, body))
    }

    /// The body of an answer, if that is a success; `shown` is the URL for messages.
    fn body(
        &self,
        endpoint: &'static str,
        shown: &str,
        answer: ureq::http::Response<ureq::Body>,
    ) -> Result<Vec<u8>, ClientError> {
        let status = answer.status().as_u16();
        if (300..400).contains(&status) {
            return Err(redirected(endpoint, status, &answer));
        }
        let (head, mut body) = answer.into_parts();
        let body = body
            .with_config()
            .limit(LARGEST_ANSWER)
            .read_to_vec()
            .and_then(|body| coding::decode(&head.headers, body, LARGEST_ANSWER))
            .map_err(|error| self.failed(shown, error))?;
        if (200..300).contains(&status) {
            Ok(body)
        } else {
            Err(ClientError::from_status(endpoint, status, &body))
        }
    }
}

impl Slap {
    /// The master's URL for messages: ending in a slash, without a user and password.
    pub fn master_url(&self) -> &str {
        self.inner.url.shown()
    }

    /// The random text by which a master is told from others.
    ///
    /// # Errors
    /// The call failed.
    pub fn run_id(&self) -> Result<String, ClientError> {
        let answer = self.call(&slap_proto::calls::GetRunId {}, None)?;
        Ok(String::from_utf8_lossy(&answer).trim().to_owned())
    }

    /// URL of the master's hateoas API; `None` where there is none.
    ///
    /// # Errors
    /// The call failed in another way than by 404.
    pub fn hateoas_url(&self) -> Result<Option<String>, ClientError> {
        match self.call(&slap_proto::calls::GetHateoasUrl {}, None) {
            Ok(answer) => Ok(Some(String::from_utf8_lossy(&answer).trim().to_owned())),
            Err(ClientError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Body of the answer to a GET of a document of the master's hateoas API, by its URL, which
    /// [`Slap::hateoas_url`] or another document told. Redirections are followed.
    ///
    /// # Errors
    /// The call failed.
    pub fn hateoas_document(&self, url: &str) -> Result<Vec<u8>, ClientError> {
        const ENDPOINT: &str = "hateoas";
        let (url, shown) = (url.to_owned(), without_user(url));
        let told = shown.clone();
        self.attended(ENDPOINT, &shown, move |inner| {
            let request = inner.agent.get(url).config();
            let answer = request.max_redirects(HATEOAS_REDIRECTIONS).build().call();
            let answer = answer.map_err(|error| inner.failed(&told, error))?;
            inner.body(ENDPOINT, &told, answer)
        })
    }

    /// URLs of the releases of a product, the newest first.
    ///
    /// # Errors
    /// The call failed.
    pub fn software_release_list_of_product(
        &self,
        reference: &str,
    ) -> Result<Vec<String>, ClientError> {
        self.release_list(
            slap_proto::calls::GetSoftwareReleaseListFromSoftwareProduct {
                software_product_reference: Some(reference.to_owned()),
                software_release_url: None,
            },
        )
    }

    /// URLs of the releases of the product that a release belongs to.
    ///
    /// # Errors
    /// The call failed.
    pub fn software_release_list_beside(&self, url: &str) -> Result<Vec<String>, ClientError> {
        self.release_list(
            slap_proto::calls::GetSoftwareReleaseListFromSoftwareProduct {
                software_product_reference: None,
                software_release_url: Some(url.to_owned()),
            },
        )
    }

    fn release_list<C: Call>(&self, call: C) -> Result<Vec<String>, ClientError> {
        let value = self.value(&call, None)?;
        texts(&value).ok_or_else(|| unexpected(C::ENDPOINT, "list of texts"))
    }

    /// A new computer of the caller; the answer is the master's, as a value.
    ///
    /// # Errors
    /// The call failed.
    pub fn request_computer(&self, title: &str) -> Result<Value, ClientError> {
        let call = slap_proto::calls::RequestComputer {
            computer_title: title.to_owned(),
        };
        self.value(&call, None)
    }

    /// Makes one call and returns the body of its answer.
    pub(crate) fn call<C: Call>(
        &self,
        call: &C,
        identity: Option<&PartitionIdentity>,
    ) -> Result<Vec<u8>, ClientError> {
        let answer = self.call_unless(call, identity, Condition::default())?;
        // Without a condition there is an answer.
        Ok(answer.value.unwrap_or_default())
    }

    /// Makes one call and returns the body of its answer, unless that is known.
    pub(crate) fn call_unless<C: Call>(
        &self,
        call: &C,
        identity: Option<&PartitionIdentity>,
        condition: Condition,
    ) -> Result<Refreshed<Vec<u8>>, ClientError> {
        let endpoint = C::ENDPOINT;
        let fields = call
            .to_fields()
            .map_err(|source| ClientError::Encode { endpoint, source })?;
        let request = Request {
            method: C::METHOD,
            endpoint,
            form: fields.to_urlencoded(),
            authorization: identity.map(PartitionIdentity::to_header),
            condition,
        };
        let shown = self.inner.shown(endpoint);
        self.attended(endpoint, &shown, move |inner| inner.exchange(&request))
    }

    /// Does what asks the master, until it shall be given up; `shown` is the URL for messages.
    fn attended<T: Send + 'static>(
        &self,
        endpoint: &'static str,
        shown: &str,
        work: impl FnOnce(&Inner) -> Result<T, ClientError> + Send + 'static,
    ) -> Result<T, ClientError> {
        let Some(cancellation) = &self.inner.cancellation else {
            return work(&self.inner);
        };
        let inner = self.inner.clone();
        match cancellation.unless_requested(move || work(&inner)) {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(ClientError::Cancelled { endpoint }),
            Err(error) => Err(self.inner.failed(shown, error.into())),
        }
    }

    /// Makes one call and reads its answer as a marshal document.
    pub(crate) fn value<C: Call>(
        &self,
        call: &C,
        identity: Option<&PartitionIdentity>,
    ) -> Result<Value, ClientError> {
        let body = self.call(call, identity)?;
        decode(&body).map_err(|error| document(C::ENDPOINT)(error.into()))
    }
}

fn redirected<B>(
    endpoint: &'static str,
    status: u16,
    answer: &ureq::http::Response<B>,
) -> ClientError {
    let location = answer.headers().get("Location");
    let location = location.map(|location| String::from_utf8_lossy(location.as_bytes()).into());
    ClientError::Redirect {
        endpoint,
        status,
        location: location.unwrap_or_else(|| "nowhere".to_owned()),
    }
}

fn authorize<B>(request: ureq::RequestBuilder<B>, header: Option<&str>) -> ureq::RequestBuilder<B> {
    match header {
        Some(header) => request.header("Authorization", header),
        None => request,
    }
}

/// Makes errors about the answer of a call.
pub(crate) fn document(endpoint: &'static str) -> impl Fn(DocumentError) -> ClientError {
    move |source| ClientError::Document { endpoint, source }
}

/// An answer of another kind than the call's.
pub(crate) fn unexpected(endpoint: &'static str, expected: &'static str) -> ClientError {
    document(endpoint)(DocumentError::Kind { expected })
}

/// The items of a list of texts.
pub(crate) fn texts(value: &Value) -> Option<Vec<String>> {
    let items = value.as_list()?.iter();
    items.map(|item| item.as_str().map(str::to_owned)).collect()
}
