//! Writing and removing the files that supervisord reads.

use std::path::{Path, PathBuf};
use std::{fs, io};

use slapos_fs::{FileAttributes, WriteError};

use super::group::GroupConfig;
use super::server::{Paths, Settings, render_supervisord_conf};
use super::{RenderError, text};

/// The environment of programs is nobody else's business.
const PRIVATE: FileAttributes = FileAttributes {
    mode: 0o600,
    owner: None,
};

/// A configuration file could not be brought up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigurationFileError {
    /// The configuration cannot be said in supervisord's language.
    #[error(transparent)]
    Render(RenderError),
    /// The file could not be written; the old one is untouched.
    #[error(transparent)]
    Write(WriteError),
    /// The file could not be removed.
    #[error("cannot remove {path}")]
    Remove {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Writes supervisord.conf; says whether it changed. Its directory must exist.
pub fn write_supervisord_conf(settings: &Settings) -> Result<bool, ConfigurationFileError> {
    let conf = render_supervisord_conf(settings).map_err(ConfigurationFileError::Render)?;
    write(&settings.paths.configuration, &conf)
}

/// Writes the file of a group; says whether it changed. The include directory must exist.
pub fn write_group(paths: &Paths, group: &GroupConfig) -> Result<bool, ConfigurationFileError> {
    let conf = group.render().map_err(ConfigurationFileError::Render)?;
    write(&paths.group_file(&group.name), &conf)
}

/// Removes the file of a group; says whether there was one.
pub fn remove_group(paths: &Paths, group: &str) -> Result<bool, ConfigurationFileError> {
    text::name(group).map_err(|problem| {
        let name = group.to_owned();
        ConfigurationFileError::Render(RenderError::Name {
            kind: "group",
            name,
            problem,
        })
    })?;
    let path = paths.group_file(group);
    match fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(ConfigurationFileError::Remove { path, source }),
    }
}

fn write(path: &Path, conf: &str) -> Result<bool, ConfigurationFileError> {
    slapos_fs::write_if_changed(path, conf.as_bytes(), PRIVATE)
        .map_err(ConfigurationFileError::Write)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::Problem;

    #[test]
    fn configuration_is_private_and_written_once() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        let mut settings = Settings::new(Paths::under(root.path()));
        assert!(write_supervisord_conf(&settings).unwrap());
        assert!(!write_supervisord_conf(&settings).unwrap());
        let mode = settings
            .paths
            .configuration
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o7777, 0o600);
        settings.paths.socket = root.path().join("other.sock");
        assert!(write_supervisord_conf(&settings).unwrap());
    }

    #[test]
    fn a_missing_directory_is_named() {
        let root = tempfile::tempdir().unwrap();
        let settings = Settings::new(Paths::under(root.path()));
        let error = write_supervisord_conf(&settings).unwrap_err();
        assert!(
            error.to_string().contains("etc/supervisord.conf"),
            "{error}"
        );
    }

    #[test]
    fn groups_that_lead_outside_the_directory_are_not_removed() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::under(root.path());
        let error = remove_group(&paths, "../victim").unwrap_err();
        let ConfigurationFileError::Render(RenderError::Name { problem, .. }) = error else {
            panic!("{error}");
        };
        assert_eq!(problem, Problem::NameCharacter);
    }

    #[test]
    fn removing_says_whether_there_was_a_file() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::under(root.path());
        fs::create_dir_all(&paths.include_directory).unwrap();
        fs::write(paths.group_file("slappart0"), "").unwrap();
        assert!(remove_group(&paths, "slappart0").unwrap());
        assert!(!remove_group(&paths, "slappart0").unwrap());
    }
}
