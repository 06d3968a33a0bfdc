//! Foreign programs: the only place that starts any.
//!
//! Each runs in a process group of its own, with nothing or little to read, with an environment made for it
//! and, when slapgrid is root, as the owner of what it works on. Its output is handed on line by
//! line while it comes and kept in bounded memory; a timeout or an interruption ends the group.

mod account;
mod excerpt;
mod interruption;
mod lines;
mod privileges;
mod run;
mod shebang;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use nix::sys::stat::Mode;

pub(crate) use account::{Account, AccountError};
pub(crate) use excerpt::Excerpt;
pub use interruption::Interruption;
pub(crate) use interruption::{CALL_GRACE, LAST_WORDS_GRACE};
pub(crate) use run::{replace_self, run, run_in_foreground};
pub(crate) use shebang::{ShebangError, interpreter};

use crate::environment::Environment;
use lines::LINE_LIMIT;

/// The file mode mask of everything that is built: nothing for others.
pub(crate) const BUILD_UMASK: Mode = Mode::from_bits_truncate(0o027);

/// A program to run, and how.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The program: a path, or a name that is looked up in slapgrid's PATH.
    pub path: PathBuf,
    /// What runs it if it is a script, and that one's argument; `None` leaves it to the kernel.
    pub interpreter: Option<(PathBuf, Option<OsString>)>,
    /// Arguments, without the program itself.
    pub arguments: Vec<OsString>,
    /// Where it runs.
    pub directory: PathBuf,
    /// All variables that it gets.
    pub environment: Environment,
    /// As whom it runs when slapgrid runs as root. `None`: as slapgrid does.
    pub account: Option<Account>,
    /// The file mode mask; `None`: that of slapgrid.
    pub umask: Option<Mode>,
    /// After that time its process group is ended.
    pub timeout: Option<Duration>,
    /// What becomes of standard error.
    pub errors: Errors,
    /// What it reads from standard input.
    pub input: Vec<u8>,
    /// Longer lines of its output are cut, in bytes.
    pub longest_line: usize,
    /// What becomes of its process group when it has ended.
    pub leftovers: Leftovers,
}

/// What becomes of processes that a program has left running in its process group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Leftovers {
    /// They run on.
    #[default]
    Kept,
    /// They are killed.
    Killed,
}

/// What becomes of a program's standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Errors {
    /// It goes the same way as standard output, in the order in which both were written.
    #[default]
    Merged,
    /// It is kept apart.
    Apart,
}

impl Program {
    /// A program with arguments, run in a directory, with an environment; everything else as
    /// slapgrid itself.
    pub(crate) fn new(
        path: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
        directory: &Path,
        environment: Environment,
    ) -> Self {
        Program {
            path: path.into(),
            interpreter: None,
            arguments: arguments.into_iter().map(Into::into).collect(),
            directory: directory.to_owned(),
            environment,
            account: None,
            umask: None,
            timeout: None,
            errors: Errors::Merged,
            input: Vec::new(),
            longest_line: LINE_LIMIT,
            leftovers: Leftovers::Kept,
        }
    }
}

/// How a program ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With an exit status.
    Exited(i32),
    /// Killed by a signal that did not come from us.
    Signaled(i32),
}

impl fmt::Display for Ending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Exited(status) => write!(formatter, "exit status {status}"),
            Ending::Signaled(signal) => write!(formatter, "killed by signal {signal}"),
        }
    }
}

/// A program that ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The program.
    pub program: PathBuf,
    /// How it ended.
    pub ending: Ending,
    /// What it wrote to standard output, and to standard error unless that is kept apart.
    pub output: Excerpt,
    /// What it wrote to standard error, when that is kept apart.
    pub errors: Excerpt,
}

impl Finished {
    /// Whether its exit status is 0.
    pub fn is_success(&self) -> bool {
        self.ending == Ending::Exited(0)
    }

    /// Takes any ending but exit status 0 for an error.
    ///
    /// # Errors
    /// The exit status is not 0.
    pub fn into_success(self) -> Result<Self, ProcessError> {
        if self.is_success() {
            Ok(self)
        } else {
            Err(ProcessError::Failed(Box::new(self)))
        }
    }
}

/// A line of output as it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// Where it was written to.
    pub channel: Channel,
    /// The line without its line feed; what is not UTF-8 is replaced.
    pub text: &'a str,
}

/// Where a program writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// Standard output, and standard error unless that is kept apart.
    Output,
    /// Standard error, when that is kept apart.
    Error,
}

/// A program could not be run, or not to a good end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// It would have been run as root.
    #[error("{} is not run as root: {account} has user or group id 0", program.display())]
    RootRefused {
        /// The program.
        program: PathBuf,
        /// The account's name.
        account: String,
    },
    /// It could not be started: it does not exist, or privileges could not be dropped.
    #[error("cannot start {}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its output or its end could not be waited for. It was killed.
    #[error("lost sight of {}", program.display())]
    Wait {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It ended by itself, but not with exit status 0.
    #[error("{} failed ({}){}", .0.program.display(), .0.ending, last_words(.0))]
    Failed(Box<Finished>),
    /// It took too long, and its process group was killed.
    #[error("{} took longer than {} seconds and was killed", program.display(), timeout.as_secs_f64())]
    TimedOut {
        /// The program.
        program: PathBuf,
        /// The time it had.
        timeout: Duration,
        /// What it wrote until then.
        output: Box<Excerpt>,
    },
    /// slapgrid was told to end: the program's process group was killed, or it was not started.
    #[error("{} was ended because slapgrid was told to end", program.display())]
    Interrupted {
        /// The program.
        program: PathBuf,
    },
}

impl ProcessError {
    /// What the program wrote, as far as it came.
    pub fn output(&self) -> Option<&Excerpt> {
        match self {
            ProcessError::Failed(finished) => Some(&finished.output),
            ProcessError::TimedOut { output, .. } => Some(output),
            _ => None,
        }
    }

    /// Whether the reason is that slapgrid was told to end.
    pub fn is_interruption(&self) -> bool {
        matches!(self, ProcessError::Interrupted { .. })
    }
}

/// How many of the last lines an error message shows.
const LAST_LINES: usize = 5;

fn last_words(finished: &Finished) -> String {
    let excerpt = if finished.errors.is_empty() {
        &finished.output
    } else {
        &finished.errors
    };
    let lines = excerpt.last_lines(LAST_LINES);
    if lines.is_empty() {
        return String::new();
    }
    format!(", its last lines:\n{}", lines.join("\n"))
}
