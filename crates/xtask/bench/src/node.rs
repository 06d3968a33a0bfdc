//! slapgrid-cp beside `slapos node instance`: the same passes over the same node, in turns.
//!
//! To measure another kind of pass, add a [`Case`].

use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use slapos_tests::promises::{add_plugin, add_program, idle_buildout, plugin, set_next_check};
use slapos_tests::{Instance, Node, ScriptedMaster, Side};

use super::process;
use crate::{command, places};

/// How many promises each instance has.
const PROMISES: usize = 5;
/// What is not due is due only after that many seconds.
const LATER: u64 = 24 * 60 * 60;

/// How the promises of the instances are written.
#[derive(Clone, Copy, PartialEq)]
enum Promises {
    None,
    Programs,
    Plugins,
}

/// What a pass finds to do.
#[derive(Clone, Copy)]
enum Work {
    Nothing,
    /// The master has changed one instance, whose buildout does nothing.
    OneInstance,
    /// The master has changed all instances.
    AllInstances,
    /// The time of all promises has come.
    DuePromises,
}

/// A pass that is measured.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    promises: Promises,
    work: Work,
}

/// The passes, those over the same node one after the other.
const CASES: [Case; 7] = [
    Case::new("nothing to do", Promises::None, Work::Nothing),
    Case::new("one changed", Promises::None, Work::OneInstance),
    Case::new("all changed", Promises::None, Work::AllInstances),
    Case::new("5 programs, not due", Promises::Programs, Work::Nothing),
    Case::new("5 programs, due", Promises::Programs, Work::DuePromises),
    Case::new("5 plugins, not due", Promises::Plugins, Work::Nothing),
    Case::new("5 plugins, due", Promises::Plugins, Work::DuePromises),
];

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
        "partitions", "pass", "ours s", "CPU s", "peer s", "CPU s", "wall", "CPU"
    );
    for size in sizes {
        for promises in [Promises::None, Promises::Programs, Promises::Plugins] {
            let wanted = |case: &&Case| case.promises == promises && case.name.contains(only);
            measure_cases(*size, promises, CASES.iter().filter(wanted), rounds)?;
        }
    }
    Ok(())
}

/// Measures passes over one node.
fn measure_cases<'a>(
    size: usize,
    promises: Promises,
    cases: impl Iterator<Item = &'a Case>,
    rounds: usize,
) -> Result<()> {
    let mut cases = cases.peekable();
    if cases.peek().is_none() {
        return Ok(());
    }
    let (node, master) = deploy(size, promises)?;
    for case in cases {
        let figures = measure(&node, &master, case.work, rounds)?;
        print(size, case, figures);
    }
    Ok(())
}

/// Builds the tools with optimisation, and finds the peer.
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
fn deploy(size: usize, promises: Promises) -> Result<(Node, ScriptedMaster)> {
    let node = Node::new();
    node.make_partitions(size);
    let url = node.install_release("idle", &idle_buildout());
    let master = ScriptedMaster::start(node.master_port);
    let instance = |number| Instance::new(&format!("slappart{number}"), &url);
    master.script().instances = (0..size).map(instance).collect();
    let text = plugin("  def sense(self):\n    self.logger.info('in order')");
    for number in 0..size {
        for promise in 0..PROMISES {
            let name = format!("promise{promise}");
            match promises {
                Promises::None => {}
                Promises::Programs => add_program(&node, number, &name, "echo in order"),
                Promises::Plugins => add_plugin(&node, number, &format!("{name}.py"), &text),
            }
        }
    }
    pass(&node, Side::Ours)?;
    Ok((node, master))
}

/// The medians of several passes of each side.
fn measure(
    node: &Node,
    master: &ScriptedMaster,
    work: Work,
    rounds: usize,
) -> Result<[Figures; 2]> {
    let mut figures = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (side, figures) in [Side::Ours, Side::Peer].into_iter().zip(&mut figures) {
            prepare_pass(node, &mut master.script().instances, work)?;
            figures.push(pass(node, side)?);
        }
    }
    let [ours, theirs] = figures;
    Ok([median(&ours)?, median(&theirs)?])
}

/// Has the next pass find that to do, and nothing else.
fn prepare_pass(node: &Node, instances: &mut [Instance], work: Work) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let next_check = match work {
        Work::DuePromises => 0,
        Work::Nothing | Work::OneInstance | Work::AllInstances => now.as_secs() + LATER,
    };
    (0..instances.len()).for_each(|number| set_next_check(node, number, next_check));
    let changed = match work {
        Work::Nothing | Work::DuePromises => 0,
        Work::OneInstance => 1,
        Work::AllInstances => instances.len(),
    };
    for instance in instances.iter_mut().take(changed) {
        instance.timestamp = now.as_nanos().to_string();
    }
    Ok(())
}

fn pass(node: &Node, side: Side) -> Result<Figures> {
    let (before, clock) = (process::cpu_of_children()?, Instant::now());
    let outcome = node.instance(side);
    let wall = clock.elapsed();
    ensure!(outcome.code == Some(0), "a pass failed: {}", outcome.text());
    let cpu = process::cpu_of_children()?.saturating_sub(before);
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

fn print(size: usize, case: &Case, [ours, theirs]: [Figures; 2]) {
    let seconds = |time: Duration| time.as_secs_f64();
    println!(
        "{size:>10}  {:<20} {:>9.3} {:>9.3}   {:>9.3} {:>9.3}   {:>6.1}x {:>6.1}x",
        case.name,
        seconds(ours.wall),
        seconds(ours.cpu),
        seconds(theirs.wall),
        seconds(theirs.cpu),
        seconds(theirs.wall) / seconds(ours.wall),
        seconds(theirs.cpu) / seconds(ours.cpu),
    );
}

impl Case {
    const fn new(name: &'static str, promises: Promises, work: Work) -> Self {
        Self {
            name,
            promises,
            work,
        }
    }
}
