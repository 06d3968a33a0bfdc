//! `slapproxy migrate`: from one engine to another.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use slapproxy_core::storage::{Database, migrate};

/// Give an empty database everything that another one holds, and compare both row by row
#[derive(Debug, Args)]
pub(crate) struct MigrateArguments {
    /// The database to read, a file of SQLite or postgresql://…; no server may write to it
    #[arg(long, value_name = "DATABASE")]
    from: PathBuf,
    /// The database to write, which must be empty, or not be there if it is a file
    #[arg(long, value_name = "DATABASE")]
    to: PathBuf,
}

/// Migrates, and tells how many rows of each table there are.
pub(crate) fn run(arguments: &MigrateArguments) -> Result<ExitCode, Box<dyn Error>> {
    let from = Database::parse(&arguments.from)?;
    let to = Database::parse(&arguments.to)?;
    let mut text = String::new();
    for table in migrate(&from, &to)? {
        text += &format!("{:<30} {:>8} rows, the same\n", table.table, table.rows);
    }
    slapos_cli::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
