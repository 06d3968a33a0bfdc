//! slapgrid-cp beside `slapos node instance`: the same passes over the same node, in turns.
//!
//! To measure another kind of pass, add a [`Case`].

use std::fmt;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use slapos_tests::promises::{add_plugin, add_program, idle_buildout, plugin, set_next_check};
use slapos_tests::{Instance, Node, ScriptedMaster, Side};

use crate::{command, places};

/// How many promises each instance has.
const PROMISES: usize = 5;
/// What is not due is due only after that many seconds.
const LATER: u64 = 24 * 60 * 60;

/// How the promises of the instances are written.
#[derive(Clone, Copy)]
enum Kind {
    Programs,
    Plugins,
}

/// A pass that is measured.
#[derive(Clone, Copy)]
struct Case {
    kind: Kind,
    /// Whether the time of the promises has come.
    due: bool,
}

/// What a pass took.
#[derive(Clone, Copy)]
struct Figures {
    wall: Duration,
    /// Of the pass and everything that it started and waited for.
    cpu: Duration,
}

/// Measures the passes whose names contain `only`, and prints a table.
pub(super) fn run(sizes: &[usize], rounds: usize, only: &str) -> Result<()> {
    prepare()?;
    println!(
        "{:>10}  {:<20} {:>9} {:>9}   {:>9} {:>9}   {:>7} {:>7}",
        "partitions", "promises each", "ours s", "CPU s", "peer s", "CPU s", "wall", "CPU"
    );
    for size in sizes {
        for kind in [Kind::Programs, Kind::Plugins] {
            let cases = [false, true].map(|due| Case { kind, due });
            let cases = cases
                .into_iter()
                .filter(|case| case.to_string().contains(only));
            measure_cases(*size, kind, &cases.collect::<Vec<_>>(), rounds)?;
        }
    }
    Ok(())
}

/// Measures passes over one node.
fn measure_cases(size: usize, kind: Kind, cases: &[Case], rounds: usize) -> Result<()> {
    if cases.is_empty() {
        return Ok(());
    }
    let (node, _master) = deploy(size, kind)?;
    for case in cases {
        let figures = measure(&node, size, case.due, rounds)?;
        print(size, *case, figures);
    }
    Ok(())
}

/// Builds the tools as they are shipped, and finds the peer.
fn prepare() -> Result<()> {
    let (peer, target) = (super::peer()?, places::shared()?);
    let packages = ["slapgrid-cp", "slapos-watchdog"].map(|name| format!("--package={name}"));
    command::run(
        Command::new(env!("CARGO"))
            .current_dir(places::workspace())
            .env("CARGO_TARGET_DIR", &target)
            .args(["build", "--quiet", "--release"])
            .args(packages),
    )?;
    slapos_tests::places::set(target.join("release"), peer);
    Ok(())
}

/// A node whose instances are all up to date.
fn deploy(size: usize, kind: Kind) -> Result<(Node, ScriptedMaster)> {
    let node = Node::new();
    node.make_partitions(size);
    let url = node.install_release("idle", &idle_buildout());
    let master = ScriptedMaster::start(node.master_port);
    let instance = |number| Instance::new(&format!("slappart{number}"), &url);
    master.script().instances = (0..size).map(instance).collect();
    let text = plugin("  def sense(self):\n    self.logger.info('in order')");
    for number in 0..size {
        for promise in 0..PROMISES {
            match kind {
                Kind::Programs => {
                    add_program(&node, number, &format!("promise{promise}"), "echo in order");
                }
                Kind::Plugins => add_plugin(&node, number, &format!("promise{promise}.py"), &text),
            }
        }
    }
    pass(&node, Side::Ours)?;
    Ok((node, master))
}

/// The medians of several passes of each side.
fn measure(node: &Node, size: usize, due: bool, rounds: usize) -> Result<[Figures; 2]> {
    let mut figures = [Vec::new(), Vec::new()];
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let next_check = if due { 0 } else { now + LATER };
    for _ in 0..rounds {
        for (side, figures) in [Side::Ours, Side::Peer].into_iter().zip(&mut figures) {
            (0..size).for_each(|number| set_next_check(node, number, next_check));
            figures.push(pass(node, side)?);
        }
    }
    let [ours, theirs] = figures;
    Ok([median(&ours)?, median(&theirs)?])
}

fn pass(node: &Node, side: Side) -> Result<Figures> {
    let (before, clock) = (super::cpu_of_children()?, Instant::now());
    let outcome = node.instance(side);
    let wall = clock.elapsed();
    ensure!(outcome.code == Some(0), "a pass failed: {}", outcome.text());
    let cpu = super::cpu_of_children()?.saturating_sub(before);
    Ok(Figures { wall, cpu })
}

/// Of each figure by itself.
fn median(figures: &[Figures]) -> Result<Figures> {
    let middle = |figure: fn(&Figures) -> Duration| {
        let mut all: Vec<_> = figures.iter().map(figure).collect();
        all.sort_unstable();
        all.get(all.len() / 2)
            .copied()
            .context("nothing was measured")
    };
    Ok(Figures {
        wall: middle(|figures| figures.wall)?,
        cpu: middle(|figures| figures.cpu)?,
    })
}

fn print(size: usize, case: Case, [ours, theirs]: [Figures; 2]) {
    let seconds = |time: Duration| time.as_secs_f64();
    println!(
        "{size:>10}  {:<20} {:>9.3} {:>9.3}   {:>9.3} {:>9.3}   {:>6.1}x {:>6.1}x",
        case.to_string(),
        seconds(ours.wall),
        seconds(ours.cpu),
        seconds(theirs.wall),
        seconds(theirs.cpu),
        seconds(theirs.wall) / seconds(ours.wall),
        seconds(theirs.cpu) / seconds(ours.cpu),
    );
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Programs => "programs",
            Kind::Plugins => "plugins",
        };
        let due = if self.due { "due" } else { "not due" };
        write!(formatter, "{PROMISES} {kind}, {due}")
    }
}
