//! The build that is packaged: the same bytes in whatever directory it is made.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use packaging::paths::Paths;
use packaging::tools::TOOLS;

use crate::command;

/// The profile of the root's Cargo.toml.
pub(super) const PROFILE: &str = "packaged";

/// Where sources seem to have been, in messages of the programs and in debug symbols.
const SOURCES: &str = "/usr/src/slapos-rs";
const CRATES: &str = "/usr/src/crates";

/// Builds tools from the sources below `workspace`, and says in which directory they are. `cargo` gets
/// more arguments.
///
/// # Errors
/// A tool cannot be built.
pub(crate) fn build(workspace: &Path, target: &Path, tools: &[String]) -> Result<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--locked", "--profile", PROFILE])
        .current_dir(workspace)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_INCREMENTAL", "0");
    let paths = Paths::read(&workspace.join("packaging/paths.cfg"))?;
    cargo.env(
        "SLAPOS_DEFAULT_CONFIGURATION",
        paths.absolute("configuration")?,
    );
    for tool in tools {
        cargo.args(["--package", tool]);
    }
    let (rust, c) = flags(workspace, target)?;
    cargo.env("CARGO_ENCODED_RUSTFLAGS", rust).env("CFLAGS", c);
    // As for the dates in archives, so for __DATE__ in C.
    cargo.env("SOURCE_DATE_EPOCH", super::date(workspace)?.to_string());
    command::run(&mut cargo)?;
    Ok(target.join(PROFILE))
}

/// The names of all tools.
pub(crate) fn all() -> Vec<String> {
    TOOLS.iter().map(|tool| tool.name.to_owned()).collect()
}

/// What makes the Rust and C compilers forget where the sources are.
fn flags(workspace: &Path, target: &Path) -> Result<(OsString, OsString)> {
    let crates = cargo_home()?.join("registry/src");
    // Of several that fit, the last one counts.
    let places = [
        (crates.as_path(), CRATES),
        (workspace, SOURCES),
        (target, "/usr/src/target"),
    ];
    let (mut rust, mut c) = (OsString::new(), OsString::new());
    for (from, to) in places {
        for (flags, option, separator) in [
            (&mut rust, "--remap-path-prefix=", "\u{1f}"),
            (&mut c, "-ffile-prefix-map=", " "),
        ] {
            if !flags.is_empty() {
                flags.push(separator);
            }
            flags.push(option);
            flags.push(from);
            flags.push("=");
            flags.push(to);
        }
    }
    Ok((rust, c))
}

fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME") {
        return Ok(home.into());
    }
    let home = std::env::home_dir().context("no home directory, and CARGO_HOME is not set")?;
    Ok(home.join(".cargo"))
}
