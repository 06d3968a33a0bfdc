//! The command line that slapgrid, slapgrid-sr, slapgrid-cp and slapgrid-ur share, and that of
//! the tools for their supervisord. The binaries only say who they are.

mod options;
mod progress;
mod status;
mod supervisord;
mod watchdog;

use std::error::Error;
use std::process::ExitCode;

use serde::Serialize;
use slapgrid_core::outcome::OutcomeDocument;
use slapgrid_core::plan::RunPlan;
use slapgrid_core::plan::release::is_release_name;
use slapgrid_core::settings::{Settings, SettingsError};
use slapgrid_core::status::NodeStatus;
use slapgrid_core::watch::Watch;
use slapgrid_core::{Phase, RunError, export_bundle, import_bundle, plan_run, run};
use slapos_cli::{LogOptions, ToolLog, Verbosity, describe, exit, printable};
use slapos_config::ConfigFile;

pub use options::Arguments;
use progress::Bars;
pub use supervisord::{control_supervisord, start_supervisord};
pub use watchdog::watch;

/// Runs one of the slapgrid tools: parses, does the phases, and returns the exit code. `about` is the
/// sentence by which its help says what it does.
pub fn main(tool: &'static str, about: &'static str, phases: &[Phase]) -> ExitCode {
    let arguments = options::joined(std::env::args_os());
    let arguments: Arguments = slapos_cli::parse_as(tool, about, arguments);
    work(tool, phases, &arguments).unwrap_or_else(|failed| {
        let (code, message) = failed.code_and_message();
        slapos_cli::tell(tool, &message);
        if arguments.json
            && let Err(error) = print_json(&OutcomeDocument::not_begun(code, &message))
        {
            slapos_cli::tell(tool, &describe(&error));
        }
        ExitCode::from(code)
    })
}

/// Failures that have exit codes of their own.
enum Failed {
    Usage(String),
    AlreadyRunning(String),
    Other(Box<dyn Error>),
}

impl Failed {
    fn code_and_message(self) -> (u8, String) {
        match self {
            Self::Usage(message) => (exit::USAGE, message),
            Self::AlreadyRunning(message) => (exit::ALREADY_RUNNING, message),
            Self::Other(error) => (exit::FAILED, describe(&*error)),
        }
    }
}

impl<E: Error + 'static> From<E> for Failed {
    fn from(error: E) -> Self {
        let error: Box<dyn Error> = Box::new(error);
        let settings = error.downcast_ref::<SettingsError>();
        if settings.is_some_and(|error| matches!(error, SettingsError::Missing(_))) {
            return Self::Usage(describe(&*error));
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
    let bundle = arguments.export_bundle.is_some() || arguments.import_bundle.is_some();
    if bundle && phases != [Phase::Software] {
        let message = "only slapgrid-sr exports and imports bundles";
        return Err(Failed::Usage(message.to_owned()));
    }
    let file = ConfigFile::read(&arguments.configuration_file)?;
    let settings = Settings::from_config(&file, &arguments.options(phases))?;
    if arguments.status {
        return status(&settings, arguments.json);
    }
    let bars = Bars::new(arguments);
    init_logging(tool, &file, arguments, &bars)?;
    if arguments.dry_run {
        return show(&plan_run(&settings, phases)?, arguments.json);
    }
    let reread = || reread(arguments, phases);
    let phases = if arguments.promises_only {
        &[Phase::Promises]
    } else {
        phases
    };
    if let Some(interval) = arguments.watch {
        let watch = Watch {
            interval,
            phases,
            observer: &bars,
            reread: &reread,
        };
        watch.run(settings)?;
        return Ok(ExitCode::SUCCESS);
    }
    let outcome = match (&arguments.export_bundle, &arguments.import_bundle) {
        (Some(file), _) => export_bundle(&settings, file)?,
        (None, Some(file)) => import_bundle(&settings, file)?,
        (None, None) => run(&settings, phases, &bars)?,
    };
    if arguments.json {
        print_json(&OutcomeDocument::of(&settings, &outcome))?;
    }
    Ok(ExitCode::from(outcome.exit_code()))
}

/// Reads the configuration again.
fn reread(arguments: &Arguments, phases: &[Phase]) -> Result<Settings, Box<dyn Error>> {
    let file = ConfigFile::read(&arguments.configuration_file)?;
    Ok(Settings::from_config(&file, &arguments.options(phases))?)
}

fn init_logging(
    tool: &'static str,
    file: &ConfigFile,
    arguments: &Arguments,
    bars: &Bars,
) -> Result<(), Failed> {
    let configured = file.section("slapos").get_path("logfile")?;
    let options = LogOptions {
        verbosity: Verbosity::from_flags(arguments.quiet, arguments.verbose),
        console: arguments.console,
        // A dry run changes nothing, not even a log.
        file: arguments
            .logfile
            .clone()
            .or(configured)
            .filter(|_| !arguments.dry_run),
        format: arguments.log_format,
    };
    let log = ToolLog {
        tool,
        // No partition is called by 32 hexadecimal digits.
        subject_key: |subject| match is_release_name(subject) {
            true => "release",
            false => "partition",
        },
        console: bars.console(),
    };
    Ok(slapos_cli::init_tool_logging(log, &options)?)
}

/// Shows what a run would do.
fn show(plan: &RunPlan, as_json: bool) -> Result<ExitCode, Failed> {
    if as_json {
        print_json(plan)?;
    } else {
        slapos_cli::print(&summary(plan))?;
    }
    Ok(ExitCode::from(plan.exit_code()))
}

/// The errors are in the log.
fn summary(plan: &RunPlan) -> String {
    let steps = plan.steps();
    match (steps.is_empty(), plan.errors.is_empty()) {
        (true, true) => return "nothing to do\n".to_owned(),
        (true, false) => return String::new(),
        (false, _) => {}
    }
    let steps = steps.iter().map(|step| printable(step, "    "));
    let lines = steps.map(|step| format!("  {step}\n"));
    format!("would:\n{}", lines.collect::<String>())
}

fn print_json(document: &impl Serialize) -> Result<(), std::io::Error> {
    let text = serde_json::to_string_pretty(document)?;
    slapos_cli::print(&(text + "\n"))
}

/// Shows how the node is.
fn status(settings: &Settings, as_json: bool) -> Result<ExitCode, Failed> {
    let status = NodeStatus::read(settings)?;
    if as_json {
        print_json(&status)?;
    } else {
        slapos_cli::print(&status::text(&status))?;
    }
    Ok(match (status.runs(), status.keeps_promises()) {
        (false, _) => ExitCode::FAILURE,
        (true, false) => ExitCode::from(exit::PROMISE_FAILED),
        (true, true) => ExitCode::SUCCESS,
    })
}
