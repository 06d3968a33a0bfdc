//! A SlapOS master within the process of a test, for programs that embed [`slap_client`].
//!
//! [`Master::start`] runs the master of this project, `slapproxy`, on loopback: what a program is
//! answered in its tests is what it is answered in production. Every master has a port, a directory
//! and a thread of its own, so that tests run at the same time without seeing each other.
//!
//! ```
//! use slap_client::InstanceRequest;
//! use slap_testing::Master;
//!
//! let master = Master::start()?;
//! let request = InstanceRequest::new("https://example.org/hello/software.cfg", "my-hello");
//! let instance = master.slap().register_open_order().request(&request)?;
//! assert_eq!(instance.computer_id.as_deref(), Some(Master::COMPUTER));
//! assert!(instance.connection_dict.is_empty(), "nothing is published yet");
//!
//! // What the node and the instance would do:
//! let partition = instance.partition_id.ok_or("the instance has a partition")?;
//! let partition = master.slap().register_computer_partition(Master::COMPUTER, partition);
//! partition.set_connection_dict(&[("url".to_owned(), "http://[::1]/".into())].into(), None)?;
//! let instance = master.slap().register_open_order().request(&request)?;
//! assert_eq!(instance.connection_dict["url"].as_str(), Some("http://[::1]/"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![deny(missing_docs)]
#![forbid(unsafe_code)]

use std::error::Error;
use std::future::IntoFuture;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use slap_client::proto::documents::{ComputerConfiguration, PartitionConfiguration};
use slap_client::{ClientError, Connection, Slap};
use slapproxy_core::storage::{Database, SqliteStorage};
use slapproxy_core::{Settings, app};
use tempfile::TempDir;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// How many partitions [`Master::start`] makes.
const PARTITIONS: usize = 3;
/// How long a call may still take when the master ends.
const LAST_CALLS: Duration = Duration::from_secs(1);

/// A running master. Dropping it ends it and removes its database.
///
/// It is used like any other master, by its URL or by [`Master::slap`]; other programs that a test
/// starts can use it, too. In an asynchronous test, calls of a [`Slap`] block the thread as they do
/// elsewhere; the master has threads of its own and answers all the same.
#[derive(Debug)]
pub struct Master {
    slap: Slap,
    /// Dropped to have the server end.
    running: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<io::Result<()>>>,
    /// Removed after the server has ended.
    _directory: TempDir,
}

/// A master that cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There can be no temporary directory.
    #[error("no directory for the database of a master")]
    Directory(#[source] io::Error),
    /// The database cannot be made in it.
    #[error("no database for a master")]
    Database(#[source] Box<dyn Error + Send + Sync>),
    /// No port of loopback can be had.
    #[error("no port for a master on loopback")]
    Listen(#[source] io::Error),
    /// No threads can be had.
    #[error("no threads for a master")]
    Threads(#[source] io::Error),
    /// It does not take the description of its computer.
    #[error("the master that was started does not serve")]
    Describe(#[source] Box<dyn Error + Send + Sync>),
}

impl Master {
    /// Reference of the computer that every master knows.
    pub const COMPUTER: &'static str = "COMP-1";

    /// Starts a master whose computer has three free partitions, `slappart0` to `slappart2`.
    ///
    /// # Errors
    /// The system has no directory, port or thread left for it.
    pub fn start() -> Result<Self, StartError> {
        Self::with_partitions(PARTITIONS)
    }

    /// Starts a master whose computer has that many free partitions; without any, every request
    /// for an instance is answered by [`ClientError::NotFound`].
    ///
    /// ```
    /// use slap_client::{ClientError, InstanceRequest};
    ///
    /// let master = slap_testing::Master::with_partitions(0)?;
    /// let request = InstanceRequest::new("https://example.org/hello/software.cfg", "my-hello");
    /// let answer = master.slap().register_open_order().request(&request);
    /// assert!(matches!(answer, Err(ClientError::NotFound { .. })));
    /// # Ok::<(), slap_testing::StartError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Master::start`].
    pub fn with_partitions(count: usize) -> Result<Self, StartError> {
        let directory = TempDir::with_prefix("slap-testing-").map_err(StartError::Directory)?;
        let database = directory.path().join("proxy.db");
        let storage = SqliteStorage::open(&database, Self::COMPUTER)
            .map_err(|error| StartError::Database(error.into()))?;
        let listener = listen().map_err(StartError::Listen)?;
        let address = listener.local_addr().map_err(StartError::Listen)?;
        let slap = client(&format!("http://{address}/")).map_err(StartError::Describe)?;
        let settings = Settings::new(Database::Sqlite(database), Self::COMPUTER);
        let (running, ended) = oneshot::channel();
        let server = thread::Builder::new()
            .name("slap-testing".to_owned())
            .spawn(move || serve(listener, settings, storage, ended))
            .map_err(StartError::Threads)?;
        let mut master = Self {
            slap,
            running: Some(running),
            server: Some(server),
            _directory: directory,
        };
        match describe(&master.slap, count) {
            Ok(()) => Ok(master),
            Err(answer) => Err(match master.end() {
                Err(error) => StartError::Threads(error),
                Ok(()) => StartError::Describe(answer.into()),
            }),
        }
    }

    /// Its URL, ending in a slash. A program that connects by it takes a proxy that the environment
    /// names, unless it is told otherwise (`no_proxy`, or [`Connection::without_proxy`]).
    pub fn url(&self) -> &str {
        self.slap.master_url()
    }

    /// A connection to it, by no proxy.
    pub fn slap(&self) -> &Slap {
        &self.slap
    }
}

impl Master {
    /// Ends the server and waits for that; why it had ended before, if it had.
    fn end(&mut self) -> io::Result<()> {
        self.running.take();
        // Of a thread that panicked, the panic has been told.
        let ended = self.server.take().map(JoinHandle::join);
        ended.unwrap_or(Ok(Ok(()))).unwrap_or(Ok(()))
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// A port of loopback that nobody else listens on.
fn listen() -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn client(url: &str) -> Result<Slap, Box<dyn Error + Send + Sync>> {
    Ok(Connection::to(url)?.without_proxy().open()?)
}

/// Serves until the sender of `ended` is dropped.
fn serve(
    listener: TcpListener,
    settings: Settings,
    storage: SqliteStorage,
    ended: oneshot::Receiver<()>,
) -> io::Result<()> {
    // Not on the thread of the test, which may be one of a runtime, where another must not end.
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let app = app(settings, storage, run_id(&listener)?);
        tokio::select! {
            served = axum::serve(listener, app).into_future() => served,
            _ = ended => Ok(()),
        }
    });
    runtime.shutdown_timeout(LAST_CALLS);
    served
}

/// Tells masters of one process apart, and those of several at any one time.
fn run_id(listener: &tokio::net::TcpListener) -> io::Result<String> {
    Ok(format!("slap-testing-{}", listener.local_addr()?.port()))
}

/// Does what `slapformat` does on a node: tells the master of the computer's partitions.
fn describe(slap: &Slap, partitions: usize) -> Result<(), ClientError> {
    let partition = |number| PartitionConfiguration {
        reference: format!("slappart{number}"),
        ..PartitionConfiguration::default()
    };
    slap.register_computer(Master::COMPUTER)
        .configure(&ComputerConfiguration {
            reference: Master::COMPUTER.to_owned(),
            partition_list: (0..partitions).map(partition).collect(),
            ..ComputerConfiguration::default()
        })
}
