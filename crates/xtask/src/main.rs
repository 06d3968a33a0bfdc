//! `cargo xtask …`: the tasks of a developer, and the demonstration for a newcomer.

mod demo;
mod needs;
mod test;

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand};
use xtask::{command, places, python};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Tasks of the slapos-rs workspace")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Brings up a node with a running instance under target/, on a master of its own
    Demo {
        /// Stop everything the demo started and remove what it made
        #[arg(long)]
        clean: bool,
        /// Stop everything the demo started and keep what it made
        #[arg(long, conflicts_with = "clean")]
        stop: bool,
    },
    /// Checks formatting and lints, then runs every test
    Test {
        /// Only the tests, without the format and lint checks
        #[arg(long)]
        no_lint: bool,
        /// Passed on to `cargo test`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Measures ours beside the Python peer, both in the same run
    #[command(disable_help_flag = true)]
    Bench(Passed),
    /// Writes the man pages
    #[command(disable_help_flag = true)]
    Man(Passed),
    /// Writes the completions for shells
    #[command(disable_help_flag = true)]
    Completions(Passed),
    /// Makes the packages for Debian
    #[command(disable_help_flag = true)]
    Deb(Passed),
    /// Makes the packages for distributions with RPM
    #[command(disable_help_flag = true)]
    Rpm(Passed),
    /// Tries the packages for Debian in new Debian systems
    #[command(disable_help_flag = true)]
    CheckDeb(Passed),
    /// Builds the tools in two directories and compares them byte by byte
    #[command(disable_help_flag = true)]
    Reproduce(Passed),
    /// Makes a tarball of the sources and all crates
    #[command(disable_help_flag = true)]
    Dist(Passed),
    /// Writes the licenses of all crates in the tools
    #[command(disable_help_flag = true)]
    Licenses(Passed),
}

/// What another program parses.
#[derive(Args)]
struct Passed {
    /// See --help
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

fn main() -> ExitCode {
    xtask::end(match Arguments::parse().task {
        Task::Demo { clean: true, .. } => demo::clean(),
        Task::Demo { stop: true, .. } => demo::stop(),
        Task::Demo { .. } => demo::run(),
        Task::Test { no_lint, arguments } => test::run(no_lint, &arguments),
        Task::Bench(passed) => elsewhere("xtask-bench", None, &passed),
        Task::Man(passed) => packages("man", &passed),
        Task::Completions(passed) => packages("completions", &passed),
        Task::Deb(passed) => packages("deb", &passed),
        Task::Rpm(passed) => packages("rpm", &passed),
        Task::CheckDeb(passed) => packages("check-deb", &passed),
        Task::Reproduce(passed) => packages("reproduce", &passed),
        Task::Dist(passed) => packages("dist", &passed),
        Task::Licenses(passed) => packages("licenses", &passed),
    })
}

fn packages(task: &str, passed: &Passed) -> Result<ExitCode> {
    elsewhere("xtask-packages", Some(task), passed)
}

/// Builds and runs the program of a task that needs more crates than this one.
fn elsewhere(package: &str, task: Option<&str>, passed: &Passed) -> Result<ExitCode> {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["run", "--quiet", "--manifest-path"])
        .arg(places::workspace().join("Cargo.toml"))
        .args(["--package", package, "--"])
        .args(task)
        .args(&passed.arguments);
    let code = command::exit_code(&mut command)?;
    match u8::try_from(code) {
        Ok(code) => Ok(ExitCode::from(code)),
        Err(_) => bail!("{package} ended with exit code {code}"),
    }
}
