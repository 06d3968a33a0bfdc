//! slapproxy alone, with settings of the test's own.

use std::fs;
use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::{COMPUTER, Outcome, database, http, places, poll};

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(30);
/// What stands for the server's directory in settings and arguments.
const HERE: &str = "HERE";

/// A running slapproxy. Dropping it kills it and removes its files.
pub struct Server {
    directory: TempDir,
    child: Child,
}

impl Server {
    /// Starts a server with these lines of section slapproxy and these arguments. `HERE` in them is
    /// its directory. Unless they say more, it listens on a port of its own choice.
    pub fn start(settings: &str, arguments: &[&str]) -> Self {
        Self::start_in(Self::directory(), &[], settings, arguments)
    }

    /// Starts a server in a directory that one had before.
    pub fn start_in(
        directory: TempDir,
        wrapper: &[&str],
        settings: &str,
        arguments: &[&str],
    ) -> Self {
        let log = fs::File::create(directory.path().join("log")).expect("the log is writable");
        let mut command = command(directory.path(), wrapper, settings, arguments);
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a descriptor is free"))
            .stderr(log)
            .spawn()
            .expect("the server starts");
        let mut server = Self { directory, child };
        poll::until("the server serves", PATIENCE, || {
            let ended = server.child.try_wait().expect("it is our child");
            assert!(ended.is_none(), "it ended: {}", server.log());
            !server.addresses().is_empty()
        });
        server
    }

    /// What a server says that must not start with these settings.
    pub fn refusal(settings: &str, arguments: &[&str]) -> Outcome {
        let directory = Self::directory();
        Outcome::of(&mut command(directory.path(), &[], settings, arguments))
    }

    /// A directory for one.
    pub fn directory() -> TempDir {
        // Short: a Unix socket's path has 107 bytes at most.
        TempDir::with_prefix_in("server-", "/tmp").expect("/tmp is writable")
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path().join("log")).expect("the log is readable")
    }

    /// Where it serves, as it says: URLs, and `unix:PATH`.
    pub fn addresses(&self) -> Vec<String> {
        let log = self.log();
        let lines = log.lines().filter_map(|line| line.split_once(" serving "));
        lines.map(|(_, address)| address.to_owned()).collect()
    }

    /// URL of its first address, without a slash at its end.
    pub fn url(&self) -> String {
        let first = self.addresses().swap_remove(0);
        first.trim_end_matches('/').to_owned()
    }

    /// HOST:PORT of its first address.
    pub fn address(&self) -> String {
        let url = self.url();
        let (_, address) = url.split_once("://").expect("the first is a URL");
        address.to_owned()
    }

    /// A connection that gives up after a while.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).expect("the server listens");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("the limit is not zero");
        stream
    }

    /// Status and body of a GET.
    pub fn get(&self, path: &str) -> io::Result<(u16, String)> {
        http::get(&self.address(), path)
    }

    /// The most memory that it has had, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(path).expect("the server runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        kibibytes.unwrap_or(0_u64) << 10
    }

    /// How many threads it has.
    pub fn threads(&self) -> usize {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id()));
        tasks.expect("the server runs").count()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("a pid is small");
        kill(Pid::from_raw(pid), signal).expect("the server is our child");
    }

    /// Waits for its end, which a signal brought; the exit code, and how long it took.
    pub fn wait(&mut self) -> (Option<i32>, Duration) {
        let start = Instant::now();
        let status = self.child.wait().expect("the server is our child");
        (status.code(), start.elapsed())
    }

    /// Kills it at once; what is left is its directory.
    pub fn kill(self) -> TempDir {
        self.end(Signal::SIGKILL)
    }

    /// Ends it by a signal; what is left is its directory.
    pub fn end(self, signal: Signal) -> TempDir {
        self.signal(signal);
        let mut server = self;
        server.wait();
        std::mem::replace(&mut server.directory, Self::directory())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(here: &Path, wrapper: &[&str], settings: &str, arguments: &[&str]) -> Command {
    let database = database::uri(here);
    let place = |text: &str| text.replace(HERE, &here.display().to_string());
    let configuration = place(&format!(
        "[slapos]\ncomputer_id = {COMPUTER}\n\
         [slapproxy]\nport = 0\ndatabase_uri = {database}\n{settings}\n"
    ));
    fs::write(here.join("slapos.cfg"), configuration).expect("the directory is ours");
    let tool = places::tool("slapproxy");
    let words: Vec<PathBuf> = wrapper.iter().map(PathBuf::from).chain([tool]).collect();
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .args(arguments.iter().map(|argument| place(argument)))
        .arg(here.join("slapos.cfg"));
    command
}
