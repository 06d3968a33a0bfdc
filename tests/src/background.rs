//! A tool that runs in the background, until it is told to end.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{Node, poll};

/// A tool under way. Dropping it kills it.
#[derive(Debug)]
pub struct Background {
    child: Child,
    log: PathBuf,
}

/// How a tool ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// How long it took from the signal.
    pub took: Duration,
    /// What it wrote to standard error.
    pub text: String,
}

impl Background {
    /// Starts a command of a node; standard error goes to a file there.
    pub fn start(node: &Node, mut command: Command) -> Self {
        let log = node.path().join("background.log");
        let file = File::create(&log).expect("the node's directory is ours");
        let command = command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(file).spawn().expect("the tool starts");
        Self { child, log }
    }

    /// Starts one of the slapgrid tools.
    pub fn grid(node: &Node, tool: &str, arguments: &[&str]) -> Self {
        let mut command = node.ours_with(tool, &["--now", "--console"]);
        command.args(arguments);
        Self::start(node, command)
    }

    /// Its process.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid is small")
    }

    /// What it has written to standard error.
    pub fn text(&self) -> String {
        let text = fs::read(&self.log).expect("the log is there");
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        let status = self.child.try_wait().expect("the tool is our child");
        status.is_some()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).expect("the tool runs");
    }

    /// Sends a signal, and fails the test unless the tool ends within the time.
    pub fn end(mut self, signal: Signal, limit: Duration) -> Ended {
        self.signal(signal);
        let told = Instant::now();
        let mut code = None;
        poll::until("the tool has ended", limit, || {
            let status = self.child.try_wait().expect("the tool is our child");
            code = status;
            status.is_some()
        });
        Ended {
            code: code.and_then(|status| status.code()),
            took: told.elapsed(),
            text: self.text(),
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
