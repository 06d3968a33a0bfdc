//! Debug symbols, apart from the programs that they are of.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use packaging::tools::TOOLS;

use crate::command;

/// Copies the tools of `binaries` to `stripped` without symbols, and these to `symbols`, a file
/// NAME.debug each, by which debuggers find them.
///
/// # Errors
/// objcopy fails, or something cannot be written.
pub(crate) fn split(binaries: &Path, stripped: &Path, symbols: &Path) -> Result<()> {
    for directory in [stripped, symbols] {
        fs::create_dir_all(directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
    }
    for tool in TOOLS {
        let (from, to) = (binaries.join(tool.name), stripped.join(tool.name));
        let debug = format!("{}.debug", tool.name);
        let objcopy = || {
            let mut objcopy = Command::new("objcopy");
            objcopy.current_dir(symbols);
            objcopy
        };
        command::run(objcopy().arg("--only-keep-debug").arg(&from).arg(&debug))?;
        command::run(
            objcopy()
                .arg("--strip-all")
                .arg(format!("--add-gnu-debuglink={debug}"))
                .args([&from, &to]),
        )?;
    }
    Ok(())
}
