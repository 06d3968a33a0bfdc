//! Why the console cannot be used, or what was run has failed.

use std::fmt;
use std::io;
use std::path::PathBuf;

use slapos_cli::{AliasError, ConnectError, describe};
use slapos_config::ReadError;
use starlark::ErrorKind;

use crate::api::ApiError;
use crate::context::OutputError;
use crate::globals::Exit;
use crate::input::TooDeep;
use crate::interruption::Interrupted;

/// The console cannot be used, or what it ran has failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConsoleError {
    /// The configuration cannot be read.
    #[error(transparent)]
    Configuration(#[from] ReadError),
    /// The aliases cannot be read.
    #[error(transparent)]
    Alias(#[from] AliasError),
    /// The master cannot be told.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A script cannot be read.
    #[error("cannot read {path}")]
    Script {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Standard input cannot be read.
    #[error("cannot read standard input")]
    Input(#[source] io::Error),
    /// The result cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The terminal cannot be used.
    #[error("cannot use the terminal")]
    Terminal(#[source] rustyline::error::ReadlineError),
    /// Ctrl-C cannot be caught.
    #[error("cannot catch interruptions")]
    Signal(#[source] io::Error),
    /// There is no room for the thread that runs everything.
    #[error("cannot start")]
    Thread(#[source] io::Error),
    /// What was run has failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// What was run has failed: where, and why.
#[derive(Debug)]
pub struct Failure {
    place: Option<(String, usize)>,
    message: String,
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some((file, line)) => write!(formatter, "{file}, line {line}: {}", self.message),
            None => formatter.write_str(&self.message),
        }
    }
}

impl From<TooDeep> for Failure {
    fn from(error: TooDeep) -> Self {
        Self {
            place: None,
            message: error.to_string(),
        }
    }
}

impl Failure {
    pub(crate) fn interrupted() -> Self {
        Self {
            place: None,
            message: Interrupted.to_string(),
        }
    }

    /// What a person reads of an error: never a backtrace, and the line only where there are several.
    pub(crate) fn of(error: &starlark::Error, source: &str) -> Self {
        let has_lines = source.trim().contains('\n');
        let span = error.span().filter(|_| has_lines);
        let place = span.map(|span| {
            let line = span.resolve_span().begin.line + 1;
            (span.filename().to_owned(), line)
        });
        let message = message(error.kind());
        Self { place, message }
    }

    /// The same failure, for a reason that the language does not know.
    pub(crate) fn because(self, why: &ApiError) -> Self {
        let message = describe(why);
        Self { message, ..self }
    }
}

/// The code that a program ended itself with.
pub(crate) fn exit_code(error: &starlark::Error) -> Option<u8> {
    match error.kind() {
        ErrorKind::Native(error) | ErrorKind::Other(error) => {
            error.downcast_ref::<Exit>().map(|exit| exit.0)
        }
        _ => None,
    }
}

fn message(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::Native(error) | ErrorKind::Other(error) => describe(&**error),
        ErrorKind::Fail(error) => error.to_string().trim().to_owned(),
        ErrorKind::Parser(error) => with_advice(&error.to_string()),
        ErrorKind::StackOverflow(_) => "functions call each other too deeply".to_owned(),
        other => other.to_string(),
    }
}

/// What Python has and Starlark has not: a word of its syntax, and what to do instead.
const ADVICE: &[(&str, &str)] = &[
    (
        "import",
        "there are no modules to import; help() lists what there is",
    ),
    (
        "from",
        "there are no modules to import; help() lists what there is",
    ),
    (
        "while",
        "instead: for i in range(N), with break and sleep(SECONDS)",
    ),
    ("try", "errors cannot be caught"),
    ("except", "errors cannot be caught"),
    ("raise", "instead: fail(\"why\")"),
    ("class", "there are dictionaries and functions only"),
    ("is", "instead: =="),
    ("del", "instead: DICT.pop(KEY)"),
    ("global", "functions cannot set variables outside of them"),
    ("with", "the console opens no files"),
];

fn with_advice(message: &str) -> String {
    let advice = ADVICE.iter().find(|(word, _)| {
        message.contains(&format!("`{word}`")) || message.contains(&format!("'{word}'"))
    });
    match advice {
        Some((_, advice)) => format!("{message} ({advice})"),
        None => message.to_owned(),
    }
}
