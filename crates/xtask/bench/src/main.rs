//! `cargo xtask bench …`: figures of ours and of the peer, side by side.

mod calls;
mod connection;
mod format;
mod load;
mod master;
mod netcache;
mod node;
mod process;
mod proxy;
mod release;
mod scale;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};

use xtask::{command, places, python};

#[derive(Parser)]
#[command(
    name = "cargo xtask bench",
    bin_name = "cargo xtask bench",
    about = "Measures ours beside the Python peer, both in the same run"
)]
struct Arguments {
    #[command(subcommand)]
    subject: Subject,
}

fn main() -> ExitCode {
    xtask::end(run(&Arguments::parse().subject))
}

/// What is measured.
#[derive(Subcommand)]
enum Subject {
    /// slapformat: new partitions with users, taps and addresses in a network namespace; as root
    Format {
        /// How many partitions are made
        #[arg(long, value_delimiter = ',', default_values_t = [100, 300])]
        partitions: Vec<usize>,
    },
    /// The network cache: a made-up release is packed, unpacked, uploaded, downloaded
    Netcache {
        /// How many files the release has
        #[arg(long, default_value_t = 20_000)]
        files: usize,
        /// How large it is about
        #[arg(long, default_value_t = 500)]
        megabytes: u64,
        /// How often each step is measured; the median is shown
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
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
    /// slapproxy: thousands of nodes that ask it, with some changes
    Scale(scale::Plan),
    /// slapgrid-cp: time and CPU of a pass
    Node {
        /// How many partitions the computer has
        #[arg(long, value_delimiter = ',', default_values_t = [10, 100, 500])]
        partitions: Vec<usize>,
        /// How often each pass is measured; the median is shown
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// Only the passes whose names contain this
        #[arg(long, default_value = "")]
        only: String,
    },
}

/// Measures and prints a table.
fn run(subject: &Subject) -> Result<ExitCode> {
    match subject {
        Subject::Format { partitions } => format::run(partitions)?,
        Subject::Netcache {
            files,
            megabytes,
            rounds,
        } => netcache::run(&netcache::Plan {
            files: *files,
            megabytes: *megabytes,
            rounds: *rounds,
        })?,
        Subject::Node {
            partitions,
            rounds,
            only,
        } => node::run(partitions, *rounds, only)?,
        Subject::Scale(plan) => scale::run(plan)?,
        Subject::Proxy {
            partitions,
            connections,
            seconds,
        } => proxy::run(&proxy::Plan {
            partitions,
            connections,
            time: Duration::try_from_secs_f64(*seconds)?,
        })?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The Python peer's environment: that of `SLAPOS_TEST_PEER`, else one made on the first run.
fn peer() -> Result<PathBuf> {
    match std::env::var_os("SLAPOS_TEST_PEER") {
        Some(directory) => Ok(directory.into()),
        None => python::prepared_peer(),
    }
}
