//! What there is: the kept computer, directories, users.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{User, geteuid};
use slap_proto::documents::{ComputerConfiguration, DocumentError};
use slapos_fs::Owner;

use crate::addresses::{self, InterfaceAddress};
use crate::definition::{Definition, DefinitionError};
use crate::settings::Settings;

/// What there is could not be found out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObserveError {
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file of the computer is corrupt; it is left as it is.
    #[error(
        "{path} does not describe a computer; restore it from a backup, or move it away to begin anew"
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Why.
        source: DocumentError,
    },
    /// The definition file cannot be used.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The system does not tell its interfaces or users.
    #[error("cannot read {what}")]
    System {
        /// What was asked for.
        what: String,
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
    pub(crate) interfaces: Vec<InterfaceAddress>,
    /// Directories of interest that exist.
    pub(crate) directories: BTreeMap<PathBuf, PresentDirectory>,
    /// Contents of files of interest that exist.
    pub(crate) files: BTreeMap<PathBuf, Vec<u8>>,
    /// Users of interest that exist.
    pub(crate) users: BTreeMap<String, Owner>,
    /// Whether owners may be set.
    pub(crate) root: bool,
}

impl Observed {
    /// What does not depend on the partitions.
    pub(crate) fn read(settings: &Settings) -> Result<Self, ObserveError> {
        let definition = settings
            .input_definition_file
            .as_deref()
            .map(Definition::read)
            .transpose()?;
        let interfaces = addresses::of_interfaces().map_err(|source| ObserveError::System {
            what: "the network interfaces".to_owned(),
            source,
        })?;
        let kept = kept_computer(&settings.computer_xml)?;
        Ok(Self {
            definition,
            kept,
            interfaces,
            root: geteuid().is_root(),
            ..Self::default()
        })
    }

    /// What the wanted computer makes interesting.
    pub(crate) fn look_at(
        &mut self,
        directories: impl Iterator<Item = PathBuf>,
        files: impl Iterator<Item = PathBuf>,
        users: impl Iterator<Item = String>,
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
        for name in users {
            let user = User::from_name(&name).map_err(|source| ObserveError::System {
                what: format!("the user {name}"),
                source,
            })?;
            if let Some(user) = user {
                self.users.insert(
                    name,
                    Owner {
                        uid: user.uid.as_raw(),
                        gid: user.gid.as_raw(),
                    },
                );
            }
        }
        Ok(())
    }
}

/// Largest file of ours that is compared, in bytes.
const LARGEST_FILE: u64 = 64 << 20;

fn kept_computer(path: &Path) -> Result<Option<ComputerConfiguration>, ObserveError> {
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
            source,
        })
}

fn directory(path: &Path) -> Result<Option<PresentDirectory>, ObserveError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(metadata.is_dir().then(|| PresentDirectory {
            mode: metadata.mode() & 0o7777,
            owner: Owner {
                uid: metadata.uid(),
                gid: metadata.gid(),
            },
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ObserveError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}
