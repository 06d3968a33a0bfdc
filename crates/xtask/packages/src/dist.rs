//! `cargo xtask dist`: the sources with all crates, for machines without network.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use super::date;
use crate::{command, places};

/// Makes the tarball; with `check`, builds one tool from it, offline.
pub(crate) fn dist(check: bool) -> Result<ExitCode> {
    let (workspace, directory) = (places::workspace(), places::target().join("dist"));
    let name = format!("slapos-rs-{}", env!("CARGO_PKG_VERSION"));
    let sources = directory.join(&name);
    emptied(&sources)?;
    copy_sources(&workspace, &sources)?;
    vendor(&sources)?;
    let tarball = directory.join(format!("{name}-vendored.tar.xz"));
    command::run(
        Command::new("tar")
            .args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner"])
            .arg(format!("--mtime=@{}", date(&workspace)?))
            .args(["--use-compress-program", "xz -T0", "--create", "--file"])
            .arg(&tarball)
            .arg("--directory")
            .args([&directory, Path::new(&name)]),
    )?;
    println!("{}", tarball.display());
    if check {
        build_offline(&tarball, &name, &directory.join("check"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The files that git knows, as they are now.
pub(super) fn copy_sources(workspace: &Path, to: &Path) -> Result<()> {
    let listed = command::output(
        Command::new("git")
            .args(["ls-files", "-z"])
            .current_dir(workspace),
    )?;
    for path in listed.split('\0').filter(|path| !path.is_empty()) {
        let (from, to) = (workspace.join(path), to.join(path));
        let directory = to.parent().unwrap_or(&to);
        fs::create_dir_all(directory)
            .and_then(|()| fs::copy(&from, &to))
            .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    }
    Ok(())
}

/// A directory with nothing in it.
pub(super) fn emptied(directory: &Path) -> Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory)
            .with_context(|| format!("cannot remove {}", directory.display()))?;
    }
    fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))
}

/// Puts all crates beside the sources, and has cargo take them from there.
fn vendor(sources: &Path) -> Result<()> {
    let settings = command::output(
        Command::new(env!("CARGO"))
            .args([
                "vendor",
                "--quiet",
                "--locked",
                "--versioned-dirs",
                "vendor",
            ])
            .current_dir(sources),
    )?;
    let file = sources.join(".cargo/config.toml");
    OpenOptions::new()
        .append(true)
        .open(&file)
        .and_then(|mut file| write!(file, "\n{settings}"))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// Unpacks the tarball elsewhere and builds a tool there by a cargo that has downloaded nothing.
fn build_offline(tarball: &Path, name: &str, directory: &Path) -> Result<()> {
    emptied(directory)?;
    command::run(
        Command::new("tar")
            .arg("--extract")
            .arg("--file")
            .arg(tarball)
            .arg("--directory")
            .arg(directory),
    )?;
    let home: PathBuf = directory.join("cargo-home");
    command::run(
        Command::new(env!("CARGO"))
            .args(["build", "--offline", "--locked", "--package", "slapos-bang"])
            .current_dir(directory.join(name))
            .env("CARGO_HOME", &home)
            .env("CARGO_TARGET_DIR", directory.join("target")),
    )?;
    command::run(Command::new(directory.join("target/debug/slapos-bang")).arg("--version"))
}
