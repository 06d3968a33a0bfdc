//! The command line that slapgrid, slapgrid-sr, slapgrid-cp and slapgrid-ur share, and that of
//! the tools for their supervisord. The binaries only say who they are.

mod options;
mod supervisord;
mod watchdog;

use std::error::Error;
use std::process::ExitCode;

use slapgrid_core::settings::{Settings, SettingsError};
use slapgrid_core::status::NodeStatus;
use slapgrid_core::{Phase, RunError, run};
use slapos_cli::{LogOptions, describe, exit};
use slapos_config::ConfigFile;

pub use options::Arguments;
pub use supervisord::{control_supervisord, start_supervisord};
pub use watchdog::watch;

/// Runs one of the slapgrid tools: parses, does the phases, and returns the exit code.
pub fn main(tool: &'static str, phases: &[Phase]) -> ExitCode {
    let arguments: Arguments = slapos_cli::parse_as(tool);
    match work(tool, phases, &arguments) {
        Err(Failed::MissingParameters(message)) => {
            slapos_cli::tell(tool, &message);
            ExitCode::from(exit::USAGE)
        }
        Err(Failed::AlreadyRunning(message)) => {
            slapos_cli::tell(tool, &message);
            ExitCode::from(exit::ALREADY_RUNNING)
        }
        Err(Failed::Other(error)) => slapos_cli::finish(tool, Err(error)),
        Ok(code) => code,
    }
}

/// Failures that have exit codes of their own.
enum Failed {
    MissingParameters(String),
    AlreadyRunning(String),
    Other(Box<dyn Error>),
}

impl<E: Error + 'static> From<E> for Failed {
    fn from(error: E) -> Self {
        let error: Box<dyn Error> = Box::new(error);
        let settings = error.downcast_ref::<SettingsError>();
        if settings.is_some_and(|error| matches!(error, SettingsError::Missing(_))) {
            return Self::MissingParameters(describe(&*error));
        }
        let run = error.downcast_ref::<RunError>();
        let running = run.is_some_and(|error| match error {
            RunError::PidFile(error) => error.is_running(),
            _ => false,
        });
        if running {
            Self::AlreadyRunning(describe(&*error))
        } else {
            Self::Other(error)
        }
    }
}

fn work(tool: &'static str, phases: &[Phase], arguments: &Arguments) -> Result<ExitCode, Failed> {
    let file = ConfigFile::read(&arguments.configuration_file)?;
    let settings = Settings::from_config(&file, &arguments.options(phases))?;
    if arguments.status {
        return status(&settings, arguments.json);
    }
    let configured = file.section("slapos").get_path("logfile")?;
    let log = LogOptions {
        verbose: arguments.verbose,
        console: arguments.console,
        file: arguments.logfile.clone().or(configured),
    };
    slapos_cli::init_logging(tool, &log)?;
    let phases = if arguments.promises_only {
        &[Phase::Promises]
    } else {
        phases
    };
    let outcome = run(&settings, phases)?;
    Ok(ExitCode::from(outcome.exit_code()))
}

/// Shows how the node is.
fn status(settings: &Settings, as_json: bool) -> Result<ExitCode, Failed> {
    let status = NodeStatus::read(settings)?;
    let text = if as_json {
        serde_json::to_string_pretty(&status)? + "\n"
    } else {
        status.to_string()
    };
    slapos_cli::print(&text)?;
    Ok(match (status.runs(), status.keeps_promises()) {
        (false, _) => ExitCode::FAILURE,
        (true, false) => ExitCode::from(exit::PROMISE_FAILED),
        (true, true) => ExitCode::SUCCESS,
    })
}
