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
use crate::places;

/// How long a master may take to answer at first.
const PATIENCE: Duration = Duration::from_secs(30);
/// The database in a master's directory.
const DATABASE: &str = "proxy.db";

/// Whose master it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side<'a> {
    Ours,
    /// Ours, without optimisation.
    Debug,
    /// The environment of the peer.
    Peer(&'a Path),
}

/// A running master; dropping it ends the process and removes its database.
pub(super) struct Master {
    process: Child,
    pub(super) address: SocketAddr,
    /// From the start of the process to the first answer.
    pub(super) first_answer: Duration,
    directory: TempDir,
}

impl Master {
    pub(super) fn start(side: Side) -> Result<Self> {
        Self::start_in(directory()?, side, "")
    }

    /// Starts a master with more lines of configuration, and a database that is filled before.
    pub(super) fn start_with(
        side: Side,
        more: &str,
        fill: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Self> {
        // A first one makes the tables.
        let mut first = Self::start_in(directory()?, side, more)?;
        let directory = std::mem::replace(&mut first.directory, directory()?);
        drop(first);
        fill(&directory.path().join(DATABASE))?;
        Self::start_in(directory, side, more)
    }

    fn start_in(directory: TempDir, side: Side, more: &str) -> Result<Self> {
        let address = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .context("no free TCP port")?;
        let configuration = directory.path().join("slapos.cfg");
        fs::write(&configuration, settings(directory.path(), address, more))?;
        let log = File::create(directory.path().join("log"))?;
        let mut command = match side {
            Side::Ours => Command::new(places::target().join("release/slapproxy")),
            Side::Debug => Command::new(places::target().join("debug/slapproxy")),
            Side::Peer(environment) => {
                let mut command = Command::new(environment.join("bin/slapos"));
                command.args(["proxy", "start", "--cfg"]);
                command
            }
        };
        let started = Instant::now();
        let process = command
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
            directory,
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
        let path = format!("/proc/{}/status", self.process.id());
        let status = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(number.context("no VmRSS")?.trim().parse()?)
    }

    /// The CPU time that it has taken.
    pub(super) fn cpu(&self) -> Result<Duration> {
        /// Of a second, on every architecture of Linux that we know.
        const TICK: Duration = Duration::from_millis(10);
        let path = format!("/proc/{}/stat", self.process.id());
        let stat = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        // After the name, which may hold anything: user and system time are the 12th and 13th.
        let (_, fields) = stat.rsplit_once(") ").context("no such process")?;
        let times = fields.split(' ').skip(11).take(2).map(str::parse::<u32>);
        let ticks = times.sum::<Result<u32, _>>()?;
        Ok(TICK * ticks)
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
fn directory() -> Result<TempDir> {
    TempDir::with_prefix_in("bench-", places::target())
        .context("cannot make a directory under target/")
}

fn settings(directory: &Path, address: SocketAddr, more: &str) -> String {
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
         database_uri = {here}/{DATABASE}\n\
         {more}"
    )
}
