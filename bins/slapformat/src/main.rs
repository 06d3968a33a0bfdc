//! `slapformat`: prepares a machine as a SlapOS node.

use std::error::Error;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use slapformat_core::{Options, Outcome, Plan, Settings};
use slapos_cli::{LogOptions, Verbosity, describe, exit};
use slapos_config::ConfigFile;

/// Exit code when the machine is prepared and the master could not be told.
const MASTER_UNREACHABLE: u8 = 2;
/// What is said of an empty plan.
const NOTHING: &str = "nothing to do";
/// Longest delay of a run without terminal, in seconds: nodes shall not ask their master at once.
const MAXIMAL_DELAY: u64 = 3600;

/// Prepares a machine as a SlapOS node
#[derive(Parser)]
#[command(name = "slapformat", version)]
struct Arguments {
    /// The file that holds the computer
    #[arg(short = 'x', long, value_name = "FILE")]
    computer_xml: Option<PathBuf>,
    /// Log to this file
    #[arg(short, long, value_name = "FILE")]
    log_file: Option<PathBuf>,
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
    /// Log details
    #[arg(short, long)]
    verbose: bool,
    /// Log to standard error, too
    #[arg(short, long)]
    console: bool,
    /// Whether to make users
    #[arg(long, value_name = "True|False", value_parser = truth)]
    alter_user: Option<bool>,
    /// Whether to change the network
    #[arg(long, value_name = "True|False", value_parser = truth)]
    alter_network: Option<bool>,
    /// At once, without the random delay of a run without terminal
    #[arg(long)]
    now: bool,
    /// slapos.cfg
    configuration_file: PathBuf,
}

fn truth(text: &str) -> Result<bool, &'static str> {
    match text {
        "True" | "true" => Ok(true),
        "False" | "false" => Ok(false),
        _ => Err("expected True or False"),
    }
}

fn main() -> ExitCode {
    let arguments = slapos_cli::parse();
    slapos_cli::finish("slapformat", run(arguments))
}

fn run(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let file = ConfigFile::read(&arguments.configuration_file)?;
    let options = Options {
        computer_xml: arguments.computer_xml,
        input_definition_file: arguments.input_definition_file,
        output_definition_file: arguments.output_definition_file,
        alter_user: arguments.alter_user,
        alter_network: arguments.alter_network,
        dry_run: arguments.dry_run,
    };
    let settings = Settings::from_config(&file, &options)?;
    let configured = file.section("slapformat").get_path("log_file")?;
    // Before the log, which may be root's, and the delay.
    slapformat_core::check_rights(&settings)?;
    let log = LogOptions {
        verbosity: Verbosity::from_flags(false, arguments.verbose),
        console: arguments.console,
        // A dry run changes nothing, not even a log.
        file: arguments
            .log_file
            .or(configured)
            .filter(|_| !settings.dry_run),
        ..LogOptions::default()
    };
    slapos_cli::init_logging("slapformat", &log)?;
    let now = arguments.now || file.section("slapformat").get_bool("now")?.unwrap_or(false);
    if !now && !settings.dry_run && !std::io::stdin().is_terminal() {
        let delay = RandomState::new().build_hasher().finish() % MAXIMAL_DELAY;
        log::info!("waiting {delay} s (--now begins at once)");
        std::thread::sleep(Duration::from_secs(delay));
    }
    report(slapformat_core::run(&settings)?, arguments.json)
}

fn report(outcome: Outcome, json: bool) -> Result<ExitCode, Box<dyn Error>> {
    match outcome {
        Outcome::Planned(plan) if json => {
            slapos_cli::print(&(serde_json::to_string_pretty(&plan)? + "\n"))?;
        }
        Outcome::Planned(plan) => slapos_cli::print(&(summary(&plan) + "\n"))?,
        Outcome::Offline(plan, error) => {
            log::info!("{}", count(&plan));
            let error = describe(&error);
            let message = format!("the machine is prepared, the master was not told: {error}");
            slapos_cli::tell("slapformat", &message);
            return Ok(ExitCode::from(MASTER_UNREACHABLE));
        }
        Outcome::Done(plan) => log::info!("{}", count(&plan)),
        other => return Err(format!("unknown outcome {other:?}").into()),
    }
    Ok(ExitCode::from(exit::CLEAN))
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
