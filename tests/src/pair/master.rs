//! A master alone: a process with a fresh database.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::database::copy;
use crate::node::free_port;
use crate::postgres::Postgres;
use crate::{Side, database, http, places, poll};

/// How long a master may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running master, whose database is thrown away with it.
pub struct Master {
    directory: TempDir,
    side: Side,
    /// HOST:PORT.
    pub address: String,
    process: Option<Child>,
}

impl Master {
    /// Starts a master with an empty database that knows this computer; `settings` are lines of
    /// section slapproxy.
    pub fn start(side: Side, computer: &str, settings: &str) -> Self {
        let directory = TempDir::with_prefix_in("master-", "/tmp").expect("/tmp is writable");
        let here = directory.path().display();
        let port = free_port();
        let database = match side {
            Side::Ours => database::uri(directory.path()),
            Side::Peer => format!("{here}/proxy.db"),
        };
        let text = format!(
            "[slapos]\n\
             computer_id = {computer}\n\
             master_url = http://127.0.0.1:{port}/\n\
             software_root = {here}/software\n\
             instance_root = {here}/instance\n\
             [slapproxy]\n\
             host = 127.0.0.1\n\
             port = {port}\n\
             database_uri = {database}\n\
             {settings}\n"
        );
        fs::write(directory.path().join("slapos.cfg"), text).expect("the directory is ours");
        let mut master = Self {
            directory,
            side,
            address: format!("127.0.0.1:{port}"),
            process: None,
        };
        master.run();
        master
    }

    /// Starts the process, which must not run, and waits until it answers.
    pub fn run(&mut self) {
        self.run_through(&[]);
    }

    /// As [`Master::run`], by a program that becomes the master, such as `env`.
    pub fn run_through(&mut self, wrapper: &[&str]) {
        let configuration = self.directory.path().join("slapos.cfg");
        let program = match self.side {
            Side::Ours => places::tool("slapproxy"),
            Side::Peer => places::peer_program("slapos"),
        };
        let mut command = match wrapper {
            [] => Command::new(program),
            [first, arguments @ ..] => {
                let mut command = Command::new(first);
                command.args(arguments).arg(program);
                command
            }
        };
        if self.side == Side::Peer {
            command.args(["proxy", "start", "--cfg"]);
        }
        let log = fs::File::create(self.log_path()).expect("the log is writable");
        let child = command
            .arg(configuration)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a descriptor is free"))
            .stderr(log)
            .spawn()
            .expect("the master starts");
        let child = self.process.insert(child);
        poll::until("the master answers", PATIENCE, || {
            let ended = child.try_wait().expect("the master is our child");
            // Another server may have taken the port, and answer in its place.
            assert!(ended.is_none(), "the master ended: {ended:?}");
            http::get(&self.address, "/getRunId").is_ok()
        });
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// What its database holds now, as a file.
    pub fn database(&self) -> PathBuf {
        match self.side {
            Side::Ours => database::file(self.path()),
            Side::Peer => self.path().join("proxy.db"),
        }
    }

    /// Gives it the rows of a master whose database is a file.
    pub(super) fn take_over(&self, other: &Self) {
        let (ours, theirs) = (database::uri(self.path()), other.database());
        if database::is_postgres(&ours) {
            let file = self.database();
            copy(&theirs, &file);
            Postgres::shared().empty(&ours);
            database::migrate(&file.display().to_string(), &ours);
        } else {
            copy(&theirs, &self.database());
        }
    }

    fn log_path(&self) -> PathBuf {
        self.directory.path().join("proxy.log")
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Its process id while it runs.
    pub fn pid(&self) -> Pid {
        let process = self.process.as_ref().expect("the master runs");
        Pid::from_raw(i32::try_from(process.id()).expect("a pid is small"))
    }

    /// Sends a signal and waits for the end; the exit code, if no signal ended it.
    pub fn end(&mut self, signal: Signal) -> Option<i32> {
        let pid = self.pid();
        let mut process = self.process.take()?;
        kill(pid, signal).expect("the master is our child");
        process.wait().expect("the master is our child").code()
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.end(Signal::SIGKILL);
        }
    }
}
