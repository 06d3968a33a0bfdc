//! `slapos-supply`: asks a computer to install a software release, or to remove it.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use slap_client::proto::documents::SoftwareState;
use slapos_cli::{Aliases, MasterOptions};
use slapos_config::ConfigFile;

/// Asks a computer to install a software release, or to remove it
#[derive(Parser)]
#[command(name = "slapos-supply", version)]
struct Arguments {
    #[command(flatten)]
    master: MasterOptions,
    /// available: to be installed; destroyed: to be removed
    #[arg(long, default_value = "available", value_parser = ["available", "destroyed"])]
    state: String,
    /// slapos.cfg
    configuration_file: PathBuf,
    /// URL of the release, or an alias of section slapconsole
    software_release: String,
    /// Reference of the computer
    computer: String,
}

fn main() -> ExitCode {
    let arguments = slapos_cli::parse();
    slapos_cli::finish("slapos-supply", supply(&arguments))
}

fn supply(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let file = ConfigFile::read(&arguments.configuration_file)?;
    let slap = arguments.master.connect(&file, "slapconsole")?;
    let aliases = Aliases::of(&file)?;
    let url = aliases.resolve(&arguments.software_release);
    let state: SoftwareState = arguments.state.parse()?;
    slap.register_supply()
        .supply(url, &arguments.computer, state)?;
    slapos_cli::print(&format!(
        "{url} shall be {} on {}.\n",
        state.as_str(),
        arguments.computer
    ))?;
    Ok(ExitCode::SUCCESS)
}
