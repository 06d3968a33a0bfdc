//! The command line of slapconsole, a prompt to speak to a master.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Command, CommandFactory, Parser};
use slapconsole_core::{Options, Program};
use slapos_cli::MasterOptions;

const TOOL: &str = "slapconsole";

/// Requests instances, asks what the master knows and does what else its users and nodes can, by a
/// prompt or a script in Starlark, which has Python's syntax. help() explains
#[derive(Debug, Parser)]
#[command(name = "slapconsole", version)]
struct Arguments {
    #[command(flatten)]
    master: MasterOptions,
    /// slapos.cfg
    configuration_file: PathBuf,
    #[command(flatten)]
    program: ProgramOptions,
}

/// What is run.
#[derive(Debug, Args)]
pub struct ProgramOptions {
    /// Run this and print its value, without a prompt
    #[arg(short, long, value_name = "STATEMENTS", conflicts_with = "script")]
    expression: Option<String>,
    /// A file of statements, to run without a prompt; standard input is run so unless it is a terminal
    script: Option<PathBuf>,
}

/// The command line.
pub fn command() -> Command {
    Arguments::command()
}

/// Runs slapconsole.
pub fn main() -> ExitCode {
    let arguments: Arguments = slapos_cli::parse();
    let file = &arguments.configuration_file;
    let outcome = run(TOOL, file, arguments.master, arguments.program);
    slapos_cli::finish(TOOL, outcome)
}

/// Runs the console; `tool` is the name before its messages.
///
/// # Errors
/// The configuration cannot be used, or what was run has failed.
pub fn run(
    tool: &'static str,
    configuration: &Path,
    master: MasterOptions,
    program: ProgramOptions,
) -> Result<ExitCode, Box<dyn Error>> {
    let options = Options {
        tool,
        configuration_file: configuration.to_owned(),
        master,
        program: program.into(),
    };
    Ok(slapconsole_core::run(&options)?.into())
}

impl From<ProgramOptions> for Program {
    fn from(options: ProgramOptions) -> Self {
        match (options.expression, options.script) {
            (Some(source), _) => Self::Expression(source),
            (None, Some(path)) => Self::File(path),
            (None, None) => Self::Input,
        }
    }
}
