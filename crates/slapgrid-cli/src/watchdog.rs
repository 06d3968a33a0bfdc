//! slapos-watchdog, and where it is.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use slapgrid_core::watchdog::Watchdog;
use slapos_cli::LogOptions;

const NAME: &str = "slapos-watchdog";

/// Has instances processed again when their services end. supervisord starts it
#[derive(clap::Parser)]
#[command(name = "slapos-watchdog", version)]
struct Arguments {
    /// URL of the master
    #[arg(long, value_name = "URL")]
    master_url: String,
    /// What the master calls this computer
    #[arg(long, value_name = "ID")]
    computer_id: String,
    /// Certificate authorities for the master, in place of the system's
    #[arg(long, value_name = "FILE")]
    master_ca_file: Option<PathBuf>,
    /// Where the certificates of the partitions are
    #[arg(long, value_name = "DIRECTORY")]
    certificate_repository_path: Option<PathBuf>,
    /// Where the partitions are
    #[arg(long, value_name = "DIRECTORY")]
    instance_root_path: Option<PathBuf>,
}

/// The command line of slapos-watchdog.
pub fn watch_command() -> Command {
    Arguments::command()
}

/// Runs slapos-watchdog.
pub fn watch() -> ExitCode {
    let arguments: Arguments = slapos_cli::parse();
    slapos_cli::finish(NAME, handle_events(arguments))
}

fn handle_events(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    slapos_cli::init_logging(NAME, &LogOptions::default())?;
    let watchdog = Watchdog {
        master_url: arguments.master_url,
        computer_id: arguments.computer_id,
        master_ca_file: arguments.master_ca_file,
        certificate_repository: arguments.certificate_repository_path,
        instance_root: arguments.instance_root_path,
    };
    watchdog.run(&mut io::stdin().lock(), &mut io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

/// The watchdog that was installed with this tool, if it was.
pub(crate) fn program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?.with_file_name(NAME);
    program.is_file().then_some(program)
}
