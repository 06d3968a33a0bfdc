//! `cargo xtask deb`, `rpm`, …: packages for systems, and what they hold.

mod build;
mod check;
mod dist;
mod licenses;
mod reproduce;
mod rpm;
mod sizes;
mod symbols;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use packaging::generated::{self, completions, pages};
use packaging::stage::{Release, stage};
use packaging::tree;

use xtask::{command, places};

/// Who makes packages, unless DEBFULLNAME and DEBEMAIL say so.
const MAINTAINER: (&str, &str) = ("slapos-rs packagers", "packagers@slapos-rs.example.org");

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Packages of slapos-rs, and what they hold"
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
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
}

fn main() -> ExitCode {
    xtask::end(match Arguments::parse().task {
        Task::Man => man(),
        Task::Completions => write_completions(),
        Task::Deb { no_build } => deb(no_build),
        Task::Rpm { no_build } => rpm::rpm(no_build),
        Task::CheckDeb => check::check(),
        Task::Reproduce { tools } => reproduce::reproduce(&tools),
        Task::Dist { check } => dist::dist(check),
        Task::Licenses => licenses::licenses(),
    })
}

/// Writes the man pages.
fn man() -> Result<ExitCode> {
    generated::write(&pages()?, generated::is_page)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the completions.
fn write_completions() -> Result<ExitCode> {
    generated::write(&completions(), generated::is_completion)?;
    Ok(ExitCode::SUCCESS)
}

/// Makes the packages for Debian, of the tools as they are built already if `no_build`.
fn deb(no_build: bool) -> Result<ExitCode> {
    let staged = lay_out(no_build)?;
    let output = places::target().join("debian");
    for package in tree::packages()? {
        command::run(
            tool("cargo-deb")?
                .args(["deb", "--quiet", "--no-build", "--no-strip", "--package"])
                .arg(format!("package-{package}"))
                .args(["--maintainer", &maintainer(), "--output"])
                .arg(&output)
                .env("SOURCE_DATE_EPOCH", date(&places::workspace())?.to_string()),
        )?;
    }
    sizes::tell(&staged, &output)?;
    Ok(ExitCode::SUCCESS)
}

/// Builds the tools and lays out what each package holds.
fn lay_out(no_build: bool) -> Result<PathBuf> {
    let (workspace, target) = (places::workspace(), places::target());
    let built = match no_build {
        true => target.join(build::PROFILE),
        false => build::build(&workspace, &target, &build::all())?,
    };
    let stripped = target.join("stripped");
    symbols::split(&built, &stripped, &target.join("symbols"))?;
    // Not below CARGO_TARGET_DIR: the manifests of the packages name it.
    let staged = workspace.join("target/packages");
    let release = Release {
        workspace: &workspace,
        binaries: &stripped,
        maintainer: &maintainer(),
        date: date(&workspace)?,
    };
    stage(&release, &staged)?;
    Ok(staged)
}

/// When the sources were last changed, in seconds since 1970: SOURCE_DATE_EPOCH, or the last commit.
fn date(workspace: &Path) -> Result<i64> {
    let text = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => command::output(
            Command::new("git")
                .args(["log", "-1", "--format=%ct"])
                .current_dir(workspace),
        )
        .context("neither SOURCE_DATE_EPOCH nor a git repository tells the date")?,
    };
    let text = text.trim();
    text.parse().with_context(|| format!("{text:?} is no date"))
}

fn maintainer() -> String {
    let variable = |name: &str, default: &str| std::env::var(name).unwrap_or(default.to_owned());
    let name = variable("DEBFULLNAME", MAINTAINER.0);
    let address = variable("DEBEMAIL", MAINTAINER.1);
    format!("{name} <{address}>")
}

/// A program of cargo's that packagers have to install.
fn tool(name: &str) -> Result<Command> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|program| program.is_file());
    match found {
        Some(program) => {
            let mut command = Command::new(program);
            command.current_dir(places::workspace());
            Ok(command)
        }
        None => bail!("{name} is not installed: cargo install --locked {name}"),
    }
}
