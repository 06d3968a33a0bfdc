//! Thousands of simulated nodes that ask a slapproxy what they shall do, while now and then something
//! changes for one of them.

mod database;
mod figures;
mod fill;
mod fleet;
mod node;

use std::num::NonZeroUsize;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::runtime::Runtime;

use super::master::{Master, Side};
use crate::{command, places};
use database::Database;
use figures::{Figures, Usage};
use fleet::Fleet;

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Plan {
    /// How many nodes there are
    #[arg(long, value_delimiter = ',', default_values_t = [1000, 10_000])]
    nodes: Vec<usize>,
    /// How many partitions each has
    #[arg(long, default_value_t = 100)]
    partitions: usize,
    /// How the nodes ask
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Way::Plain, Way::Tag, Way::Wait])]
    ways: Vec<Way>,
    /// What the master keeps all in; PostgreSQL is started for it, below /tmp
    #[arg(long, value_enum, default_value_t = Engine::Sqlite)]
    database: Engine,
    /// How many slapproxy share the nodes and the database, which is PostgreSQL's if there are several
    #[arg(long, default_value = "1")]
    replicas: NonZeroUsize,
    /// Seconds from one question of a node to the next
    #[arg(long, default_value = "60", value_parser = seconds)]
    interval: Duration,
    /// For how many percent of the nodes something changes within an interval
    #[arg(long, default_value_t = 1.0)]
    changes: f64,
    /// How many seconds each figure is measured, after each node has asked once; then for an interval
    /// at most the nodes may see the last changes
    #[arg(long, default_value = "90", value_parser = seconds)]
    seconds: Duration,
    /// Measure a slapproxy without optimisation, which is built quickly
    #[arg(long)]
    debug: bool,
}

/// How nodes ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Way {
    /// For the whole document each time
    Plain,
    /// For the document unless they know it
    Tag,
    /// For the document once it is another one than they know
    Wait,
}

/// What a master keeps all in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    Sqlite,
    Postgresql,
}

fn seconds(text: &str) -> Result<Duration> {
    Ok(Duration::try_from_secs_f64(text.parse()?)?)
}

impl Plan {
    fn side(&self) -> Side<'static> {
        match self.debug {
            true => Side::Debug,
            false => Side::Ours,
        }
    }
}

/// Measures everything and prints the table.
pub(super) fn run(plan: &Plan) -> Result<()> {
    if plan.replicas.get() > 1 && plan.database == Engine::Sqlite {
        bail!("several slapproxy need --database postgresql");
    }
    build(plan)?;
    for nodes in plan.nodes.iter().copied() {
        let connections = allow_connections(nodes)?;
        let database = Database::filled(plan, nodes)?;
        Figures::print_head();
        for way in plan.ways.iter().copied() {
            measure(plan, nodes, way, &database, connections)?.print(nodes, way);
        }
    }
    Ok(())
}

fn build(plan: &Plan) -> Result<()> {
    let mut build = Command::new(env!("CARGO"));
    build.current_dir(places::workspace());
    build.args(["build", "--quiet", "--package", "slapproxy"]);
    if !plan.debug {
        build.arg("--release");
    }
    command::run(&mut build)
}

/// How many connections a master takes, of which those who wait may have three quarters; this
/// process, and the masters that it starts, may open as many files.
fn allow_connections(nodes: usize) -> Result<usize> {
    let connections = (nodes * 3 / 2 + 100).min(65_536);
    let wanted = u64::try_from(connections)? + 200;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < wanted {
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard.max(wanted))
            .with_context(|| format!("{wanted} open files are needed"))?;
    }
    Ok(connections)
}

fn measure(
    plan: &Plan,
    nodes: usize,
    way: Way,
    database: &Database,
    connections: usize,
) -> Result<Figures> {
    let more = format!("max_connections = {connections}\n");
    let masters: Vec<_> = (0..plan.replicas.get())
        .map(|_| Master::start_on(plan.side(), database.uri(), &more))
        .collect::<Result<_>>()?;
    let addresses = masters.iter().map(|master| master.address).collect();
    let fleet = Arc::new(Fleet::new(addresses, nodes, way, plan.interval));
    let runtime = Runtime::new().context("no threads for the nodes")?;
    let figures = runtime.block_on(async {
        fleet.settle().await?;
        fleet.begin();
        let before = Usage::now(&masters, database)?;
        fleet.change(plan.changes / 100.0, plan.seconds).await;
        let used = Usage::now(&masters, database)?.since(before);
        let counts = fleet.counts();
        let delays = fleet.see_all().await;
        Ok(Figures {
            used,
            counts,
            delays,
            time: plan.seconds,
        })
    });
    runtime.shutdown_background();
    figures
}
