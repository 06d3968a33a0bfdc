//! `slapos-bang`: asks the master to have every instance of a computer processed again.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use slapos_cli::MasterOptions;
use slapos_config::{ConfigFile, MissingParameters};

/// Asks the master to have every instance of this computer processed again
#[derive(Parser)]
#[command(name = "slapos-bang", version)]
struct Arguments {
    /// Why; kept by the master
    #[arg(short, long, default_value = "")]
    message: String,
    /// slapos.cfg
    configuration_file: PathBuf,
}

fn main() -> ExitCode {
    let arguments = slapos_cli::parse();
    slapos_cli::finish("slapos-bang", bang(&arguments))
}

fn bang(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let file = ConfigFile::read(&arguments.configuration_file)?;
    let computer = file.section("slapos").get_text("computer_id")?;
    let computer = computer.ok_or_else(|| MissingParameters(vec!["computer_id"]))?;
    // The node speaks for itself here, by the computer's certificate.
    let slap = MasterOptions::default().connect(&file, "slapos")?;
    slap.register_computer(computer.as_str())
        .bang(&arguments.message)?;
    slapos_cli::print(&format!(
        "Every instance of {computer} will be processed again.\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}
