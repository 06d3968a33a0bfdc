//! `cargo xtask check-deb`: the packages for Debian in systems that hold nothing else.

mod analysers;
mod root;

use std::process::ExitCode;

use anyhow::{Result, bail};
use packaging::tools::TOOLS;
use packaging::tree;

use self::root::Root;
use crate::places;

/// The package whose configuration an upgrade must keep.
const CONFIGURED: &str = "slapos-common";
const CONFIGURATION: &str = "etc/opt/slapos/slapos.cfg";

/// Checks all packages that `cargo xtask deb` made.
pub(crate) fn check() -> Result<ExitCode> {
    if !places::is_root() {
        bail!("only root can install packages");
    }
    let (target, packages) = (places::target(), places::target().join("debian"));
    let base = Root::bootstrapped(&target.join("debian-root"), &packages)?;
    println!("package | installed alone | runs | removed | purged");
    for package in tree::packages()? {
        let root = base.copied(&target.join("debian-root-of-package"))?;
        check_package(&root, &package)?;
    }
    let root = base.copied(&target.join("debian-root-of-package"))?;
    check_upgrade(&root)?;
    root.install(&["slapos-node", "slapproxy"])?;
    analysers::lintian(&packages)?;
    analysers::units(&root)?;
    analysers::pages(&root)?;
    Ok(ExitCode::SUCCESS)
}

/// Installs a package with what it depends on, runs its tools, removes it, and purges all.
fn check_package(root: &Root, package: &str) -> Result<()> {
    let before = root.files()?;
    root.install(&[package])?;
    let tools = TOOLS.iter().filter(|tool| tool.package == package);
    let names: Vec<_> = tools.map(|tool| tool.name).collect();
    for name in &names {
        root.run(&[name, "--version"])?;
        root.run(&[name, "--help"])?;
    }
    root.remove(package)?;
    check_removed(root, package, &names)?;
    root.purge(package)?;
    let left: Vec<_> = root.files()?.difference(&before).cloned().collect();
    if !left.is_empty() {
        bail!("{package} left behind: {left:?}");
    }
    println!("{package} | yes | {} | yes | yes", names.join(" "));
    Ok(())
}

/// Of a removed package the configuration stays, and no program.
fn check_removed(root: &Root, package: &str, programs: &[&str]) -> Result<()> {
    if package == CONFIGURED {
        root.read(CONFIGURATION)?;
    }
    let files = root.files()?;
    let stays = |name: &&&str| files.contains(&format!("/usr/bin/{name}"));
    match programs.iter().find(stays) {
        Some(name) => bail!("{name} is still there after {package} was removed"),
        None => Ok(()),
    }
}

/// A newer package with another default takes nothing away from who has changed the file.
fn check_upgrade(root: &Root) -> Result<()> {
    root.install(&[CONFIGURED])?;
    root.append(CONFIGURATION, "# changed by the administrator\n")?;
    root.upgrade(CONFIGURED, CONFIGURATION, "# another default\n")?;
    let text = root.read(CONFIGURATION)?;
    if !text.contains("# changed by the administrator") || text.contains("# another default") {
        bail!("an upgrade of {CONFIGURED} lost what was changed in /{CONFIGURATION}");
    }
    println!("upgrade of {CONFIGURED}: /{CONFIGURATION} was kept");
    Ok(())
}
