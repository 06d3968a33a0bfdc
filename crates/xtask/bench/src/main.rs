//! `cargo xtask bench …`: figures of ours and of the peer, side by side.

mod calls;
mod connection;
mod format;
mod load;
mod master;
mod netcache;
mod node;
mod proxy;
mod release;
mod scale;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use xtask::{command, places, python};

#[derive(Parser)]
#[command(
    name = "cargo xtask bench",
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
    Scale {
        /// How many nodes there are
        #[arg(long, value_delimiter = ',', default_values_t = [1000, 10_000])]
        nodes: Vec<usize>,
        /// How many partitions each has
        #[arg(long, default_value_t = 100)]
        partitions: usize,
        /// How the nodes ask
        #[arg(long, value_enum, value_delimiter = ',', default_values_t = [scale::Way::Plain, scale::Way::Tag, scale::Way::Wait])]
        ways: Vec<scale::Way>,
        /// Seconds from one question of a node to the next
        #[arg(long, default_value_t = 60.0)]
        interval: f64,
        /// For how many percent of the nodes something changes within an interval
        #[arg(long, default_value_t = 1.0)]
        changes: f64,
        /// How long each figure is measured
        #[arg(long, default_value_t = 120.0)]
        seconds: f64,
        /// Measure a slapproxy without optimisation, which is built quickly
        #[arg(long)]
        debug: bool,
    },
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
        Subject::Scale {
            nodes,
            partitions,
            ways,
            interval,
            changes,
            seconds,
            debug,
        } => scale::run(&scale::Plan {
            nodes,
            partitions: *partitions,
            ways,
            interval: Duration::try_from_secs_f64(*interval)?,
            changes: *changes,
            side: match debug {
                true => master::Side::Debug,
                false => master::Side::Ours,
            },
            time: Duration::try_from_secs_f64(*seconds)?,
        })?,
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

/// The CPU time of all that was started and waited for.
fn cpu_of_children() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("cannot tell the CPU time")?;
    let time = |value: TimeVal| {
        let microseconds = value.tv_sec() * 1_000_000 + value.tv_usec();
        Duration::from_micros(microseconds.unsigned_abs())
    };
    Ok(time(usage.user_time()) + time(usage.system_time()))
}
