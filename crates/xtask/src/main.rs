//! `cargo xtask …`: the tasks of a developer, and the demonstration for a newcomer.

mod bench;
mod command;
mod demo;
mod packages;
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
    /// Writes the man pages of the tools and of slapos.cfg, as packages hold them
    Man,
    /// Writes the completions of the tools for bash, fish and zsh, as packages hold them
    Completions,
    /// Makes the packages for Debian (needs cargo-deb)
    Deb {
        /// Take the tools as they were built before
        #[arg(long)]
        no_build: bool,
    },
    /// Makes the packages for distributions with RPM (needs cargo-generate-rpm)
    Rpm {
        /// Take the tools as they were built before
        #[arg(long)]
        no_build: bool,
    },
    /// Installs, runs, upgrades and removes each package for Debian in a new Debian system, and has
    /// lintian, systemd-analyze and man look at them; as root (needs debootstrap and lintian)
    CheckDeb,
    /// Builds the tools in two directories and compares them byte by byte
    Reproduce {
        /// Only these tools
        tools: Vec<String>,
    },
    /// Makes a tarball of the sources and all crates, to be built without network
    Dist {
        /// Build a tool from it, without network
        #[arg(long)]
        check: bool,
    },
    /// Writes the licenses of all crates in the tools (needs cargo-about)
    Licenses,
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
        Task::Man => packages::man(),
        Task::Completions => packages::write_completions(),
        Task::Deb { no_build } => packages::deb(no_build),
        Task::Rpm { no_build } => packages::rpm(no_build),
        Task::CheckDeb => packages::check(),
        Task::Reproduce { tools } => packages::reproduce(&tools),
        Task::Dist { check } => packages::dist(check),
        Task::Licenses => packages::licenses(),
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
