//! `slapproxy`: a small SlapOS master with SQLite.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use slapos_cli::LogOptions;
use slapos_config::ConfigFile;
use slapproxy_core::{ListenAddress, Settings, SettingsOverrides};

/// A small SlapOS master with SQLite
#[derive(Parser)]
#[command(name = "slapproxy", version)]
struct Arguments {
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
    let arguments = slapos_cli::parse();
    slapos_cli::finish("slapproxy", run(arguments))
}

fn run(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let file = ConfigFile::read(&arguments.configuration_file)?;
    let configured = file.section("slapproxy").get_path("log_file")?;
    let overrides = SettingsOverrides {
        database: arguments.database_uri,
        listen: arguments.listen,
        insecure_listen: arguments.insecure_listen,
    };
    let settings = Settings::from_config(&file, &overrides)?;
    let options = LogOptions {
        verbose: arguments.verbose,
        console: arguments.console,
        file: arguments.log_file.or(configured),
    };
    slapos_cli::init_logging("slapproxy", &options)?;
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
