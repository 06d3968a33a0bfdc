//! Python environments under target/: the supervisor and buildout of the demo, the peer of the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{command, places};

/// Makes (or keeps) a virtual environment with exactly the packages of a requirements file.
///
/// # Errors
/// Python or the network is not there, or a package cannot be built.
pub fn environment(directory: &Path, requirements: &Path) -> Result<()> {
    let wanted = fs::read_to_string(requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let stamp = directory.join("installed-requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("    making {} (once; needs network)", directory.display());
    create(directory)?;
    let log = directory.join("pip.log");
    command::run_logged(
        Command::new(directory.join("bin/pip"))
            .args(["install", "--disable-pip-version-check", "--requirement"])
            .arg(requirements),
        &log,
    )?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

/// A new, empty virtual environment in place of what was there.
fn create(directory: &Path) -> Result<()> {
    let python = interpreter().context("python3 is not installed")?;
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let log = directory.join("venv.log");
    command::run_logged(
        Command::new(&python)
            .args(["-m", "venv", "--clear"])
            .arg(directory),
        &log,
    )
    .with_context(|| format!("{} cannot make a virtual environment", python.display()))
}

/// The system's Python rather than one of a user's home, which partition users could not run.
pub fn interpreter() -> Option<PathBuf> {
    let system = PathBuf::from("/usr/bin/python3");
    if system.exists() {
        return Some(system);
    }
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|directory| directory.join("python3"))
        .find(|path| path.exists())
}

/// The peer's environment under the target directory, made on the first run.
///
/// # Errors
/// Python or the network is not there, or a package cannot be built.
pub fn prepared_peer() -> Result<PathBuf> {
    let directory = places::shared()?.join("peer");
    println!("==> The Python peer in {}", directory.display());
    peer(&directory, &places::workspace().join("tests/python"))?;
    Ok(directory)
}

/// The peer's environment for the tests: its packages, the shim that lets it run on this
/// interpreter, and the packages that the tests' releases install, for use without network.
fn peer(directory: &Path, files: &Path) -> Result<()> {
    environment(directory, &files.join("peer-requirements.txt"))?;
    install_shim(directory, &files.join("module_resources.py"))?;
    wheel_house(directory, &files.join("release-requirements.txt"))
}

/// Has every interpreter of the environment load a module at its start. A `.pth` file does that;
/// `sitecustomize` would not, where the system has one of its own.
fn install_shim(directory: &Path, module: &Path) -> Result<()> {
    let library = site_packages(directory)?;
    let name = module.file_stem().unwrap_or_default().to_string_lossy();
    fs::copy(module, library.join(format!("{name}.py")))
        .and_then(|_| {
            fs::write(
                library.join(format!("{name}.pth")),
                format!("import {name}\n"),
            )
        })
        .with_context(|| format!("cannot put {name} into {}", library.display()))
}

/// Downloads the packages of the tests' releases, once.
fn wheel_house(directory: &Path, requirements: &Path) -> Result<()> {
    let wanted = fs::read_to_string(requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let house = directory.join("wheels");
    let stamp = house.join("downloaded-requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|downloaded| downloaded == wanted) {
        return Ok(());
    }
    fs::create_dir_all(&house).with_context(|| format!("cannot make {}", house.display()))?;
    command::run_logged(
        Command::new(directory.join("bin/pip"))
            .args(["wheel", "--no-deps", "--wheel-dir"])
            .arg(&house)
            .arg("--requirement")
            .arg(requirements),
        &directory.join("pip-wheel.log"),
    )?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

/// The `site-packages` directory of an environment.
fn site_packages(directory: &Path) -> Result<PathBuf> {
    let library = directory.join("lib");
    fs::read_dir(&library)
        .with_context(|| format!("cannot list {}", library.display()))?
        .filter_map(|entry| Some(entry.ok()?.path().join("site-packages")))
        .find(|path| path.is_dir())
        .with_context(|| format!("{} has no site-packages", library.display()))
}
