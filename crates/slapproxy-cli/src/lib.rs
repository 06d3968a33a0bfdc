//! The command line of slapproxy, a small SlapOS master.

mod migrate;
mod show;

use std::error::Error;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Command, CommandFactory, Parser, Subcommand};
use slapos_cli::{LogOptions, Verbosity};
use slapos_config::ConfigFile;
use slapproxy_core::{ListenAddress, Settings, SettingsOverrides};

use crate::migrate::MigrateArguments;
pub use show::{ShowOptions, show};

const TOOL: &str = "slapproxy";

/// A small SlapOS master
#[derive(Debug, Parser)]
#[command(
    name = "slapproxy",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    options: ServeOptions,
    /// Log to this file
    #[arg(short, long, value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// Log every call
    #[arg(short, long)]
    verbose: bool,
    /// Log to standard error, too
    #[arg(short, long)]
    console: bool,
    /// slapos.cfg
    #[arg(required = true)]
    configuration_file: Option<PathBuf>,
}

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
enum Task {
    Migrate(MigrateArguments),
    Show(ShowArguments),
}

/// Show what the database holds, also while a server runs; all sections unless some are chosen
#[derive(Debug, Args)]
struct ShowArguments {
    #[command(flatten)]
    options: ShowOptions,
    /// slapos.cfg
    configuration_file: PathBuf,
}

/// How to serve, where slapos.cfg does not say it.
#[derive(Debug, Args)]
pub struct ServeOptions {
    /// The database, instead of database_uri of section slapproxy
    #[arg(short = 'u', long, value_name = "DATABASE")]
    database_uri: Option<PathBuf>,
    /// Listen there instead of host and port: ADDRESS:PORT or unix:PATH; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<ListenAddress>,
    /// Listen there only, instead of listen and host of section slapproxy
    #[arg(long, value_name = "ADDRESS", value_parser = host, conflicts_with = "listen")]
    host: Option<IpAddr>,
    /// Listen there only, instead of listen and port of section slapproxy
    #[arg(long, value_name = "NUMBER", conflicts_with = "listen")]
    port: Option<u16>,
    /// Serve other machines, although anyone who reaches the address can command the nodes
    #[arg(long)]
    insecure_listen: bool,
    /// Where local releases are, if they may move
    #[arg(long, value_name = "DIRECTORY")]
    local_software_release_root: Option<PathBuf>,
}

fn host(text: &str) -> Result<IpAddr, &'static str> {
    ListenAddress::host(text).ok_or("expected an IP address")
}

/// Its command line.
pub fn command() -> Command {
    Arguments::command()
}

/// Runs slapproxy.
pub fn main() -> ExitCode {
    let arguments: Arguments = slapos_cli::parse();
    let outcome = match (arguments.task, arguments.configuration_file) {
        (Some(Task::Migrate(arguments)), _) => migrate::run(&arguments),
        (Some(Task::Show(arguments)), _) => show(&arguments.configuration_file, arguments.options),
        (None, Some(file)) => {
            let log = LogOptions {
                verbosity: Verbosity::from_flags(false, arguments.verbose),
                console: arguments.console,
                file: arguments.log_file,
                ..LogOptions::default()
            };
            serve(&file, arguments.options, log)
        }
        // The parser requires a configuration file.
        (None, None) => Err("nothing to do".into()),
    };
    slapos_cli::finish(TOOL, outcome)
}

/// Serves until it is told to end.
///
/// # Errors
/// The configuration cannot be used, or the server fails.
pub fn serve(
    configuration: &Path,
    options: ServeOptions,
    log: LogOptions,
) -> Result<ExitCode, Box<dyn Error>> {
    let file = ConfigFile::read(configuration)?;
    let configured = file.section(TOOL).get_path("log_file")?;
    let overrides = SettingsOverrides {
        database: options.database_uri,
        listen: options.listen,
        host: options.host,
        port: options.port,
        insecure_listen: options.insecure_listen,
        local_software_release_root: options.local_software_release_root,
    };
    let settings = Settings::from_config(&file, &overrides)?;
    let log = LogOptions {
        file: log.file.or(configured),
        ..log
    };
    slapos_cli::init_logging(TOOL, &log)?;
    for warning in slapproxy_core::ignored_parameters(&file) {
        log::warn!("{warning}");
    }
    let scheme = settings.server.scheme();
    slapproxy_core::serve(settings, |addresses| {
        for address in addresses {
            match address {
                ListenAddress::Tcp(address) => log::info!("serving {scheme}://{address}/"),
                ListenAddress::Unix(_) => log::info!("serving {address}"),
            }
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
