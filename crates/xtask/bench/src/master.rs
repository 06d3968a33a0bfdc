//! The masters that are measured: each a process with a fresh database.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::calls;
use super::connection::Connection;
use super::process;
use crate::places;

/// How long a master may take to answer at first: it notes what was written without it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Whose master it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side<'a> {
    Ours,
    /// Ours, without optimisation.
    Debug,
    /// The environment of the peer.
    Peer(&'a Path),
}

impl Side<'_> {
    /// The program, which is built; the configuration is its last argument.
    pub(super) fn program(self) -> Command {
        match self {
            Self::Ours => Command::new(places::target().join("release/slapproxy")),
            Self::Debug => Command::new(places::target().join("debug/slapproxy")),
            Self::Peer(environment) => {
                let mut command = Command::new(environment.join("bin/slapos"));
                command.args(["proxy", "start", "--cfg"]);
                command
            }
        }
    }
}

/// A running master; dropping it ends the process and removes what it keeps.
pub(super) struct Master {
    process: Child,
    pub(super) address: SocketAddr,
    /// From the start of the process to the first answer.
    pub(super) first_answer: Duration,
    _directory: TempDir,
}

impl Master {
    /// Starts a master with an empty database.
    pub(super) fn start(side: Side) -> Result<Self> {
        let directory = directory()?;
        let database = directory.path().join("proxy.db");
        Self::start_in(directory, side, &database.display().to_string(), "")
    }

    /// Starts a master of a database, with more lines of configuration.
    pub(super) fn start_on(side: Side, database_uri: &str, more: &str) -> Result<Self> {
        Self::start_in(directory()?, side, database_uri, more)
    }

    fn start_in(directory: TempDir, side: Side, database_uri: &str, more: &str) -> Result<Self> {
        let address = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .context("no free TCP port")?;
        let configuration = directory.path().join("slapos.cfg");
        let settings = settings(directory.path(), address, database_uri);
        fs::write(&configuration, settings + more)?;
        let log = File::create(directory.path().join("log"))?;
        let started = Instant::now();
        let process = side
            .program()
            .arg(&configuration)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start a master")?;
        let mut master = Self {
            process,
            address,
            first_answer: Duration::ZERO,
            _directory: directory,
        };
        master.wait(started)?;
        Ok(master)
    }

    fn wait(&mut self, started: Instant) -> Result<()> {
        let request = calls::run_id();
        while Connection::new(self.address).ask(&request).is_err() {
            if started.elapsed() > PATIENCE {
                bail!("a master does not answer");
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        self.first_answer = started.elapsed();
        Ok(())
    }

    /// Resident memory, in KiB.
    pub(super) fn memory(&self) -> Result<u64> {
        process::memory(self.process.id())
    }

    /// The CPU time that it has taken.
    pub(super) fn cpu(&self) -> Result<Duration> {
        process::cpu(self.process.id())
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        // It may have ended already; nothing depends on how.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Not in memory: a write is to be as durable as in earnest.
pub(super) fn directory() -> Result<TempDir> {
    TempDir::with_prefix_in("bench-", places::target())
        .context("cannot make a directory under target/")
}

fn settings(directory: &Path, address: SocketAddr, database_uri: &str) -> String {
    let here = directory.display();
    let (computer, port) = (calls::COMPUTER, address.port());
    format!(
        "[slapos]\n\
         computer_id = {computer}\n\
         master_url = http://{address}/\n\
         software_root = {here}/software\n\
         instance_root = {here}/instance\n\
         [slapproxy]\n\
         host = 127.0.0.1\n\
         port = {port}\n\
         database_uri = {database_uri}\n"
    )
}
