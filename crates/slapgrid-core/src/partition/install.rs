//! Installing an instance: its profile, and buildout in its partition.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;
use slapos_fs::{FileAttributes, Owner, ReadError, read_bounded, read_bounded_of};

use super::confined::{ConfinedDirectory, ConfinedError};
use super::log::InstanceLog;
use super::profile::{ProfileTail, UnprintableValue};
use super::{records, retention};
use crate::buildout::{in_path, through_interpreter};
use crate::context::PartitionContext;
use crate::environment::Environment;
use crate::layout::ReleaseLayout;
use crate::process::{self, Account, BUILD_UMASK, ProcessError, Program, ShebangError};
use crate::space::{self, SpaceError};

/// Largest instance profile, in bytes.
const PROFILE_LIMIT: u64 = 16 << 20;

/// An instance cannot be installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum InstallError {
    /// The master names no release.
    #[error("the master names no software release for the instance")]
    NoRelease,
    /// The release is not there.
    #[error("the software release {url} is not installed ({} has no instance.cfg)", directory.display())]
    NotInstalled {
        /// URL of the release.
        url: String,
        /// Where it should be.
        directory: PathBuf,
    },
    /// The release is ambiguous.
    #[error("the release has several bootstrap programs: {}", .0.join(", "))]
    SeveralBootstraps(Vec<String>),
    /// Too little space.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// A file of the release cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The programs of the release cannot be listed.
    #[error("cannot list {}", path.display())]
    List {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The profile of the release is no text.
    #[error("{} is not UTF-8", .0.display())]
    Encoding(PathBuf),
    /// A value cannot stand in the profile.
    #[error(transparent)]
    Value(#[from] UnprintableValue),
    /// A file of the partition cannot be written.
    #[error(transparent)]
    File(#[from] ConfinedError),
    /// buildout's script cannot be read.
    #[error("cannot start buildout")]
    Script(#[from] ShebangError),
    /// buildout failed.
    #[error("buildout failed")]
    Buildout(#[from] ProcessError),
}

impl InstallError {
    /// Whether slapgrid was told to end.
    pub(super) fn is_interruption(&self) -> bool {
        matches!(self, Self::Buildout(error) if error.is_interruption())
    }

    /// The error with all that buildout printed, as far as it was kept.
    pub(super) fn full_report(&self, message: &str) -> String {
        match self {
            Self::Buildout(error) if error.output().is_some() => {
                let output = error.output().map(ToString::to_string).unwrap_or_default();
                format!("{message}\n\n{output}")
            }
            _ => message.to_owned(),
        }
    }
}

/// One installation.
pub(super) struct Installation<'a> {
    pub(super) context: &'a PartitionContext<'a>,
    pub(super) directory: &'a ConfinedDirectory,
    pub(super) account: &'a Account,
    pub(super) log: &'a InstanceLog<'a>,
    pub(super) environment: Environment,
}

impl Installation<'_> {
    pub(super) fn run(&self) -> Result<(), InstallError> {
        let settings = self.context.settings;
        space::check(
            &settings.instance_root,
            settings.partition.minimum_free_space,
        )?;
        let release = self.context.document.software_release.as_ref();
        let url = release
            .and_then(|release| release.url.as_deref())
            .ok_or(InstallError::NoRelease)?;
        let release = ReleaseLayout::new(&settings.software_root, url);
        let profile = self.profile(url, &release)?;
        self.directory
            .link("software_release", release.directory(), self.owner())?;
        let attributes = FileAttributes {
            mode: 0o640,
            owner: self.group_readable(),
        };
        self.directory
            .write("buildout.cfg", profile.as_bytes(), attributes)?;
        records::forget_requested_references(self.directory, self.context.layout.reference())?;
        self.buildout(&release)?;
        self.record_retention()
    }

    /// For how long the data is kept once the instance is not wanted any more.
    fn record_retention(&self) -> Result<(), InstallError> {
        let days = self.context.document.filter_dict.get("retention_delay");
        let days = days
            .and_then(|days| days.to_text().parse().ok())
            .unwrap_or(0.0);
        let attributes = FileAttributes {
            mode: 0o644,
            owner: self.owner(),
        };
        Ok(retention::record_delay(self.directory, days, attributes)?)
    }

    /// The text of buildout.cfg: what the release brings, and our tail.
    fn profile(&self, url: &str, release: &ReleaseLayout) -> Result<String, InstallError> {
        let candidates = release.instance_profiles();
        let path = candidates
            .iter()
            .find(|path| path.exists())
            .ok_or_else(|| {
                let directory = release.directory().to_owned();
                InstallError::NotInstalled {
                    url: url.to_owned(),
                    directory,
                }
            })?;
        let profile = String::from_utf8(read_profile(path, release)?)
            .map_err(|_| InstallError::Encoding(path.clone()))?;
        let settings = self.context.settings;
        let layout = &self.context.layout;
        let repository = settings.certificate_repository.as_deref();
        let key = repository.map(|repository| layout.key(repository));
        let certificate = repository.map(|repository| layout.certificate(repository));
        let storage = settings.partition.storage_home.as_deref();
        let storage = storage
            .map(|path| path.to_string_lossy())
            .unwrap_or_default();
        let tail = ProfileTail {
            computer_id: &settings.computer_id,
            partition_id: layout.reference(),
            server_url: &settings.master.url,
            software_release_url: url,
            key_file: key.as_deref(),
            cert_file: certificate.as_deref(),
            shared_part_list: &settings.shared_part_list,
            build_time_part_list: &settings.build_time_part_list,
            requested_state: self
                .context
                .document
                .requested_state
                .as_deref()
                .unwrap_or_default(),
            storage_home: &storage,
            global_ipv4_network: settings
                .partition
                .ipv4_network
                .as_deref()
                .unwrap_or_default(),
        };
        Ok(tail.append_to(&profile)?)
    }

    /// The release's single bootstrap program makes the partition's buildout; else the release's
    /// own is run; else one is bootstrapped into the partition.
    fn buildout(&self, release: &ReleaseLayout) -> Result<(), InstallError> {
        let own = self.context.layout.buildout();
        match self.bootstrap_program(release)? {
            Some(bootstrap) => {
                self.execute(bootstrap, Vec::new())?;
                self.build(own)
            }
            None if release.buildout().exists() => self.build(release.buildout()),
            None => {
                let configured = self.context.settings.software.buildout.as_deref();
                let buildout = in_path(configured.unwrap_or(Path::new("buildout")));
                let mut place = OsString::from("buildout:bin-directory=");
                place.push(self.context.layout.sbin());
                self.execute(buildout, vec![place, "bootstrap".into()])?;
                self.build(own)
            }
        }
    }

    fn bootstrap_program(&self, release: &ReleaseLayout) -> Result<Option<PathBuf>, InstallError> {
        let bin = release.bin();
        let list = || -> io::Result<Vec<String>> {
            let names = std::fs::read_dir(&bin)?.map(|entry| Ok(entry?.file_name()));
            let names: Vec<OsString> = names.collect::<io::Result<_>>()?;
            let names = names.into_iter().filter_map(|name| name.into_string().ok());
            Ok(names.filter(|name| name.starts_with("bootstrap")).collect())
        };
        let mut names = match list() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            names => names.map_err(|source| InstallError::List {
                path: bin.clone(),
                source,
            })?,
        };
        names.sort();
        match names.as_slice() {
            [] => Ok(None),
            [name] => Ok(Some(bin.join(name))),
            _ => Err(InstallError::SeveralBootstraps(names)),
        }
    }

    /// Has buildout install the instance; with its debugger it has the terminal and all the time it
    /// needs.
    fn build(&self, buildout: PathBuf) -> Result<(), InstallError> {
        if !self.context.settings.mode.buildout_debug {
            return self.execute(buildout, vec!["-U".into()]);
        }
        let program = self.program(buildout, vec!["-D".into(), "-U".into()])?;
        process::run_in_foreground(&program)?.into_success()?;
        Ok(())
    }

    fn execute(&self, path: PathBuf, arguments: Vec<OsString>) -> Result<(), InstallError> {
        let mut program = self.program(path, arguments)?;
        program.timeout = self.context.settings.partition.timeout;
        let finished = process::run(&program, self.context.interruption, &mut |line| {
            self.log.output(line)
        })?;
        finished.into_success()?;
        Ok(())
    }

    fn program(&self, path: PathBuf, arguments: Vec<OsString>) -> Result<Program, InstallError> {
        let directory = self.context.layout.directory();
        let is_file = path.is_file();
        let mut program = Program::new(path, arguments, directory, self.environment.clone());
        program.account = Some(self.account.clone());
        program.umask = Some(BUILD_UMASK);
        // What is not there is left to the start to complain of.
        if is_file {
            Ok(through_interpreter(program)?)
        } else {
            Ok(program)
        }
    }

    /// The partition's user, if we may give files away.
    fn owner(&self) -> Option<Owner> {
        let (uid, gid) = self.account.ids();
        geteuid().is_root().then_some(Owner { uid, gid })
    }

    /// Root's file, which the partition's group may read.
    fn group_readable(&self) -> Option<Owner> {
        let (_, gid) = self.account.ids();
        geteuid().is_root().then_some(Owner { uid: 0, gid })
    }
}

/// The instance profile of a release. It may be a link, to files of whoever built the release only: the
/// partition's group will read what we read here as root.
fn read_profile(path: &Path, release: &ReleaseLayout) -> Result<Vec<u8>, ReadError> {
    if !path.is_symlink() {
        return read_bounded(path, PROFILE_LIMIT);
    }
    let directory = release.directory();
    let builder = directory.metadata().map_err(|source| ReadError {
        path: directory.to_owned(),
        source,
    })?;
    read_bounded_of(path, builder.uid(), PROFILE_LIMIT)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn linked_profiles_are_of_who_built_the_release() {
        let root = tempfile::tempdir().unwrap();
        let release = ReleaseLayout::new(root.path(), "http://example.org/software.cfg");
        let directory = release.directory();
        std::fs::create_dir(directory).unwrap();
        std::fs::write(directory.join("profile"), "[buildout]").unwrap();
        if geteuid().is_root() {
            for path in [directory, &directory.join("profile")] {
                std::os::unix::fs::chown(path, Some(65534), None).unwrap();
            }
        }
        let [link, _] = release.instance_profiles();
        symlink("profile", &link).unwrap();
        assert_eq!(read_profile(&link, &release).unwrap(), b"[buildout]");
        std::fs::remove_file(&link).unwrap();
        symlink("/etc/passwd", &link).unwrap();
        assert!(read_profile(&link, &release).is_err());
    }
}
