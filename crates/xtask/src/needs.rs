//! What a task needs of the system: all that is missing is told at once, before anything is built.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::{places, python};

/// What Debian's Python has only in packages of their own, as expressions that fail without them.
const VENV: &str = "import ensurepip, venv";
const HEADERS: &str = "import os, sysconfig; \
     os.stat(os.path.join(sysconfig.get_path('include'), 'Python.h'))";

/// Things that a task needs and that are not here.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    /// What it is, and the package of Debian.
    packages: Vec<(&'static str, &'static str)>,
    /// What it is, and the component of rustup.
    components: Vec<(&'static str, &'static str)>,
}

/// What the demo lacks.
pub(crate) fn of_demo() -> Missing {
    let mut missing = Missing::default();
    missing.unless(has_python(VENV), "Python with venv", "python3-venv");
    missing
}

/// What the tests lack, and the lints.
pub(crate) fn of_tests(lint: bool) -> Missing {
    let mut missing = of_demo();
    missing.unless(has_python(HEADERS), "Python's headers", "python3-dev");
    for (program, package) in [
        ("openssl", "openssl"),
        ("git", "git"),
        ("chromium", "chromium"),
    ] {
        missing.unless(in_path(program), program, package);
    }
    missing.unless(has_postgresql(), "PostgreSQL", "postgresql");
    if places::is_root() {
        missing.unless(in_path("ip"), "ip", "iproute2");
    }
    if lint {
        for (subcommand, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
            if !succeeds(Command::new(env!("CARGO")).args([subcommand, "--version"])) {
                missing.components.push((component, component));
            }
        }
    }
    missing
}

impl Missing {
    fn unless(&mut self, there: bool, what: &'static str, package: &'static str) {
        if !there {
            self.packages.push((what, package));
        }
    }

    /// An error that names everything, and how to get it.
    pub(crate) fn ensure(&self) -> Result<()> {
        if self.packages.is_empty() && self.components.is_empty() {
            return Ok(());
        }
        bail!("{}", self.message());
    }

    fn message(&self) -> String {
        let all = self.packages.iter().chain(&self.components);
        let things: Vec<_> = all.map(|(what, _)| *what).collect();
        let mut message = format!("not installed: {}", things.join(", "));
        for (command, wanted) in [
            ("on Debian: apt install", &self.packages),
            ("rustup component add", &self.components),
        ] {
            if !wanted.is_empty() {
                let names: Vec<_> = wanted.iter().map(|(_, name)| *name).collect();
                // Writing to a String does not fail.
                let _ = write!(message, "\n    {command} {}", names.join(" "));
            }
        }
        message
    }
}

fn has_python(statements: &str) -> bool {
    python::interpreter()
        .is_some_and(|python| succeeds(Command::new(python).args(["-c", statements])))
}

/// Debian has PostgreSQL's programs outside of PATH.
fn has_postgresql() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut installed = versions
        .flatten()
        .map(|version| version.path().join("bin/initdb"));
    in_path("initdb") || installed.any(|program| program.exists())
}

fn in_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory: PathBuf| directory.join(program))
        .any(|file: PathBuf| Path::is_file(&file))
}

fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_missing_is_told_in_one_message() {
        let mut missing = Missing::default();
        assert!(missing.ensure().is_ok());
        missing.unless(true, "a shell", "dash");
        missing.unless(false, "Python's headers", "python3-dev");
        missing.unless(in_path("no-such-program"), "openssl", "openssl");
        missing.components.push(("clippy", "clippy"));
        assert_eq!(
            missing.ensure().unwrap_err().to_string(),
            "not installed: Python's headers, openssl, clippy\n    \
             on Debian: apt install python3-dev openssl\n    \
             rustup component add clippy"
        );
    }

    #[test]
    fn a_python_without_a_module_is_told_from_one_with_it() {
        assert!(has_python("import sys"));
        assert!(!has_python("import no_such_module"));
    }
}
