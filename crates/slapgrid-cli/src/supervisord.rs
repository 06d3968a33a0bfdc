//! slapgrid-supervisord and slapgrid-supervisorctl.

use std::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use slapgrid_core::Interruption;
use slapgrid_core::options::Options;
use slapgrid_core::settings::Settings;
use slapgrid_core::{become_supervisord, control, ensure_running};
use slapos_cli::LogOptions;
use slapos_config::ConfigFile;

const SUPERVISORD_TOOL: &str = "slapgrid-supervisord";

/// Starts the supervisord of this node, if it does not run
#[derive(clap::Parser)]
#[command(name = "slapgrid-supervisord", version)]
struct StartArguments {
    #[command(flatten)]
    options: SupervisordOptions,
    /// slapos.cfg
    configuration_file: PathBuf,
}

/// How supervisord shall run.
#[derive(Debug, clap::Args)]
pub struct SupervisordOptions {
    /// Stay in the foreground as supervisord
    #[arg(short, long)]
    nodaemon: bool,
}

/// Runs supervisorctl for the supervisord of this node
#[derive(clap::Parser)]
#[command(name = "slapgrid-supervisorctl", version)]
struct ControlArguments {
    /// slapos.cfg
    configuration_file: PathBuf,
    /// What supervisorctl shall do; without any, it asks
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGUMENTS"
    )]
    arguments: Vec<OsString>,
}

/// The command line of slapgrid-supervisord.
pub fn start_command() -> Command {
    StartArguments::command()
}

/// The command line of slapgrid-supervisorctl.
pub fn control_command() -> Command {
    ControlArguments::command()
}

/// Runs slapgrid-supervisord.
pub fn start_supervisord() -> ExitCode {
    let arguments: StartArguments = slapos_cli::parse();
    let (file, options) = (&arguments.configuration_file, &arguments.options);
    let started = ensure_supervisord(file, options, &LogOptions::default());
    slapos_cli::finish(SUPERVISORD_TOOL, started)
}

/// Starts supervisord, if it does not run.
///
/// # Errors
/// The configuration cannot be used, or supervisord cannot be started.
pub fn ensure_supervisord(
    configuration: &Path,
    options: &SupervisordOptions,
    log: &LogOptions,
) -> Result<ExitCode, Box<dyn Error>> {
    let settings = Settings {
        // That it shall not be started unasked is no reason against this.
        launch_supervisord: true,
        ..settings(configuration)?
    };
    slapos_cli::init_logging(SUPERVISORD_TOOL, log)?;
    let interruption = Interruption::by_signals()?;
    if options.nodaemon {
        become_supervisord(&settings, &interruption)?;
    } else {
        ensure_running(&settings, &interruption)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs slapgrid-supervisorctl, which becomes supervisorctl.
pub fn control_supervisord() -> ExitCode {
    let arguments: ControlArguments = slapos_cli::parse();
    let settings = settings(&arguments.configuration_file);
    let ended = settings.map(|settings| control(&settings, arguments.arguments));
    let error: Box<dyn Error> = ended.map_or_else(|error| error, Into::into);
    slapos_cli::finish("slapgrid-supervisorctl", Err(error))
}

/// Becomes supervisorctl as slapos.core does: first it starts supervisord, if that does not run and may
/// be started unasked.
///
/// # Errors
/// It comes back only if the configuration cannot be used, or one of them cannot be started.
pub fn start_and_control_supervisord(
    configuration: &Path,
    arguments: Vec<OsString>,
    log: &LogOptions,
) -> Result<ExitCode, Box<dyn Error>> {
    let settings = settings(configuration)?;
    let is_shutdown = arguments.first().is_some_and(|first| first == "shutdown");
    if settings.launch_supervisord && !is_shutdown {
        slapos_cli::init_logging(SUPERVISORD_TOOL, log)?;
        ensure_running(&settings, &Interruption::by_signals()?)?;
    }
    Err(control(&settings, arguments).into())
}

fn settings(configuration: &Path) -> Result<Settings, Box<dyn Error>> {
    let file = ConfigFile::read(configuration)?;
    let options = Options {
        watchdog: crate::watchdog::program(),
        ..Options::default()
    };
    Ok(Settings::from_config(&file, &options)?)
}
