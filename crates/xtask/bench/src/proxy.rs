//! slapproxy beside `slapos proxy start`: the same requests to both, one after the other.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::calls;
use super::connection::Connection;
use super::load::{self, Figures};
use super::master::{Master, Side};
use crate::{command, places};

/// What to measure.
pub(super) struct Plan<'a> {
    /// Sizes of the computer.
    pub(super) partitions: &'a [usize],
    /// Connections that ask at once.
    pub(super) connections: &'a [usize],
    /// Time for each figure.
    pub(super) time: Duration,
}

/// Connections that prepare and clear away; not measured.
const HELPERS: usize = 8;

/// The calls that are measured.
#[derive(Clone, Copy)]
enum Kind {
    Full,
    Register,
    Update,
    Publish,
    Allocate,
}

const KINDS: [(Kind, &str); 5] = [
    (Kind::Full, "getFullComputerInformation"),
    (Kind::Register, "registerComputerPartition"),
    (Kind::Update, "request, update"),
    (Kind::Publish, "publish"),
    (Kind::Allocate, "request, allocate"),
];

/// Resident memory of both masters, in KiB.
struct Memory {
    partitions: usize,
    /// After the first answer.
    idle: [u64; 2],
    /// After all the load.
    after: [u64; 2],
}

/// Measures everything and prints the tables.
pub(super) fn run(plan: &Plan) -> Result<()> {
    command::run(
        Command::new(env!("CARGO"))
            .current_dir(places::workspace())
            .args(["build", "--quiet", "--release", "--package", "slapproxy"]),
    )?;
    let peer = super::peer()?;
    println!(
        "{:>10} {:>5}  {:<26} {:>9} {:>9} {:>9}   {:>7} {:>9} {:>9}   {:>6}",
        "partitions",
        "conn.",
        "call",
        "ours/s",
        "p50 ms",
        "p99 ms",
        "peer/s",
        "p50 ms",
        "p99 ms",
        "ratio"
    );
    let mut memory = Vec::new();
    for partitions in plan.partitions {
        let ours = Master::start(Side::Ours)?;
        let theirs = Master::start(Side::Peer(&peer))?;
        let idle = [ours.memory()?, theirs.memory()?];
        for master in [&ours, &theirs] {
            Connection::new(master.address).ask(&calls::format(*partitions))?;
        }
        compare(plan, *partitions, [&ours, &theirs])?;
        memory.push(Memory {
            partitions: *partitions,
            idle,
            after: [ours.memory()?, theirs.memory()?],
        });
    }
    print_memory(&memory);
    print_start(&peer)
}

/// All figures of one size of the computer.
fn compare(plan: &Plan, partitions: usize, masters: [&Master; 2]) -> Result<()> {
    for (kind, name) in KINDS {
        for connections in plan.connections {
            let mut figures = Vec::new();
            for master in masters {
                figures.push(measure(kind, master, partitions, *connections, plan.time)?);
            }
            if let [ours, theirs] = &mut figures[..] {
                print(partitions, *connections, name, ours, theirs);
            }
        }
    }
    Ok(())
}

fn print(
    partitions: usize,
    connections: usize,
    name: &str,
    ours: &mut Figures,
    theirs: &mut Figures,
) {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{partitions:>10} {connections:>5}  {name:<26} {:>9.0} {:>9.2} {:>9.2}   {:>7.0} {:>9.2} {:>9.2}   {:>6.1}",
        ours.rate(),
        milliseconds(ours.percentile(50)),
        milliseconds(ours.percentile(99)),
        theirs.rate(),
        milliseconds(theirs.percentile(50)),
        milliseconds(theirs.percentile(99)),
        ours.rate() / theirs.rate(),
    );
}

fn measure(
    kind: Kind,
    master: &Master,
    partitions: usize,
    connections: usize,
    time: Duration,
) -> Result<Figures> {
    if matches!(kind, Kind::Allocate) {
        return allocate(master, partitions, connections, time);
    }
    occupy(master, partitions)?;
    let asked = |worker: usize, number: usize| {
        let partition = (worker * 7919 + number) % partitions;
        let value = format!("{worker}-{number}");
        Some(match kind {
            Kind::Full => calls::full(),
            Kind::Register => calls::register(partition),
            Kind::Update | Kind::Allocate => calls::instance(partition, &value),
            Kind::Publish => calls::publish(partition, &value),
        })
    };
    load::run(master.address, connections, time, &asked)
}

/// An instance in every partition.
fn occupy(master: &Master, partitions: usize) -> Result<()> {
    each(master, partitions, HELPERS, Duration::MAX, &|number| {
        calls::instance(number, "")
    })?;
    Ok(())
}

/// Rounds of new instances for all partitions, which are freed between the rounds.
fn allocate(
    master: &Master,
    partitions: usize,
    connections: usize,
    time: Duration,
) -> Result<Figures> {
    let begun = Instant::now();
    let mut figures = Figures::default();
    // Freeing takes its time, too.
    while figures.elapsed() < time && begun.elapsed() < 5 * time {
        each(master, partitions, HELPERS, Duration::MAX, &calls::free)?;
        let left = time.saturating_sub(figures.elapsed());
        let request = |number| calls::instance(number, "");
        figures.add(each(master, partitions, connections, left, &request)?);
    }
    Ok(figures)
}

/// One request for each partition, or as many as the time allows.
fn each(
    master: &Master,
    partitions: usize,
    connections: usize,
    time: Duration,
    request: &(impl Fn(usize) -> Vec<u8> + Sync),
) -> Result<Figures> {
    let next = AtomicUsize::new(0);
    let asked = |_, _| {
        let number = next.fetch_add(1, Ordering::Relaxed);
        (number < partitions).then(|| request(number))
    };
    let time = time.min(Duration::from_secs(600));
    load::run(master.address, connections, time, &asked)
}

fn print_memory(memory: &[Memory]) {
    println!(
        "\n{:>10}   {:>10} {:>10} {:>6}   {:>10} {:>10} {:>6}",
        "partitions", "ours idle", "peer idle", "", "ours after", "peer after", ""
    );
    for row in memory {
        let cells = |[ours, theirs]: [u64; 2]| {
            format!("{ours:>6} KiB {theirs:>6} KiB {:>4} %", 100 * ours / theirs)
        };
        println!(
            "{:>10}   {}   {}",
            row.partitions,
            cells(row.idle),
            cells(row.after)
        );
    }
}

/// Times from the start of a process to its first answer, the best and the worst of some.
fn print_start(peer: &std::path::Path) -> Result<()> {
    const STARTS: usize = 7;
    println!();
    for (name, side) in [("ours", Side::Ours), ("peer", Side::Peer(peer))] {
        let mut times = Vec::new();
        for _ in 0..STARTS {
            times.push(Master::start(side)?.first_answer);
        }
        times.sort_unstable();
        let last = times.last().context("nothing was started")?;
        println!(
            "start to first answer, {name}: {:.1} ms at best, {:.1} ms at worst of {STARTS}",
            times[0].as_secs_f64() * 1e3,
            last.as_secs_f64() * 1e3,
        );
    }
    Ok(())
}
