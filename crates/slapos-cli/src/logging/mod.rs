//! The log: on standard error, in a file, or both; in the peer's line format, or as JSON.

mod file;
mod journal;
mod line;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;

use env_logger::{Builder, Target};
use log::LevelFilter;

use file::LogFile;
use line::Layout;

/// Where and how a tool logs.
#[derive(Debug, Clone, Default)]
pub struct LogOptions {
    /// How much.
    pub verbosity: Verbosity,
    /// On standard error even if there is a file.
    pub console: bool,
    /// The log file, appended to. It may be renamed at any time: the next line begins another one.
    pub file: Option<PathBuf>,
    /// How a line looks.
    pub format: LogFormat,
}

/// How much a tool logs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// Warnings and errors.
    Quiet,
    /// What is done, too.
    #[default]
    Normal,
    /// Details, too.
    Verbose,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// As slapos.core writes it
    #[default]
    Text,
    /// A JSON object
    Json,
}

/// What a log needs to know of its tool.
pub struct ToolLog {
    /// The name on every line.
    pub tool: &'static str,
    /// What the name is of that a message is about, as the key that it has in a line of JSON.
    pub subject_key: fn(&str) -> &'static str,
    /// Writes to standard error, perhaps beside something else that is shown there.
    pub console: Box<dyn Write + Send>,
}

/// The log file cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the log file {path}")]
pub struct LogError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Starts logging for the rest of the process. `tool` is the name on every line.
///
/// # Errors
/// The log file cannot be opened.
pub fn init_logging(tool: &'static str, options: &LogOptions) -> Result<(), LogError> {
    let log = ToolLog {
        tool,
        subject_key: |_| "subject",
        console: Box::new(io::stderr()),
    };
    init_tool_logging(log, options)
}

/// As [`init_logging`], for a tool that has more to say of its log.
///
/// # Errors
/// The log file cannot be opened.
pub fn init_tool_logging(log: ToolLog, options: &LogOptions) -> Result<(), LogError> {
    let file = options.file.as_deref().map(LogFile::open).transpose()?;
    let console = options.console || file.is_none();
    let layout = Layout {
        tool: log.tool,
        subject_key: log.subject_key,
        format: options.format,
        for_journal: file.is_none() && journal::is_journal(&io::stderr()),
    };
    let sink = Sink {
        file,
        console: console.then_some(log.console),
    };
    Builder::new()
        .filter_level(options.verbosity.filter())
        // What the HTTP client says is of no use to an admin.
        .filter_module("ureq", LevelFilter::Warn)
        .filter_module("rustls", LevelFilter::Warn)
        .format(move |output, record| output.write_all(layout.entry(record).as_bytes()))
        .target(Target::Pipe(Box::new(sink)))
        .init();
    Ok(())
}

impl Verbosity {
    /// From the options of a command line, of which one at most is given.
    pub fn from_flags(quiet: bool, verbose: bool) -> Self {
        match (quiet, verbose) {
            (_, true) => Self::Verbose,
            (true, false) => Self::Quiet,
            (false, false) => Self::Normal,
        }
    }

    fn filter(self) -> LevelFilter {
        match self {
            Self::Quiet => LevelFilter::Warn,
            Self::Normal => LevelFilter::Info,
            Self::Verbose => LevelFilter::Debug,
        }
    }
}

impl fmt::Debug for ToolLog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ToolLog")
            .field("tool", &self.tool)
            .finish_non_exhaustive()
    }
}

struct Sink {
    file: Option<LogFile>,
    console: Option<Box<dyn Write + Send>>,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(console) = &mut self.console {
            console.write_all(bytes)?;
        }
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(console) = &mut self.console {
            console.flush()?;
        }
        self.file.as_mut().map_or(Ok(()), LogFile::flush)
    }
}
