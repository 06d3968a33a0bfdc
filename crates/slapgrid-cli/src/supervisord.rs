//! slapgrid-supervisord and slapgrid-supervisorctl.

use std::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use slapgrid_core::Interruption;
use slapgrid_core::options::Options;
use slapgrid_core::settings::Settings;
use slapgrid_core::{control, ensure_running};
use slapos_cli::LogOptions;
use slapos_config::ConfigFile;

/// Starts the supervisord of this node, if it does not run
#[derive(clap::Parser)]
#[command(name = "slapgrid-supervisord", version)]
struct StartArguments {
    /// slapos.cfg
    configuration_file: PathBuf,
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

/// Runs slapgrid-supervisord.
pub fn start_supervisord() -> ExitCode {
    let arguments: StartArguments = slapos_cli::parse();
    slapos_cli::finish("slapgrid-supervisord", start(&arguments.configuration_file))
}

fn start(configuration: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let settings = settings(configuration)?;
    slapos_cli::init_logging("slapgrid-supervisord", &LogOptions::default())?;
    ensure_running(&settings, &Interruption::by_signals()?)?;
    Ok(ExitCode::SUCCESS)
}

/// Runs slapgrid-supervisorctl, which becomes supervisorctl.
pub fn control_supervisord() -> ExitCode {
    let arguments: ControlArguments = slapos_cli::parse();
    slapos_cli::finish("slapgrid-supervisorctl", become_supervisorctl(arguments))
}

fn become_supervisorctl(arguments: ControlArguments) -> Result<ExitCode, Box<dyn Error>> {
    let settings = settings(&arguments.configuration_file)?;
    Err(control(&settings, arguments.arguments).into())
}

fn settings(configuration: &Path) -> Result<Settings, Box<dyn Error>> {
    let file = ConfigFile::read(configuration)?;
    let options = Options {
        watchdog: crate::watchdog::program(),
        ..Options::default()
    };
    Ok(Settings::from_config(&file, &options)?)
}
