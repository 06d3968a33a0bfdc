//! Each package as it will lie on disk, with the programs and the real paths: what the tools that
//! make packages put into archives.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;

use crate::generated::is_page;
use crate::paths::Paths;
use crate::tools::TOOLS;
use crate::tree;

/// The package of slapos.cfg.
const COMMON: &str = "slapos-common";

/// What packages are made of, and when.
#[derive(Debug)]
pub struct Release<'a> {
    /// The root of the workspace.
    pub workspace: &'a Path,
    /// The directory of the programs.
    pub binaries: &'a Path,
    /// `NAME <ADDRESS>` of who makes the packages.
    pub maintainer: &'a str,
    /// When what is packaged was last changed, in seconds since 1970.
    pub date: i64,
}

/// Lays the packages out, each in a directory of its name below `target`, which is emptied first,
/// and the file `changelog` for Debian beside them.
///
/// # Errors
/// A program is missing, a path is not given, or something cannot be written.
pub fn stage(release: &Release<'_>, target: &Path) -> Result<()> {
    let workspace = release.workspace;
    if target.exists() {
        fs::remove_dir_all(target).with_context(|| format!("cannot empty {}", target.display()))?;
    }
    let paths = Paths::read(&workspace.join("packaging/paths.cfg"))?;
    for path in tree::files()? {
        let (package, below) = split(&path)?;
        stage_text(&paths, &path, &target.join(package).join(below))?;
    }
    let bindir = paths.relative("bindir")?;
    for tool in TOOLS {
        let to = target.join(tool.package).join(&bindir).join(tool.name);
        let program = release.binaries.join(tool.name);
        let bytes = fs::read(&program)
            .with_context(|| format!("cannot read {}: build it first", program.display()))?;
        put(&to, &bytes, 0o755)?;
    }
    let example = read(&workspace.join("slapos.cfg.example"))?;
    let configuration = target.join(COMMON).join(paths.relative("configuration")?);
    put(&configuration, paths.configure(&example)?.as_bytes(), 0o644)?;
    for package in tree::packages()? {
        documents(workspace, &package, target)?;
    }
    put(
        &target.join("changelog"),
        changelog(release)?.as_bytes(),
        0o644,
    )
}

/// `NAME/tree/PATH` as name and path.
fn split(path: &Path) -> Result<(&Path, &Path)> {
    let package = path.iter().next().map(Path::new);
    let parts = package.and_then(|name| {
        let below = path.strip_prefix(name.join("tree")).ok()?;
        Some((name, below))
    });
    parts.with_context(|| format!("{}: not in a tree", path.display()))
}

/// Debian's own list of changes has what was changed in packaging, not in the tools.
fn changelog(release: &Release<'_>) -> Result<String> {
    let version = env!("CARGO_PKG_VERSION");
    let date = Timestamp::from_second(release.date).context("the date of the release")?;
    let date = date.strftime("%a, %d %b %Y %H:%M:%S +0000");
    let maintainer = release.maintainer;
    Ok(format!(
        "slapos-rs ({version}-1) unstable; urgency=medium\n\n  * Packaged by cargo xtask deb. changelog.gz has what is new.\n\n -- {maintainer}  {date}\n"
    ))
}

/// Every package has the changes, and the first one what the crates in the programs demand.
fn documents(workspace: &Path, package: &str, target: &Path) -> Result<()> {
    let directory = target.join(package).join("usr/share/doc").join(package);
    let changes = read(&workspace.join("CHANGES.md"))?;
    put(
        &directory.join("changelog.gz"),
        &compressed(&changes)?,
        0o644,
    )?;
    if package == COMMON {
        let licenses = read(&workspace.join("packaging/third-party-licenses.txt"))?;
        let file = directory.join("third-party-licenses.txt");
        put(&file, licenses.as_bytes(), 0o644)?;
    }
    Ok(())
}

fn stage_text(paths: &Paths, path: &Path, to: &Path) -> Result<()> {
    let text = read(&tree::directory().join(path))?;
    // Pages and completions are about every system.
    let text = match path.iter().any(|part| part == "share") {
        true => text,
        false => paths
            .fill_in(&text)
            .with_context(|| path.display().to_string())?,
    };
    if is_page(path) {
        let mut name = to.as_os_str().to_owned();
        name.push(".gz");
        return put(Path::new(&name), &compressed(&text)?, 0o644);
    }
    put(to, text.as_bytes(), 0o644)
}

/// By gzip, without a date or a name.
fn compressed(text: &str) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(text.as_bytes());
    written
        .and_then(|()| encoder.finish())
        .context("cannot compress a text")
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn put(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let directory: PathBuf = path.parent().unwrap_or(path).to_owned();
    fs::create_dir_all(directory)
        .and_then(|()| fs::write(path, bytes))
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
        .with_context(|| format!("cannot write {}", path.display()))
}
