//! What the tasks of `cargo xtask` share: places, programs that they run, Python environments.
//!
//! The tasks that need many crates, measuring and packaging, are programs of their own: so a newcomer's
//! `cargo xtask demo` builds none of these.

pub mod command;
pub mod places;
pub mod python;

use std::process::ExitCode;

/// The exit code of a task, whose failure is told here.
pub fn end(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
