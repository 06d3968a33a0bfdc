//! `cargo xtask rpm`: the same packages for distributions with RPM.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use packaging::tree;

use super::{date, lay_out, sizes, tool};
use crate::{command, places};

/// Makes the packages, of the tools as they are built already if `no_build`.
pub(crate) fn rpm(no_build: bool) -> Result<ExitCode> {
    let (staged, output) = (lay_out(no_build)?, places::target().join("rpm"));
    fs::create_dir_all(&output).with_context(|| format!("cannot make {}", output.display()))?;
    let date = date(&places::workspace())?.to_string();
    for package in tree::packages()? {
        let list = staged.join(format!("{package}.rpm.toml"));
        let assets = assets(&staged.join(&package), &package)?;
        fs::write(&list, assets).with_context(|| format!("cannot write {}", list.display()))?;
        command::run(
            tool("cargo-generate-rpm")?
                .args(["generate-rpm", "--source-date", &date, "--package"])
                .arg(format!("packaging/packages/{package}"))
                .arg("--metadata-overwrite")
                .arg(&list)
                .arg("--output")
                .arg(&output),
        )?;
    }
    sizes::tell(&staged, &output)?;
    Ok(ExitCode::SUCCESS)
}

/// The files of a package as cargo-generate-rpm is told of them. What is below /etc is the
/// administrator's to change. Debian's packages have the licenses in a file that cargo-deb writes.
fn assets(root: &Path, package: &str) -> Result<String> {
    let mut assets = "assets = [\n".to_owned();
    let mut files = tree::below(root)?;
    // What Debian's checker shall overlook.
    files.retain(|path| !path.starts_with("usr/share/lintian"));
    for path in files {
        let file = root.join(&path);
        let metadata = file
            .metadata()
            .with_context(|| format!("cannot look at {}", file.display()))?;
        let mode = metadata.permissions().mode() & 0o7777;
        let config = match path.starts_with("etc") {
            true => ", config = \"noreplace\"",
            false => "",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            assets,
            "    {{ source = {file:?}, dest = \"/{}\", mode = \"{mode:o}\"{config} }},",
            path.display()
        );
    }
    for license in ["LICENSE-APACHE", "LICENSE-MIT"] {
        let file = places::workspace().join(license);
        let _ = writeln!(
            assets,
            "    {{ source = {file:?}, dest = \"/usr/share/licenses/{package}/{license}\", mode = \"644\" }},"
        );
    }
    Ok(assets + "]\n")
}
