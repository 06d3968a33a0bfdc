//! What there is: the kept computer, the network, directories, users.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;
use slap_proto::documents::{ComputerConfiguration, DocumentError};
use slapos_fs::{FollowError, Owner, follow_trusted};

use crate::accounts::Accounts;
use crate::backups;
use crate::claims::Claims;
use crate::definition::{Definition, DefinitionError};
use crate::describe::Machine;
use crate::machine;
use crate::netlink::{Kernel, NetlinkError};
use crate::network::Network;
use crate::plan::parents;
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
    /// Something else is where a directory shall be.
    #[error("{path} is {found}: a directory shall be there")]
    Obstacle {
        /// The path.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// A root is a symbolic link that is not to be followed.
    #[error("{path} is a symbolic link that cannot be followed safely")]
    Link {
        /// The link.
        path: PathBuf,
        /// Why not.
        source: FollowError,
    },
    /// A file is to be written where no directory is.
    #[error("{file}: there is no directory {directory}")]
    NoDirectory {
        /// The file.
        file: PathBuf,
        /// Where it shall be.
        directory: PathBuf,
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
    /// Files that this user may not read: whether they would change is not known.
    pub(crate) unreadable: BTreeSet<PathBuf>,
    /// Roots that are symbolic links, and the directories that these lead to.
    pub(crate) followed: BTreeMap<PathBuf, PathBuf>,
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

    /// A root, and the directories that lead to it, which may be symbolic links.
    pub(crate) fn look_around(&mut self, root: &Path) -> Result<(), ObserveError> {
        for path in parents(root) {
            if let Ok(metadata) = fs::metadata(path) {
                self.directories.insert(path.to_owned(), present(&metadata));
            }
        }
        let mut place = root.to_owned();
        if root.is_symlink() {
            place = follow_trusted(root).map_err(|source| ObserveError::Link {
                path: root.to_owned(),
                source,
            })?;
            self.followed.insert(root.to_owned(), place.clone());
        }
        let found = directory(&place)?;
        self.directories.extend(found.map(|found| (place, found)));
        Ok(())
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
            match slapos_fs::read_bounded(&path, LARGEST_FILE) {
                Ok(contents) => {
                    self.files.insert(path, contents);
                }
                Err(error) if error.source.kind() == io::ErrorKind::PermissionDenied => {
                    self.unreadable.insert(path);
                }
                // It is made, or replaced.
                Err(_) => {}
            }
        }
        self.accounts = Accounts::look_up(users.iter().copied())
            .map_err(|(name, source)| ObserveError::User { name, source })?;
        Ok(())
    }
}

impl Observed {
    /// Whether the file is known to hold something else, or not to be there.
    pub(crate) fn differs(&self, path: &Path, contents: &str) -> bool {
        let present = self.files.get(path);
        let same = present.is_some_and(|present| present == contents.as_bytes());
        !same && !self.unreadable.contains(path)
    }
}

/// Says which of the files cannot be made for want of a directory.
pub(crate) fn check_places<'a>(
    files: impl IntoIterator<Item = &'a Path>,
) -> Result<(), ObserveError> {
    for file in files {
        let directory = file.parent().filter(|path| !path.as_os_str().is_empty());
        if let Some(directory) = directory.filter(|directory| !directory.is_dir()) {
            return Err(ObserveError::NoDirectory {
                file: file.to_owned(),
                directory: directory.to_owned(),
            });
        }
    }
    Ok(())
}

/// Largest file of ours that is read, in bytes.
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
    // An admin's link to the file is followed, once, for reading; it is replaced by a file.
    let file = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let contents = match slapos_fs::read_bounded(&file, LARGEST_FILE) {
        Ok(contents) => contents,
        Err(error) if error.source.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(ObserveError::Read {
                path: path.to_owned(),
                source: error.source,
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
        Ok(metadata) if metadata.is_dir() => Ok(Some(present(&metadata))),
        Ok(metadata) => Err(ObserveError::Obstacle {
            path: path.to_owned(),
            found: if metadata.is_symlink() {
                "a symbolic link"
            } else {
                "no directory"
            },
        }),
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
