//! `slapproxy show`: what a database holds.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use slapos_config::ConfigFile;
use slapproxy_core::{Section, ShowFormat};

/// What to show, and how.
#[derive(Debug, Args)]
pub struct ShowOptions {
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
    /// The database, instead of database_uri of section slapproxy
    #[arg(short = 'u', long, value_name = "DATABASE")]
    database_uri: Option<PathBuf>,
}

impl ShowOptions {
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
///
/// # Errors
/// The configuration or the database cannot be used.
pub fn show(configuration: &Path, options: ShowOptions) -> Result<ExitCode, Box<dyn Error>> {
    let file = ConfigFile::read(configuration)?;
    let sections = options.sections();
    let database = slapproxy_core::database(&file, options.database_uri)?;
    let format = if options.json {
        ShowFormat::Json
    } else {
        ShowFormat::Text
    };
    let shown = slapproxy_core::show(&database, &sections, format)?;
    match format {
        ShowFormat::Text => slapos_cli::print(&slapos_cli::printable(&shown, ""))?,
        ShowFormat::Json => slapos_cli::print(&shown)?,
    }
    Ok(ExitCode::SUCCESS)
}
