//! The directory of the demo and the files in it.

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::account::Account;
use crate::places;

/// Reference of the demo's computer.
pub(super) const COMPUTER: &str = "COMP-DEMO";
/// Address of its partition and of its master.
pub(super) const ADDRESS: &str = "127.0.0.1";

/// The tools that the demo runs, and those that its last lines tell of: no other is built.
pub(super) const TOOLS: [&str; 9] = [
    "slapformat",
    "slapgrid-cp",
    "slapgrid-sr",
    "slapgrid-supervisorctl",
    "slapos-instance",
    "slapos-request",
    "slapos-supply",
    "slapos-watchdog",
    "slapproxy",
];

/// The demo's directory.
pub(super) struct Demo {
    directory: PathBuf,
}

impl Demo {
    /// The place of the demo on this machine, whether it has run already or not.
    pub(super) fn locate() -> Result<Self> {
        let directory = places::shared()?.join("demo");
        Ok(Self { directory })
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The Python environment with supervisor and buildout.
    pub(super) fn python(&self) -> PathBuf {
        self.directory.join("python")
    }

    /// Our tools. Partition users run one of them, so they are copied out of a private checkout.
    pub(super) fn tools(&self) -> PathBuf {
        self.directory.join("bin")
    }

    pub(super) fn configuration(&self) -> PathBuf {
        self.directory.join("slapos.cfg")
    }

    pub(super) fn software_root(&self) -> PathBuf {
        self.directory.join("software")
    }

    pub(super) fn supervisor_socket(&self) -> PathBuf {
        self.directory.join("instance/sv.sock")
    }

    /// The profile of the release, copied so that partition users can read it.
    pub(super) fn release(&self) -> PathBuf {
        self.directory.join("hello/software.cfg")
    }

    /// PATH of the tools: they find supervisord, buildout and each other there.
    pub(super) fn path(&self) -> OsString {
        let mut path = OsString::from(self.tools());
        path.push(":");
        path.push(self.python().join("bin"));
        path.push(":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        path
    }

    /// TCP port of the master, the same in every run.
    pub(super) fn master_port(&self) -> Result<u16> {
        self.port("master-port")
    }

    /// TCP port of the instance's page, the same in every run.
    pub(super) fn page_port(&self) -> Result<u16> {
        self.port("page-port")
    }

    /// A port that was free when the demo first ran.
    fn port(&self, name: &str) -> Result<u16> {
        let file = self.directory.join(name);
        if let Some(port) = fs::read_to_string(&file)
            .ok()
            .and_then(|text| text.trim().parse().ok())
        {
            return Ok(port);
        }
        let port = TcpListener::bind((ADDRESS, 0))
            .and_then(|listener| listener.local_addr())
            .context("no free TCP port")?
            .port();
        write(&file, &format!("{port}\n"))?;
        Ok(port)
    }

    /// Writes the configuration, the partitions' definition, the release, and the tools.
    pub(super) fn write_files(&self, account: &Account) -> Result<()> {
        for directory in ["", "bin", "software", "instance", "hello"] {
            make_directory(&self.directory.join(directory))?;
        }
        self.copy_tools()?;
        let profile = places::workspace().join("examples/hello/software.cfg");
        let text = fs::read_to_string(&profile)
            .with_context(|| format!("cannot read {}", profile.display()))?;
        write(&self.release(), &text)?;
        write(
            &self.directory.join("definition.cfg"),
            &definition(account.name()),
        )?;
        write(&self.configuration(), &self.settings()?)
    }

    fn settings(&self) -> Result<String> {
        let here = self.directory.display();
        let master_port = self.master_port()?;
        let release = self.release();
        Ok(format!(
            "# Made by `cargo xtask demo`.\n\
             [slapos]\n\
             computer_id = {COMPUTER}\n\
             master_url = http://{ADDRESS}:{master_port}/\n\
             software_root = {here}/software\n\
             instance_root = {here}/instance\n\
             pidfile = {here}/slapgrid.pid\n\
             \n\
             [slapformat]\n\
             input_definition_file = {here}/definition.cfg\n\
             computer_xml = {here}/computer.xml\n\
             partition_amount = 1\n\
             interface_name = lo\n\
             alter_user = False\n\
             alter_network = False\n\
             \n\
             [slapproxy]\n\
             host = {ADDRESS}\n\
             port = {master_port}\n\
             database_uri = {here}/proxy.db\n\
             \n\
             [slapconsole]\n\
             alias =\n  hello {}\n",
            release.display()
        ))
    }

    /// Copies the tools that differ from what was built.
    fn copy_tools(&self) -> Result<()> {
        let built = places::target().join("debug");
        for name in TOOLS {
            copy_if_newer(&built.join(name), &self.tools().join(name))?;
        }
        Ok(())
    }
}

/// The partition as slapformat's definition file describes it.
fn definition(user: &str) -> String {
    format!(
        "[computer]\n\
         address = {ADDRESS}/32\n\
         software_user = {user}\n\
         \n\
         [partition_0]\n\
         pathname = slappart0\n\
         user = {user}\n\
         address = {ADDRESS}/32\n\
         network_interface = lo\n"
    )
}

/// Replaces a tool unless it is as new as the built one; a running one keeps its old file.
fn copy_if_newer(from: &Path, to: &Path) -> Result<()> {
    let modified = |path: &Path| path.metadata().and_then(|metadata| metadata.modified());
    let built = modified(from).with_context(|| format!("{} was not built", from.display()))?;
    if modified(to).is_ok_and(|copied| copied >= built) {
        return Ok(());
    }
    let fresh = to.with_extension("new");
    fs::copy(from, &fresh)
        .and_then(|_| fs::rename(&fresh, to))
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}

fn make_directory(path: &Path) -> Result<()> {
    fs::create_dir_all(path)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o755)))
        .with_context(|| format!("cannot make {}", path.display()))
}

/// Writes a file unless it says the same already.
fn write(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|present| present == text) {
        return Ok(());
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
