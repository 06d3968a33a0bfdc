//! How to start supervisord and its console, as data.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::configuration::server::Settings;

/// A program to run, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchCommand {
    /// A path, or a name that is looked up in PATH.
    pub program: PathBuf,
    /// Its arguments, without the program itself.
    pub arguments: Vec<OsString>,
}

/// The command that starts supervisord, which puts itself into the background:
/// its exit status says whether its configuration was understood. Then [wait](crate::wait_until_running).
pub fn launch_command(settings: &Settings) -> LaunchCommand {
    command(settings.program.clone(), settings)
}

/// As [`launch_command`], but it stays in the foreground.
pub fn foreground_command(settings: &Settings) -> LaunchCommand {
    let mut command = launch_command(settings);
    command.arguments.push("--nodaemon".into());
    command
}

/// supervisorctl, from beside supervisord, for this supervisord; interactive without arguments.
pub fn control_command(
    settings: &Settings,
    arguments: impl IntoIterator<Item = OsString>,
) -> LaunchCommand {
    let mut command = command(settings.program.with_file_name("supervisorctl"), settings);
    command.arguments.extend(arguments);
    command
}

fn command(program: PathBuf, settings: &Settings) -> LaunchCommand {
    let configuration: &Path = &settings.paths.configuration;
    LaunchCommand {
        program,
        arguments: vec!["-c".into(), configuration.into()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Paths;

    #[test]
    fn control_program_lies_beside_supervisord() {
        let mut settings = Settings::new(Paths::under(Path::new("/srv/slapgrid")));
        assert_eq!(
            control_command(&settings, []).program,
            Path::new("supervisorctl")
        );
        settings.program = PathBuf::from("/opt/supervisor/bin/supervisord");
        let command = control_command(&settings, ["status".into()]);
        assert_eq!(
            command.program,
            Path::new("/opt/supervisor/bin/supervisorctl")
        );
        assert_eq!(
            command.arguments,
            ["-c", "/srv/slapgrid/etc/supervisord.conf", "status"]
        );
    }
}
