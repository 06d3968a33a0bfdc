//! The node's supervisord: its directories, its configuration, its start.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::unistd::geteuid;
use slapos_fs::{DirectoryError, FileAttributes, ensure_directory, remove_abandoned};
use supervisor::{
    Client, ConfigurationFileError, LaunchCommand, Presence, WaitError, XmlRpcError,
    launch_command, settle, wait_until_running, write_supervisord_conf,
};

use crate::environment::Environment;
use crate::process::{self, CALL_GRACE, Interruption, ProcessError, Program};
use crate::settings::Settings;
use crate::watchdog;

/// How long a start or a shutdown in progress may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// supervisord is not there to work with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SupervisordError {
    /// Its directories cannot be made.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// Its configuration cannot be written.
    #[error("cannot configure supervisord")]
    Configure(#[from] ConfigurationFileError),
    /// It cannot be started; its package may be missing.
    #[error("cannot start supervisord (is it installed and in PATH?)")]
    Launch(#[from] ProcessError),
    /// Its watchdog cannot be replaced.
    #[error("cannot replace the watchdog")]
    Watchdog(#[source] XmlRpcError),
    /// It does not become ready.
    #[error(transparent)]
    Wait(#[from] WaitError),
    /// There is one already, in the background or as another's.
    #[error("supervisord runs already")]
    Running,
    /// It does not run and must not be started by us.
    #[error("supervisord does not run, and forbid_supervisord_automatic_launch is set")]
    Forbidden,
    /// No descriptors are left.
    #[error("cannot handle signals")]
    Signals(#[source] io::Error),
}

/// Makes the directories below the instance root, and supervisord.conf. Says whether that changed.
fn make_structure(settings: &Settings) -> Result<bool, SupervisordError> {
    let root = &settings.instance_root;
    let directories = [
        ("etc", 0o700),
        ("etc/supervisord.conf.d", 0o700),
        ("var", 0o755),
        ("var/log", 0o700),
        ("var/run", 0o700),
        ("var/slapgrid", 0o700),
    ];
    for (name, mode) in directories {
        ensure_directory(&root.join(name), FileAttributes { mode, owner: None })?;
    }
    Ok(write_supervisord_conf(&settings.supervisord)?)
}

/// Has supervisord run, and returns its interface.
///
/// # Errors
/// It cannot be configured or started.
pub fn ensure_running(
    settings: &Settings,
    interruption: &Interruption,
) -> Result<Client, SupervisordError> {
    launch_if_absent(settings, interruption).map(|(client, _)| client)
}

/// As [`ensure_running`]; tells also whether it ran before.
pub(crate) fn launch_if_absent(
    settings: &Settings,
    interruption: &Interruption,
) -> Result<(Client, Presence), SupervisordError> {
    let changed = make_structure(settings)?;
    let (client, presence) = find(settings, interruption)?;
    if presence == Presence::Running {
        if changed {
            // Of what the file says, this alone can take effect without a restart.
            let replaced = client.update_group(watchdog::NAME);
            replaced.map_err(SupervisordError::Watchdog)?;
        }
        return Ok((client, Presence::Running));
    }
    log::info!("starting supervisord");
    tidy(settings);
    let program = program(settings, launch_command(&settings.supervisord));
    let finished = process::run(&program, interruption, &mut |line| {
        log::info!("{}", line.text)
    })?;
    finished.into_success()?;
    wait_until_running(&client, Instant::now() + PATIENCE)?;
    Ok((client, Presence::Absent))
}

/// Removes what killed runs have left of files, where supervisord is about to be started: that is seldom.
fn tidy(settings: &Settings) {
    for directory in ["etc", "etc/supervisord.conf.d", "var/slapgrid"] {
        remove_abandoned(&settings.instance_root.join(directory));
    }
}

/// Its interface, and whether it runs; if it does not, it may be launched.
pub(crate) fn find(
    settings: &Settings,
    interruption: &Interruption,
) -> Result<(Client, Presence), SupervisordError> {
    let client = client(settings, interruption);
    match settle(&client, Instant::now() + PATIENCE)? {
        Presence::Absent if !settings.launch_supervisord => Err(SupervisordError::Forbidden),
        presence => Ok((client, presence)),
    }
}

/// Its interface, whether it runs or not. Calls do not outlast an order to end.
pub(crate) fn client(settings: &Settings, interruption: &Interruption) -> Client {
    let client = Client::new(&settings.supervisord.paths.socket);
    client.cancelled_by(interruption.since(CALL_GRACE))
}

/// Becomes supervisord, unless one runs already.
///
/// # Errors
/// One runs, or it cannot be configured or started.
pub fn become_supervisord(
    settings: &Settings,
    interruption: &Interruption,
) -> Result<(), SupervisordError> {
    make_structure(settings)?;
    let (_, presence) = find(settings, interruption)?;
    if presence == Presence::Running {
        return Err(SupervisordError::Running);
    }
    let command = supervisor::foreground_command(&settings.supervisord);
    Err(process::replace_self(&program(settings, command)).into())
}

/// Becomes supervisorctl; comes back only with an error.
pub fn control(settings: &Settings, arguments: Vec<OsString>) -> SupervisordError {
    let command = supervisor::control_command(&settings.supervisord, arguments);
    process::replace_self(&program(settings, command)).into()
}

fn program(settings: &Settings, command: LaunchCommand) -> Program {
    let home = nix::unistd::User::from_uid(geteuid()).ok().flatten();
    let home = home.map_or_else(|| PathBuf::from("/"), |user| user.dir);
    let environment = Environment::clean(&home);
    Program::new(
        command.program,
        command.arguments,
        &settings.instance_root,
        environment,
    )
}
