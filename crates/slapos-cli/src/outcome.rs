//! From outcomes to exit codes and messages.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use signal_hook::consts::SIGPIPE;
use signal_hook::low_level::emulate_default_handler;

use crate::{exit, printable};

/// What was asked for is not so, which has an exit code of its own.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Unmet {
    message: String,
    code: u8,
}

impl Unmet {
    /// There is no such thing.
    pub fn not_found(message: String) -> Self {
        let code = exit::NOT_FOUND;
        Self { message, code }
    }

    /// It is not there yet.
    pub fn not_ready(message: String) -> Self {
        let code = exit::NOT_READY;
        Self { message, code }
    }
}

/// The exit code of a tool that ends by this error.
pub fn exit_code(error: &(dyn Error + 'static)) -> ExitCode {
    let unmet = error.downcast_ref().map(|Unmet { code, .. }| *code);
    ExitCode::from(unmet.unwrap_or(exit::FAILED))
}

/// Ends a tool: an error is printed in one paragraph on standard error; its exit code is 1, or that of
/// an [`Unmet`].
pub fn finish(tool: &str, outcome: Result<ExitCode, Box<dyn Error>>) -> ExitCode {
    match outcome {
        Ok(code) => code,
        Err(error) => {
            tell(tool, &describe(&*error));
            exit_code(&*error)
        }
    }
}

/// One message of a tool on standard error.
pub fn tell(tool: &str, message: &str) {
    let message = printable(message, "  ");
    // Standard error may be closed or full; nobody is left to be told.
    let _ = writeln!(std::io::stderr(), "{tool}: {message}");
}

/// An error and its causes, joined by colons.
pub fn describe(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some libraries repeat their cause in their own text.
        if !text.ends_with(&cause_text) {
            // Writing to a String cannot fail.
            let _ = write!(text, ": {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Prints to standard output. A reader that has gone away (`| head`) is no error.
///
/// # Errors
/// The output cannot be written for another reason.
pub fn print(text: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    match output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
    {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// As [`print()`], for what may print without end: a reader that has gone away ends the process, as it
/// ends others, by SIGPIPE.
///
/// # Errors
/// The output cannot be written for another reason.
pub fn print_or_end(text: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    let written = output.write_all(text.as_bytes());
    match written.and_then(|()| output.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            emulate_default_handler(SIGPIPE)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn causes_follow_and_are_not_repeated() {
        let error = Outer(std::io::Error::other("inner"));
        assert_eq!(describe(&error), "outer: inner");
        #[derive(Debug, thiserror::Error)]
        #[error("again: {0}")]
        struct Repeating(#[source] std::io::Error);
        assert_eq!(
            describe(&Repeating(std::io::Error::other("inner"))),
            "again: inner"
        );
    }
}
