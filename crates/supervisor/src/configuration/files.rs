//! Writing the files that supervisord reads.

use std::path::Path;

use slapos_fs::{FileAttributes, WriteError};

use super::RenderError;
use super::group::GroupConfig;
use super::server::{Paths, Settings, render_supervisord_conf};

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

fn write(path: &Path, conf: &str) -> Result<bool, ConfigurationFileError> {
    slapos_fs::write_if_changed(path, conf.as_bytes(), PRIVATE)
        .map_err(ConfigurationFileError::Write)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

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
}
