//! slapos-supply and slapos-remove: releases that computers shall have, or lose.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use serde_json::json;
use slap_client::proto::documents::SoftwareState;
use slap_client::without_user;
use slapos_cli::{MasterOptions, on_one_line};
use slapos_config::ConfigFile;

use crate::release::{Naming, release_url};

/// What both tools take.
#[derive(Debug, clap::Args)]
pub struct SupplyOptions {
    #[command(flatten)]
    master: MasterOptions,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Which release, and where.
#[derive(Debug, clap::Args)]
pub struct Target {
    /// URL of the release, an alias of section slapconsole, or product.NAME
    software_release: String,
    /// Reference of the computer
    computer: String,
}

/// Asks a computer to install a software release, or to remove it
#[derive(Debug, clap::Parser)]
#[command(name = "slapos-supply", version)]
struct SupplyArguments {
    #[command(flatten)]
    options: SupplyOptions,
    /// available: to be installed; destroyed: to be removed
    #[arg(long, default_value = "available", value_parser = ["available", "destroyed"])]
    state: String,
    /// slapos.cfg
    configuration_file: PathBuf,
    #[command(flatten)]
    target: Target,
}

/// Asks a computer to remove a software release
#[derive(Debug, clap::Parser)]
#[command(name = "slapos-remove", version)]
struct RemoveArguments {
    #[command(flatten)]
    options: SupplyOptions,
    /// slapos.cfg
    configuration_file: PathBuf,
    #[command(flatten)]
    target: Target,
}

/// The command line of slapos-supply.
pub fn supply_command() -> Command {
    SupplyArguments::command()
}

/// The command line of slapos-remove.
pub fn remove_command() -> Command {
    RemoveArguments::command()
}

/// Runs slapos-supply.
pub fn supply_main() -> ExitCode {
    let arguments: SupplyArguments = slapos_cli::parse();
    let state = arguments.state.parse().map_err(Into::into);
    let supplied = state.and_then(|state| {
        let file = &arguments.configuration_file;
        supply(file, &arguments.options, &arguments.target, state)
    });
    slapos_cli::finish("slapos-supply", supplied)
}

/// Runs slapos-remove.
pub fn remove_main() -> ExitCode {
    let arguments: RemoveArguments = slapos_cli::parse();
    let removed = supply(
        &arguments.configuration_file,
        &arguments.options,
        &arguments.target,
        SoftwareState::Destroyed,
    );
    slapos_cli::finish("slapos-remove", removed)
}

/// Asks a computer to have a release in a state, and prints what was asked for.
///
/// # Errors
/// The configuration cannot be used, or the master did not take it.
pub fn supply(
    configuration: &Path,
    options: &SupplyOptions,
    target: &Target,
    state: SoftwareState,
) -> Result<ExitCode, Box<dyn Error>> {
    let file = ConfigFile::read(configuration)?;
    let slap = options.master.connect(&file, "slapconsole")?;
    let naming = match state {
        SoftwareState::Destroyed => Naming::Any,
        SoftwareState::Available => Naming::Known,
    };
    let url = release_url(&slap, &file, &target.software_release, naming)?;
    let computer = &target.computer;
    let shown = without_user(&url);
    log::info!("asking {computer} to have {shown} {}", state.as_str());
    log::debug!("the master is {}", slap.master_url());
    slap.register_supply().supply(&url, computer, state)?;
    let state = state.as_str();
    slapos_cli::print(&if options.json {
        let asked = json!({"software_release": url, "computer_id": computer, "state": state});
        format!("{asked:#}\n")
    } else {
        told(&url, state, computer)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// For people. The URL of a product's release is the master's.
fn told(url: &str, state: &str, computer: &str) -> String {
    format!("{} shall be {state} on {computer}.\n", on_one_line(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_url_of_the_master_commands_the_terminal_or_makes_a_line() {
        let shown = told("http://x/\nhttp://y/\u{1b}[2J", "available", "COMP-1");
        let expected = "http://x/\\nhttp://y/\\u{1b}[2J shall be available on COMP-1.\n";
        assert_eq!(shown, expected);
    }
}
