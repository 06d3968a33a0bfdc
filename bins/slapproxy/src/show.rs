//! `slapproxy show`: what a database holds.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use slapos_config::ConfigFile;
use slapproxy_core::{Section, ShowFormat};

/// Show what the database holds, also while a server runs; all sections unless some are chosen
#[derive(Args)]
pub(crate) struct ShowArguments {
    /// Computers that described themselves
    #[arg(long)]
    computers: bool,
    /// Releases that computers shall have or lose
    #[arg(long)]
    software: bool,
    /// Partitions that hold an instance
    #[arg(long)]
    partitions: bool,
    /// Slaves
    #[arg(long)]
    slaves: bool,
    /// Connection parameters that instances published
    #[arg(long)]
    params: bool,
    /// Addresses of the partitions that hold an instance
    #[arg(long)]
    network: bool,
    /// What nodes reported last of each release and instance
    #[arg(long)]
    reports: bool,
    /// Instances that are kept although they are no longer requested
    #[arg(long)]
    unrequested: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// The SQLite file, instead of database_uri of section slapproxy
    #[arg(short = 'u', long, value_name = "FILE")]
    database_uri: Option<PathBuf>,
    /// slapos.cfg
    configuration_file: PathBuf,
}

impl ShowArguments {
    fn sections(&self) -> Vec<Section> {
        let chosen = |section: &Section| match section {
            Section::Computers => self.computers,
            Section::Software => self.software,
            Section::Partitions => self.partitions,
            Section::Slaves => self.slaves,
            Section::Params => self.params,
            Section::Network => self.network,
            Section::Reports => self.reports,
            Section::Unrequested => self.unrequested,
        };
        let sections: Vec<_> = Section::ALL.into_iter().filter(chosen).collect();
        if sections.is_empty() {
            return Section::ALL.to_vec();
        }
        sections
    }
}

/// Prints the sections.
pub(crate) fn run(arguments: ShowArguments) -> Result<ExitCode, Box<dyn Error>> {
    let file = ConfigFile::read(&arguments.configuration_file)?;
    let database = slapproxy_core::database_path(&file, arguments.database_uri.clone())?;
    let format = if arguments.json {
        ShowFormat::Json
    } else {
        ShowFormat::Text
    };
    let shown = slapproxy_core::show(&database, &arguments.sections(), format)?;
    match format {
        ShowFormat::Text => slapos_cli::print(&slapos_cli::printable(&shown, ""))?,
        ShowFormat::Json => slapos_cli::print(&shown)?,
    }
    Ok(ExitCode::SUCCESS)
}
