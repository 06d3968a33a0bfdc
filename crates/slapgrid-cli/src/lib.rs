//! The command line that slapgrid, slapgrid-sr, slapgrid-cp and slapgrid-ur share, and that of
//! the tools for their supervisord. The binaries only say who they are.

mod caller;
mod options;
mod progress;
mod status;
mod supervisord;
mod tools;
mod watchdog;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;
use slapgrid_core::outcome::OutcomeDocument;
use slapgrid_core::plan::RunPlan;
use slapgrid_core::plan::release::is_release_name;
use slapgrid_core::settings::{Settings, SettingsError};
use slapgrid_core::status::NodeStatus;
use slapgrid_core::watch::Watch;
use slapgrid_core::{
    Phase, RunError, export_bundle, import_bundle, plan_prune, plan_run, run as core_run,
};
use slapos_cli::{LogOptions, ToolLog, describe, exit, printable};
use slapos_config::ConfigFile;

pub use caller::Caller;
use options::Arguments;
pub use options::{EXIT_CODES, RunOptions};
use progress::Bars;
pub use supervisord::{
    SupervisordOptions, control_command, control_supervisord, ensure_supervisord,
    start_and_control_supervisord, start_command, start_supervisord,
};
pub use tools::{SLAPGRID, SLAPGRID_CP, SLAPGRID_SR, SLAPGRID_UR, Tool};
pub use watchdog::{watch, watch_command};

/// Runs one of the slapgrid tools: parses, does the phases, and returns the exit code.
pub fn main(tool: &'static Tool) -> ExitCode {
    let arguments: Arguments = slapos_cli::parse_as(tool.name, tool.about, std::env::args_os());
    let (file, log) = (&arguments.configuration_file, arguments.log_options());
    run(&Caller::Tool(tool), file, &arguments.options, Some(log))
}

/// Does what the options say, and returns the exit code. Without `log`, the caller has begun to log.
pub fn run(
    caller: &Caller,
    configuration: &Path,
    options: &RunOptions,
    log: Option<LogOptions>,
) -> ExitCode {
    let call = Call {
        caller,
        configuration,
        options,
    };
    call.work(log).unwrap_or_else(|failed| {
        let (code, message) = failed.code_and_message();
        slapos_cli::tell(caller.tool().name, &message);
        if options.json
            && let Err(error) = print_json(&OutcomeDocument::not_begun(code, &message))
        {
            slapos_cli::tell(caller.tool().name, &describe(&error));
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

/// Who calls, and what for.
struct Call<'a> {
    caller: &'a Caller,
    configuration: &'a Path,
    options: &'a RunOptions,
}

impl Call<'_> {
    fn work(&self, log: Option<LogOptions>) -> Result<ExitCode, Failed> {
        let (options, mut phases) = (self.options, self.caller.tool().phases);
        if let Some(message) = options.contradiction(phases) {
            return Err(Failed::Usage(message.to_owned()));
        }
        let file = ConfigFile::read(self.configuration)?;
        let settings = Settings::from_config(&file, &options.of(self.caller))?;
        if options.status {
            return status(&settings, options.json);
        }
        let bars = Bars::new(options, log.as_ref());
        if let Some(log) = log {
            self.init_logging(&file, log, &bars)?;
        }
        if options.prune {
            return self.prune(&settings);
        }
        if options.dry_run {
            return show(&plan_run(&settings, phases)?, options.json);
        }
        if options.promises_only {
            phases = &[Phase::Promises];
        }
        if let Some(interval) = options.watch {
            let watch = Watch {
                interval,
                phases,
                observer: &bars,
                reread: &|| self.reread(),
            };
            watch.run(settings)?;
            return Ok(ExitCode::SUCCESS);
        }
        let outcome = match (&options.export_bundle, &options.import_bundle) {
            (Some(file), _) => export_bundle(&settings, file)?,
            (None, Some(file)) => import_bundle(&settings, file)?,
            (None, None) => core_run(&settings, phases, self.delay(&settings), &bars)?,
        };
        if options.json {
            print_json(&OutcomeDocument::of(&settings, &outcome))?;
        }
        Ok(ExitCode::from(outcome.exit_code()))
    }

    /// Removes shared parts that nothing uses, or shows them.
    fn prune(&self, settings: &Settings) -> Result<ExitCode, Failed> {
        let more = &self.options.additional_software_directory;
        let code = if self.options.dry_run {
            let steps = plan_prune(settings, more)?.steps();
            slapos_cli::print(&list(&steps))?;
            match steps.is_empty() {
                true => exit::CLEAN,
                false => exit::CHANGES_WANTED,
            }
        } else {
            match slapgrid_core::prune(settings, more)? {
                true => exit::CLEAN,
                false => exit::FAILED,
            }
        };
        Ok(ExitCode::from(code))
    }

    /// Reads the configuration again.
    fn reread(&self) -> Result<Settings, Box<dyn Error>> {
        let file = ConfigFile::read(self.configuration)?;
        Ok(Settings::from_config(&file, &self.options.of(self.caller))?)
    }

    fn delay(&self, settings: &Settings) -> Option<Duration> {
        let at_once = self.options.now || self.options.boot;
        (!at_once).then(|| slapos_cli::random_delay(settings.maximal_delay))?
    }

    fn init_logging(&self, file: &ConfigFile, log: LogOptions, bars: &Bars) -> Result<(), Failed> {
        let configured = file.section("slapos").get_path("logfile")?;
        // A dry run changes nothing, not even a log.
        let file = log.file.or(configured).filter(|_| !self.options.dry_run);
        let tool_log = ToolLog {
            tool: self.caller.tool().name,
            // No partition is called by 32 hexadecimal digits.
            subject_key: |subject| match is_release_name(subject) {
                true => "release",
                false => "partition",
            },
            console: bars.console(),
        };
        let log = LogOptions { file, ..log };
        Ok(slapos_cli::init_tool_logging(tool_log, &log)?)
    }
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
    if steps.is_empty() && !plan.errors.is_empty() {
        return String::new();
    }
    list(&steps)
}

/// What would be done, a line for each step.
fn list(steps: &[String]) -> String {
    if steps.is_empty() {
        return "nothing to do\n".to_owned();
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
