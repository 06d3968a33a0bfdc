//! `cargo xtask …`: the tasks of a developer, and the demonstration for a newcomer.

mod bench;
mod command;
mod demo;
mod places;
mod python;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    },
    /// Measures ours beside the Python peer, both in the same run
    Bench {
        #[command(subcommand)]
        subject: bench::Subject,
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
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Demo { clean: false } => demo::run(),
        Task::Demo { clean: true } => demo::clean(),
        Task::Bench { subject } => bench::run(&subject),
        Task::Test { no_lint, arguments } => test::run(no_lint, &arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
