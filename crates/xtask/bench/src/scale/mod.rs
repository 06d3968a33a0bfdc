//! Thousands of simulated nodes that ask a slapproxy what they shall do, while now and then something
//! changes for one of them.

mod database;
mod fleet;
mod node;

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::runtime::Runtime;

use super::master::{Master, Side};
use crate::{command, places};
use fleet::{Counts, Fleet};

/// What to measure.
pub(super) struct Plan<'a> {
    /// Numbers of nodes.
    pub(super) nodes: &'a [usize],
    /// Partitions of each.
    pub(super) partitions: usize,
    /// How nodes ask.
    pub(super) ways: &'a [Way],
    /// From one question of a node to the next.
    pub(super) interval: Duration,
    /// For how many percent of the nodes something changes within an interval.
    pub(super) changes: f64,
    /// Whose master is measured.
    pub(super) side: Side<'a>,
    /// How long is measured, after an interval in which all nodes have asked once.
    pub(super) time: Duration,
}

/// How nodes ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Way {
    /// For the whole document each time
    Plain,
    /// For the document unless they know it
    Tag,
    /// For the document once it is another one than they know
    Wait,
}

/// Measures everything and prints the table.
pub(super) fn run(plan: &Plan) -> Result<()> {
    let mut build = Command::new(env!("CARGO"));
    build.current_dir(places::workspace());
    build.args(["build", "--quiet", "--package", "slapproxy"]);
    if plan.side != Side::Debug {
        build.arg("--release");
    }
    command::run(&mut build)?;
    println!(
        "{:>7} {:>5} {:>6} {:>9} {:>9} {:>9} {:>7} {:>8} {:>9} {:>9} {:>9} {:>7}",
        "nodes",
        "way",
        "req/s",
        "200",
        "304",
        "MB/s",
        "CPU %",
        "RSS MiB",
        "p50 ms",
        "p99 ms",
        "max ms",
        "unseen"
    );
    for nodes in plan.nodes {
        let connections = allow_connections(*nodes)?;
        for way in plan.ways {
            measure(plan, *nodes, *way, connections)?;
        }
    }
    Ok(())
}

/// Has this process, and the master that it starts, open what the nodes need.
fn allow_connections(nodes: usize) -> Result<usize> {
    let wanted = u64::try_from(nodes)? * 2 + 200;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < wanted {
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard.max(wanted))
            .with_context(|| format!("{wanted} open files are needed"))?;
    }
    Ok((nodes * 3 / 2 + 100).min(65_536))
}

fn measure(plan: &Plan, nodes: usize, way: Way, connections: usize) -> Result<()> {
    let more = format!("max_connections = {connections}\n");
    let master = Master::start_with(plan.side, &more, |database| {
        database::fill(database, nodes, plan.partitions)
    })?;
    let fleet = Arc::new(Fleet::new(master.address, nodes, way, plan.interval));
    let runtime = Runtime::new().context("no threads for the nodes")?;
    let counts = runtime.block_on(async {
        fleet.start();
        fleet.settle().await?;
        fleet.reset();
        let before = master.cpu()?;
        fleet.change(plan.changes / 100.0, plan.time).await?;
        let cpu = master.cpu()?.saturating_sub(before);
        anyhow::Ok((fleet.counts(), cpu))
    });
    let (counts, cpu) = counts?;
    print(plan, nodes, way, counts, cpu, master.memory()?);
    runtime.shutdown_background();
    Ok(())
}

fn print(plan: &Plan, nodes: usize, way: Way, mut counts: Counts, cpu: Duration, memory: u64) {
    let seconds = plan.time.as_secs_f64();
    counts.delays.sort_unstable();
    let percentile = |percent: usize| {
        let at = counts.delays.len().saturating_sub(1) * percent / 100;
        let delay = counts.delays.get(at).copied().unwrap_or_default();
        delay.as_secs_f64() * 1e3
    };
    println!(
        "{nodes:>7} {:>5} {:>6.0} {:>9} {:>9} {:>9.3} {:>7.1} {:>8} {:>9.1} {:>9.1} {:>9.1} {:>7}",
        format!("{way:?}").to_lowercase(),
        (counts.answered + counts.known) as f64 / seconds,
        counts.answered,
        counts.known,
        counts.bytes as f64 / 1e6 / seconds,
        100.0 * cpu.as_secs_f64() / seconds,
        memory >> 10,
        percentile(50),
        percentile(99),
        percentile(100),
        counts.unseen,
    );
    if counts.failures > 0 {
        println!("{} requests failed", counts.failures);
    }
}
