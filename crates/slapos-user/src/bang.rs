//! slapos-bang: has every instance of a computer processed again.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use slapos_cli::MasterOptions;
use slapos_config::{ConfigFile, MissingParameters};

/// Asks the master to have every instance of this computer processed again
#[derive(Debug, clap::Parser)]
#[command(name = "slapos-bang", version)]
struct Arguments {
    #[command(flatten)]
    options: BangOptions,
    /// slapos.cfg
    configuration_file: PathBuf,
}

/// Why.
#[derive(Debug, clap::Args)]
pub struct BangOptions {
    /// Why; kept by the master
    #[arg(short, long, default_value = "")]
    message: String,
}

/// Its command line.
pub fn command() -> Command {
    Arguments::command()
}

/// Runs slapos-bang.
pub fn main() -> ExitCode {
    let arguments: Arguments = slapos_cli::parse();
    let banged = bang(&arguments.configuration_file, &arguments.options);
    slapos_cli::finish("slapos-bang", banged)
}

/// Bangs the computer of a slapos.cfg. The node speaks for itself, by the computer's certificate.
///
/// # Errors
/// The configuration cannot be used, or the master did not take it.
pub fn bang(configuration: &Path, options: &BangOptions) -> Result<ExitCode, Box<dyn Error>> {
    let file = ConfigFile::read(configuration)?;
    let computer = file.section("slapos").get_text("computer_id")?;
    let computer = computer.ok_or_else(|| MissingParameters(vec!["computer_id"]))?;
    let slap = MasterOptions::default().connect(&file, "slapos")?;
    slap.register_computer(computer.as_str())
        .bang(&options.message)?;
    slapos_cli::print(&format!(
        "Every instance of {computer} will be processed again.\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}
