//! `cargo xtask licenses`: whose crates are in the tools, and on which terms.

use std::process::ExitCode;

use anyhow::Result;

use super::tool;
use crate::command;

/// Writes the report that packages hold.
pub(crate) fn licenses() -> Result<ExitCode> {
    command::run(tool("cargo-about")?.args([
        "generate",
        "--locked",
        "--workspace",
        "--fail",
        "--config",
        "packaging/about.toml",
        "--output-file",
        "packaging/third-party-licenses.txt",
        "packaging/about.hbs",
    ]))?;
    Ok(ExitCode::SUCCESS)
}
