//! A Debian system in a directory.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;
use crate::dist::emptied;

/// The release of Debian.
const RELEASE: &str = "trixie";

/// Where packages are in the system.
const REPOSITORY: &str = "srv/packages";

/// Files that apt, dpkg, the user database and systemd keep for themselves.
const OWN: [&str; 9] = [
    "/etc/gshadow-",
    "/etc/ld.so.cache",
    "/etc/machine-id",
    "/etc/shadow-",
    "/srv/packages/",
    "/var/cache/",
    "/var/lib/apt/",
    "/var/lib/dpkg/",
    "/var/log/",
];

/// Such a system.
pub(super) struct Root(PathBuf);

impl Root {
    /// The system as debootstrap makes it, with a repository of the packages of a directory. It is
    /// kept for the next time.
    pub(super) fn bootstrapped(directory: &Path, packages: &Path) -> Result<Self> {
        let root = Self(directory.to_owned());
        let stamp = directory.join("etc/bootstrapped");
        if !stamp.exists() {
            let log = directory.with_extension("log");
            command::run_logged(
                Command::new("debootstrap")
                    .args(["--variant=minbase", RELEASE])
                    .arg(directory),
                &log,
            )?;
            // Every installed system has one; else netbase makes it, and leaves it behind.
            root.write("etc/hosts", "127.0.0.1 localhost\n")?;
            root.write("etc/bootstrapped", "")?;
        }
        root.add_repository(packages)?;
        Ok(root)
    }

    fn add_repository(&self, packages: &Path) -> Result<()> {
        let repository = self.0.join(REPOSITORY);
        emptied(&repository)?;
        for entry in fs::read_dir(packages)
            .with_context(|| format!("cannot list {}: run cargo xtask deb", packages.display()))?
        {
            let entry = entry?;
            fs::copy(entry.path(), repository.join(entry.file_name()))?;
        }
        let index = command::output(
            Command::new("dpkg-scanpackages")
                .args(["--multiversion", "."])
                .current_dir(&repository),
        )?;
        self.write(&format!("{REPOSITORY}/Packages"), &index)?;
        let source = format!("deb [trusted=yes] file:/{REPOSITORY} ./\n");
        self.write("etc/apt/sources.list.d/packages.list", &source)?;
        self.run(&["apt-get", "--quiet=2", "update"])
    }

    /// A copy, in place of what was in its directory.
    pub(super) fn copied(&self, directory: &Path) -> Result<Self> {
        if directory.exists() {
            fs::remove_dir_all(directory)
                .with_context(|| format!("cannot remove {}", directory.display()))?;
        }
        command::run(
            Command::new("cp")
                .args(["--archive", "--reflink=auto"])
                .args([&self.0, directory]),
        )?;
        Ok(Self(directory.to_owned()))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Installs packages with what they depend on.
    pub(super) fn install(&self, packages: &[&str]) -> Result<()> {
        let install = [
            "apt-get",
            "--quiet=2",
            "--yes",
            "--no-install-recommends",
            "install",
        ];
        self.run(&[&install[..], packages].concat())
    }

    /// Removes a package, but not its configuration.
    pub(super) fn remove(&self, package: &str) -> Result<()> {
        self.run(&["apt-get", "--quiet=2", "--yes", "remove", package])
    }

    /// Removes a package, its configuration, and what was installed because of it.
    pub(super) fn purge(&self, package: &str) -> Result<()> {
        self.run(&[
            "apt-get",
            "--quiet=2",
            "--yes",
            "--autoremove",
            "purge",
            package,
        ])
    }

    /// Makes a newer version of a package, in which a line was appended to a file, and installs it as
    /// somebody does who is not there to be asked.
    pub(super) fn upgrade(&self, package: &str, file: &str, line: &str) -> Result<()> {
        let unpacked = format!("{REPOSITORY}/unpacked");
        let archive = self.archive(package)?;
        self.run(&[
            "dpkg-deb",
            "--raw-extract",
            &format!("/{archive}"),
            &format!("/{unpacked}"),
        ])?;
        self.append(&format!("{unpacked}/{file}"), line)?;
        let control = self.read(&format!("{unpacked}/DEBIAN/control"))?;
        let lines = control
            .lines()
            .map(|line| match line.strip_prefix("Version: ") {
                Some(version) => format!("Version: {version}+newer\n"),
                None => format!("{line}\n"),
            });
        self.write(
            &format!("{unpacked}/DEBIAN/control"),
            &lines.collect::<String>(),
        )?;
        let newer = format!("/{REPOSITORY}/newer.deb");
        self.run(&["dpkg-deb", "--build", &format!("/{unpacked}"), &newer])?;
        self.run(&["dpkg", "--force-confdef", "--install", &newer])
    }

    fn archive(&self, package: &str) -> Result<String> {
        for entry in fs::read_dir(self.0.join(REPOSITORY))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with(&format!("{package}_")) {
                return Ok(format!("{REPOSITORY}/{name}"));
            }
        }
        bail!("no package {package}")
    }

    /// Every file and directory, but for those of `OWN`.
    pub(super) fn files(&self) -> Result<BTreeSet<String>> {
        let listed = command::output(
            Command::new("find")
                .current_dir(&self.0)
                .args([".", "-xdev", "-printf", "/%P\\n"]),
        )?;
        let foreign = |path: &&str| !OWN.iter().any(|own| path.starts_with(own));
        Ok(listed.lines().filter(foreign).map(str::to_owned).collect())
    }

    /// Runs a program in the system; what it says is shown only when it fails.
    pub(super) fn run(&self, words: &[&str]) -> Result<()> {
        let log = self.0.with_extension("log");
        command::run_logged(
            Command::new("chroot")
                .arg(&self.0)
                .args(words)
                .env_clear()
                .env("DEBIAN_FRONTEND", "noninteractive")
                .env("LC_ALL", "C.UTF-8")
                .env("PATH", "/usr/sbin:/usr/bin"),
            &log,
        )
    }

    /// The text of a file.
    pub(super) fn read(&self, file: &str) -> Result<String> {
        let path = self.0.join(file);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// Adds to a file.
    pub(super) fn append(&self, file: &str, text: &str) -> Result<()> {
        let path = self.0.join(file);
        let file = OpenOptions::new().append(true).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.0.join(file);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}
