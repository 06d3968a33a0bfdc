//! `slapproxy`: a small SlapOS master with SQLite.

mod show;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use slapos_cli::{LogOptions, Verbosity};
use slapos_config::ConfigFile;
use slapproxy_core::{ListenAddress, Settings, SettingsOverrides};

use crate::show::ShowArguments;

/// A small SlapOS master with SQLite
#[derive(Parser)]
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
    serve: Option<ServeArguments>,
}

/// What to do instead of serving.
#[derive(Subcommand)]
enum Task {
    Show(ShowArguments),
}

#[derive(Args)]
struct ServeArguments {
    /// Log to this file
    #[arg(short, long, value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// Log every call
    #[arg(short, long)]
    verbose: bool,
    /// Log to standard error, too
    #[arg(short, long)]
    console: bool,
    /// The SQLite file, instead of database_uri of section slapproxy
    #[arg(short = 'u', long, value_name = "FILE")]
    database_uri: Option<PathBuf>,
    /// Listen there instead of host and port: ADDRESS:PORT or unix:PATH; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<ListenAddress>,
    /// Serve other machines, although anyone who reaches the address can command the nodes
    #[arg(long)]
    insecure_listen: bool,
    /// slapos.cfg
    configuration_file: PathBuf,
}

fn main() -> ExitCode {
    let arguments: Arguments = slapos_cli::parse();
    let outcome = match (arguments.task, arguments.serve) {
        (Some(Task::Show(arguments)), _) => show::run(arguments),
        (None, Some(arguments)) => serve(arguments),
        // The parser requires a configuration file.
        (None, None) => Err("nothing to do".into()),
    };
    slapos_cli::finish("slapproxy", outcome)
}

fn serve(arguments: ServeArguments) -> Result<ExitCode, Box<dyn Error>> {
    let file = ConfigFile::read(&arguments.configuration_file)?;
    let configured = file.section("slapproxy").get_path("log_file")?;
    let overrides = SettingsOverrides {
        database: arguments.database_uri,
        listen: arguments.listen,
        insecure_listen: arguments.insecure_listen,
    };
    let settings = Settings::from_config(&file, &overrides)?;
    let options = LogOptions {
        verbosity: Verbosity::from_flags(false, arguments.verbose),
        console: arguments.console,
        file: arguments.log_file.or(configured),
        ..LogOptions::default()
    };
    slapos_cli::init_logging("slapproxy", &options)?;
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
