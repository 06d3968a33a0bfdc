//! The command line of slapformat, which prepares a machine as a SlapOS node.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Command, CommandFactory};
use slapformat_core::{Options, Outcome, Plan, Settings};
use slapos_cli::{LogOptions, Verbosity, describe, exit};
use slapos_config::ConfigFile;

const TOOL: &str = "slapformat";
/// Exit code when the machine is prepared and the master could not be told.
pub const MASTER_UNREACHABLE: u8 = 2;
/// What is said of an empty plan.
const NOTHING: &str = "nothing to do";
/// Longest delay of a run without terminal.
const MAXIMAL_DELAY: Duration = Duration::from_secs(3600);

/// Prepares a machine as a SlapOS node
#[derive(Debug, clap::Parser)]
#[command(name = "slapformat", version)]
struct Arguments {
    #[command(flatten)]
    options: FormatOptions,
    /// Log to this file
    #[arg(short, long, value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// Log details
    #[arg(short, long)]
    verbose: bool,
    /// Log to standard error, too
    #[arg(short, long)]
    console: bool,
    /// slapos.cfg
    configuration_file: PathBuf,
}

/// What a run shall do, where slapos.cfg does not say it.
#[derive(Debug, Default, clap::Args)]
pub struct FormatOptions {
    /// The file that holds the computer
    #[arg(short = 'x', long, value_name = "FILE")]
    computer_xml: Option<PathBuf>,
    /// Read a definition of the computer
    #[arg(short, long, value_name = "FILE")]
    input_definition_file: Option<PathBuf>,
    /// Write a definition of the computer
    #[arg(short, long, value_name = "FILE")]
    output_definition_file: Option<PathBuf>,
    /// Say everything, change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// With --dry_run: the plan as JSON
    #[arg(long, requires = "dry_run")]
    json: bool,
    /// Whether to make users
    #[arg(long, value_name = "True|False", value_parser = truth)]
    alter_user: Option<bool>,
    /// Whether to change the network
    #[arg(long, value_name = "True|False", value_parser = truth)]
    alter_network: Option<bool>,
    /// At once, without the random delay of a run without terminal
    #[arg(long)]
    now: bool,
}

impl FormatOptions {
    /// Those of a run at once that leaves the rest to slapos.cfg.
    pub fn at_once() -> Self {
        Self {
            now: true,
            ..Self::default()
        }
    }

    fn of_core(&self) -> Options {
        Options {
            computer_xml: self.computer_xml.clone(),
            input_definition_file: self.input_definition_file.clone(),
            output_definition_file: self.output_definition_file.clone(),
            alter_user: self.alter_user,
            alter_network: self.alter_network,
            dry_run: self.dry_run,
        }
    }
}

fn truth(text: &str) -> Result<bool, &'static str> {
    match text {
        "True" | "true" => Ok(true),
        "False" | "false" => Ok(false),
        _ => Err("expected True or False"),
    }
}

/// Its command line.
pub fn command() -> Command {
    Arguments::command()
}

/// Runs slapformat.
pub fn main() -> ExitCode {
    let arguments: Arguments = slapos_cli::parse();
    let log = LogOptions {
        verbosity: Verbosity::from_flags(false, arguments.verbose),
        console: arguments.console,
        file: arguments.log_file,
        ..LogOptions::default()
    };
    let formatted = format(&arguments.configuration_file, &arguments.options, Some(log));
    slapos_cli::finish(TOOL, formatted.map(ExitCode::from))
}

/// Does what the options say, after a random delay unless they say that it shall be at once. Returns
/// the exit code. Without `log`, the caller has begun to log.
///
/// # Errors
/// The configuration cannot be used, or the machine cannot be made what is wanted.
pub fn format(
    configuration: &Path,
    options: &FormatOptions,
    log: Option<LogOptions>,
) -> Result<u8, Box<dyn Error>> {
    let file = ConfigFile::read(configuration)?;
    let settings = Settings::from_config(&file, &options.of_core())?;
    let section = file.section("slapformat");
    let configured = section.get_path("log_file")?;
    // Before the log, which may be root's, and the delay.
    slapformat_core::check_rights(&settings)?;
    if let Some(log) = log {
        // A dry run changes nothing, not even a log.
        let file = log.file.or(configured).filter(|_| !settings.dry_run);
        slapos_cli::init_logging(TOOL, &LogOptions { file, ..log })?;
    }
    let at_once = options.now || settings.dry_run || section.get_bool("now")?.unwrap_or(false);
    if !at_once && let Some(delay) = slapos_cli::random_delay(MAXIMAL_DELAY) {
        let seconds = delay.as_secs();
        log::info!("waiting {seconds} s (--now begins at once)");
        std::thread::sleep(delay);
    }
    report(slapformat_core::run(&settings)?, options.json)
}

fn report(outcome: Outcome, json: bool) -> Result<u8, Box<dyn Error>> {
    match outcome {
        Outcome::Planned(plan) if json => {
            slapos_cli::print(&(serde_json::to_string_pretty(&plan)? + "\n"))?;
        }
        Outcome::Planned(plan) => slapos_cli::print(&(summary(&plan) + "\n"))?,
        Outcome::Offline(plan, error) => {
            log::info!("{}", count(&plan));
            let error = describe(&error);
            let message = format!("the machine is prepared, the master was not told: {error}");
            slapos_cli::tell(TOOL, &message);
            return Ok(MASTER_UNREACHABLE);
        }
        Outcome::Done(plan) => log::info!("{}", count(&plan)),
        other => return Err(format!("unknown outcome {other:?}").into()),
    }
    Ok(exit::CLEAN)
}

fn summary(plan: &Plan) -> String {
    if plan.steps.is_empty() {
        return NOTHING.to_owned();
    }
    let steps = plan.steps.iter().map(|step| format!("\n  {step}"));
    format!("would change:{}", steps.collect::<String>())
}

/// Each step was logged when it was done.
fn count(plan: &Plan) -> String {
    match plan.steps.len() {
        0 => NOTHING.to_owned(),
        1 => "1 step done".to_owned(),
        steps => format!("{steps} steps done"),
    }
}
