//! What other programs think of the packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use packaging::tree;

use super::Root;
use crate::command;

/// Looks at all packages of a directory.
pub(super) fn lintian(directory: &Path) -> Result<()> {
    println!("==> lintian");
    let packages = tree::below(directory)?;
    let packages = packages.iter().map(|name| directory.join(name));
    command::run(
        Command::new("lintian")
            .args([
                "--allow-root",
                "--fail-on",
                "error",
                "--tag-display-limit",
                "0",
            ])
            .args(packages),
    )
}

/// Verifies the units of a system in which everything is installed.
pub(super) fn units(root: &Root) -> Result<()> {
    println!("==> systemd-analyze verify");
    let units = named(root, "usr/lib/systemd/system", "slap")?;
    let root = format!("--root={}", root.path().display());
    let units = units.iter().filter_map(|unit| unit.file_name());
    command::run(
        Command::new("systemd-analyze")
            .args(["--man=no", "--recursive-errors=no", &root, "verify"])
            .args(units),
    )
}

/// Formats the pages of a system in which everything is installed. Warnings are failures.
pub(super) fn pages(root: &Root) -> Result<()> {
    println!("==> man --warnings");
    let mut pages = Vec::new();
    for section in [1, 5, 8] {
        pages.extend(named(root, &format!("usr/share/man/man{section}"), "")?);
    }
    for page in &pages {
        let output = Command::new("man")
            .args(["--local-file", "--warnings"])
            .arg(page)
            .env("LC_ALL", "C.UTF-8")
            .env("MANROFFSEQ", "")
            .env("MANWIDTH", "80")
            .output()?;
        let warnings = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() || !warnings.is_empty() {
            bail!("{}: {}{warnings}", page.display(), output.status);
        }
    }
    println!("{} pages without warnings", pages.len());
    Ok(())
}

/// Files of a directory of the system whose names begin with something.
fn named(root: &Root, directory: &str, prefix: &str) -> Result<Vec<PathBuf>> {
    let directory = root.path().join(directory);
    let mut files = tree::below(&directory)?;
    files.retain(|file| file.to_string_lossy().starts_with(prefix));
    Ok(files.iter().map(|file| directory.join(file)).collect())
}
