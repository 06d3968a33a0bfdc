//! The log: the peer's line format, on standard error, in a file, or both.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use env_logger::{Builder, Target};
use log::LevelFilter;

use crate::printable;

/// Where a tool logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Debug messages, too.
    pub verbose: bool,
    /// On standard error even if there is a file.
    pub console: bool,
    /// The log file, appended to.
    pub file: Option<PathBuf>,
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
    let file = options.file.as_deref().map(open).transpose()?;
    let console = options.console || file.is_none();
    let level = if options.verbose {
        LevelFilter::Debug
    } else {
        LevelFilter::Info
    };
    Builder::new()
        .filter_level(level)
        // What the HTTP client says is of no use to an admin.
        .filter_module("ureq", LevelFilter::Warn)
        .filter_module("rustls", LevelFilter::Warn)
        .format(move |output, record| {
            let time = jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S,%3f");
            let level = level_name(record.level());
            write!(output, "{time} {tool:<18}: {level:<8} ")?;
            // A target that is no module was chosen: the partition that the message is about.
            if record.module_path() != Some(record.target()) {
                write!(output, "{}: ", record.target())?;
            }
            let message = record.args().to_string();
            writeln!(output, "{}", printable(message.trim_end(), "    "))
        })
        .target(Target::Pipe(Box::new(Sink { file, console })))
        .init();
    Ok(())
}

fn open(path: &Path) -> Result<File, LogError> {
    let opened = OpenOptions::new().create(true).append(true).open(path);
    opened.map_err(|source| LogError {
        path: path.to_owned(),
        source,
    })
}

/// Python's names, which log readers know.
fn level_name(level: log::Level) -> &'static str {
    match level {
        log::Level::Error => "ERROR",
        log::Level::Warn => "WARNING",
        log::Level::Info => "INFO",
        log::Level::Debug | log::Level::Trace => "DEBUG",
    }
}

struct Sink {
    file: Option<File>,
    console: bool,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.console {
            io::stderr().write_all(bytes)?;
        }
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.console {
            io::stderr().flush()?;
        }
        self.file.as_mut().map_or(Ok(()), File::flush)
    }
}
