//! `cargo xtask bench …`: figures of ours and of the peer, side by side.

mod calls;
mod connection;
mod load;
mod master;
mod proxy;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Subcommand;

/// What is measured.
#[derive(Subcommand)]
pub(crate) enum Subject {
    /// slapproxy: requests a second, latency, memory, start
    Proxy {
        /// How many partitions the computer has
        #[arg(long, value_delimiter = ',', default_values_t = [10, 100, 1000])]
        partitions: Vec<usize>,
        /// How many connections ask at once
        #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 64])]
        connections: Vec<usize>,
        /// How long each figure is measured
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
    },
}

/// Measures and prints a table.
pub(crate) fn run(subject: &Subject) -> Result<ExitCode> {
    let Subject::Proxy {
        partitions,
        connections,
        seconds,
    } = subject;
    proxy::run(&proxy::Plan {
        partitions,
        connections,
        time: Duration::try_from_secs_f64(*seconds)?,
    })?;
    Ok(ExitCode::SUCCESS)
}
