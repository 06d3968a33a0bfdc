//! What there is: the kept computer, the network, directories, users.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;
use slap_proto::documents::{ComputerConfiguration, DocumentError};
use slapos_fs::Owner;

use crate::accounts::Accounts;
use crate::backups;
use crate::claims::Claims;
use crate::definition::{Definition, DefinitionError};
use crate::describe::Machine;
use crate::machine;
use crate::netlink::{Kernel, NetlinkError};
use crate::network::Network;
use crate::settings::Settings;
use crate::sysctl;

/// What there is could not be found out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObserveError {
    /// A file or directory cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file of the computer is corrupt; it is left as it is.
    #[error("{path} does not describe a computer; {hint}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What can be done about it.
        hint: String,
        /// Why.
        source: DocumentError,
    },
    /// The definition file cannot be used.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The kernel does not tell the network.
    #[error(transparent)]
    Netlink(#[from] NetlinkError),
    /// The system does not tell its users.
    #[error("cannot look up the user {name}")]
    User {
        /// Who was asked for.
        name: String,
        /// Why.
        source: nix::errno::Errno,
    },
}

/// A directory that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PresentDirectory {
    pub(crate) mode: u32,
    pub(crate) owner: Owner,
}

/// What there is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Observed {
    pub(crate) definition: Option<Definition>,
    pub(crate) kept: Option<ComputerConfiguration>,
    /// Whether a run was not finished.
    pub(crate) unfinished: bool,
    /// What of the network is ours.
    pub(crate) claims: Claims,
    pub(crate) network: Network,
    /// Directories of `instance_storage_home`.
    pub(crate) storage_disks: Vec<PathBuf>,
    pub(crate) machine: Machine,
    /// Directories of interest that exist.
    pub(crate) directories: BTreeMap<PathBuf, PresentDirectory>,
    /// Contents of files of interest that exist.
    pub(crate) files: BTreeMap<PathBuf, Vec<u8>>,
    pub(crate) accounts: Accounts,
    /// Whether owners may be set.
    pub(crate) root: bool,
}

impl Observed {
    /// What does not depend on the partitions.
    pub(crate) fn read(settings: &Settings) -> Result<Self, ObserveError> {
        let definition = settings.input_definition_file.as_deref();
        let kept = document(&settings.computer_xml)?;
        let unfinished = document(&backups::unfinished(&settings.computer_xml))?;
        let storage_home = settings.instance_storage_home.as_deref();
        let mut observed = Self {
            definition: definition.map(Definition::read).transpose()?,
            claims: Claims::of(kept.iter().chain(&unfinished)),
            unfinished: unfinished.is_some(),
            kept,
            network: network()?,
            storage_disks: storage_home.map_or_else(|| Ok(Vec::new()), subdirectories)?,
            root: geteuid().is_root(),
            ..Self::default()
        };
        observed.machine = Machine {
            os_type: machine::os_type(),
            public_ipv4: crate::compose::public_ipv4(&observed).map(|address| address.to_string()),
        };
        Ok(observed)
    }

    /// The directories that lead to the roots, which may be symbolic links.
    pub(crate) fn look_around(&mut self, directories: impl Iterator<Item = PathBuf>) {
        for path in directories {
            if let Ok(metadata) = fs::metadata(&path) {
                self.directories.insert(path, present(&metadata));
            }
        }
    }

    /// What the wanted computer makes interesting.
    pub(crate) fn look_at(
        &mut self,
        directories: impl Iterator<Item = PathBuf>,
        files: impl Iterator<Item = PathBuf>,
        users: &[&str],
    ) -> Result<(), ObserveError> {
        for path in directories {
            if let Some(present) = directory(&path)? {
                self.directories.insert(path, present);
            }
        }
        for path in files {
            if let Ok(contents) = slapos_fs::read_bounded(&path, LARGEST_FILE) {
                self.files.insert(path, contents);
            }
        }
        self.accounts = Accounts::look_up(users.iter().copied())
            .map_err(|(name, source)| ObserveError::User { name, source })?;
        Ok(())
    }
}

/// Largest file of ours that is compared, in bytes.
const LARGEST_FILE: u64 = 64 << 20;

fn network() -> Result<Network, NetlinkError> {
    let mut kernel = Kernel::open()?;
    Ok(Network {
        links: kernel.links()?,
        addresses: kernel.addresses()?,
        routes: kernel.routes()?,
        nonlocal_bind: sysctl::nonlocal_bind(),
    })
}

/// A document of ours that may not be there.
fn document(path: &Path) -> Result<Option<ComputerConfiguration>, ObserveError> {
    let contents = match fs::read(path) {
        Ok(contents) => contents,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(ObserveError::Read {
                path: path.to_owned(),
                source,
            });
        }
    };
    ComputerConfiguration::from_document(&contents)
        .map(Some)
        .map_err(|source| ObserveError::Corrupt {
            path: path.to_owned(),
            hint: backups::hint(path),
            source,
        })
}

fn directory(path: &Path) -> Result<Option<PresentDirectory>, ObserveError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(metadata.is_dir().then(|| present(&metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ObserveError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

fn present(metadata: &fs::Metadata) -> PresentDirectory {
    PresentDirectory {
        mode: metadata.mode() & 0o7777,
        owner: Owner {
            uid: metadata.uid(),
            gid: metadata.gid(),
        },
    }
}

/// The directories in a directory, sorted; none if it does not exist.
fn subdirectories(path: &Path) -> Result<Vec<PathBuf>, ObserveError> {
    let failed = |source| ObserveError::Read {
        path: path.to_owned(),
        source,
    };
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut directories = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            directories.push(entry.path());
        }
    }
    directories.sort();
    Ok(directories)
}
