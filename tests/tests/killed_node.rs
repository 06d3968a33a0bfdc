//! slapgrid, killed after each of its steps, and at each of its calls to the master when that has done
//! what it was asked and has not answered: the next run reaches the same end, and tells the master no
//! more than once more. `cargo test -p slapos-tests --test killed_node -- --nocapture` shows the table; with
//! `SLAPOS_TEST_ALL_STEPS` set, all steps are tried instead of some.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use nix::sys::signal::Signal::SIGKILL;
use slap_proto::documents::SoftwareState;
use slapos_tests::Side::Ours;
use slapos_tests::faults::{URL, consumption, with_release};
use slapos_tests::scenario::{files, running};
use slapos_tests::{Background, Instance, Node, Outcome, ScriptedMaster, poll};

const PATIENCE: Duration = Duration::from_secs(60);
/// Of the steps of a run, each of that many is tried unless all are.
const STRIDE: usize = 5;

/// Builds the release, and each instance of it: a service and a promise.
const BUILD: &str = r#"case "$PWD" in
*/software/*) touch instance.cfg ;;
*) mkdir -p etc/service etc/promise etc/report
   echo '#!/bin/sh
exec sleep VERSION' > etc/service/web
   echo '#!/bin/sh
exit 0' > etc/promise/web
   chmod 700 etc/*/web ;;
esac"#;

/// What happens to a node.
struct Scenario {
    name: &'static str,
    tool: &'static str,
    /// Whether an instance runs before.
    is_deployed: bool,
    /// What the master wants then.
    change: fn(&Node, &ScriptedMaster),
}

/// When a run is killed.
#[derive(Clone, Copy)]
enum Moment {
    Never,
    AfterStep(usize),
    AtCall(usize),
}

/// What there is in the end: files with their attributes, and services.
struct End(BTreeSet<String>);

fn build(node: &Node, version: &str) {
    node.fake_bootstrap(&BUILD.replace("VERSION", version));
}

impl Scenario {
    /// A node that is about to change.
    fn prepare(&self) -> (Node, ScriptedMaster) {
        let (node, master) = with_release(Node::new(), "");
        build(&node, "1000");
        node.make_partitions(2);
        master.script().free = vec!["slappart0".to_owned(), "slappart1".to_owned()];
        if self.is_deployed {
            want(&master, Instance::new("slappart0", URL));
            run(&node, "slapgrid").expect(0);
        } else {
            master.script().releases.clear();
        }
        (self.change)(&node, &master);
        master.calls();
        (node, master)
    }

    /// Plays it, and tells what the run was killed at; none if it ended by itself.
    fn play(&self, moment: Moment) -> (Option<String>, End, Calls) {
        let (node, master) = self.prepare();
        let killed = match moment {
            Moment::Never => None,
            Moment::AfterStep(step) => after_step(&node, self.tool, step),
            Moment::AtCall(call) => at_call(&node, &master, self.tool, call),
        };
        let outcome = run(&node, self.tool);
        assert_eq!(outcome.code, Some(0), "{killed:?}: {}", outcome.text());
        (killed, End::of(&node), Calls::of(&master))
    }

    /// Kills it at moment after moment until a run ends by itself.
    fn check(&self, stride: usize, moment: impl Fn(usize) -> Moment) {
        let (_, expected, calls) = self.play(Moment::Never);
        let mut tried = 0;
        for number in (0..).step_by(stride) {
            let (killed, end, told) = self.play(moment(number));
            let Some(killed) = killed else {
                break;
            };
            let differing: Vec<_> = end.0.symmetric_difference(&expected.0).collect();
            assert!(
                differing.is_empty(),
                "{}: {killed}: {differing:#?}",
                self.name
            );
            let repeated = told.beyond(&calls, &killed);
            println!("| {} | {killed} | same end | {repeated} |", self.name);
            tried += 1;
        }
        assert!(
            tried > 1,
            "is slapgrid built with the feature fault-injection?"
        );
    }

    fn check_all(&self) {
        let all = std::env::var_os("SLAPOS_TEST_ALL_STEPS").is_some();
        let stride = if all { 1 } else { STRIDE };
        self.check(stride, |number| Moment::AfterStep(number + 1));
        self.check(1, Moment::AtCall);
    }
}

/// Runs a tool to its end. One partition at a time, so that steps have numbers.
fn run(node: &Node, tool: &str) -> Outcome {
    node.grid(Ours, tool, "", &["--jobs", "1"])
}

fn after_step(node: &Node, tool: &str, step: usize) -> Option<String> {
    let mut command = node.ours_with(tool, &["--now", "--console", "--jobs", "1"]);
    command.env("SLAPOS_KILL_AFTER_STEP", step.to_string());
    let outcome = Outcome::of(&mut command);
    let text = outcome.stderr.lines().last().unwrap_or_default();
    let killed = outcome.code.is_none();
    assert!(killed || outcome.code == Some(0), "{}", outcome.text());
    killed.then(|| text.to_owned())
}

fn at_call(node: &Node, master: &ScriptedMaster, tool: &str, call: usize) -> Option<String> {
    master.script().calls_before_silence = Some(call);
    let mut background = Background::grid(node, tool, &["--jobs", "1"]);
    let mut is_silent = false;
    poll::until(
        "a call is met with silence, or the run ends",
        PATIENCE,
        || {
            is_silent = master.script().calls_before_silence.is_none();
            is_silent || background.has_ended()
        },
    );
    master.script().calls_before_silence = None;
    if !is_silent {
        return None;
    }
    background.end(SIGKILL, PATIENCE);
    let last = master.script().last_call().to_string();
    Some(format!("killed at call {}: {last}", call + 1))
}

impl End {
    fn of(node: &Node) -> Self {
        let files = ["instance", "software"].map(|below| files(node, below));
        // A file that never got its name is of no consequence, nor is one that nobody holds locked.
        let counts = |line: &String| !line.contains("/.slapos-new-") && !line.contains(".lock ");
        poll::until("services have started", PATIENCE, || {
            !node.services_status().contains("STARTING")
        });
        let files = files.into_iter().flatten().filter(counts);
        Self(files.chain(running(node)).collect())
    }
}

/// What the master was told, and how often.
struct Calls(BTreeMap<String, usize>);

impl Calls {
    fn of(master: &ScriptedMaster) -> Self {
        let mut counts = BTreeMap::new();
        for call in master.calls() {
            if call.endpoint != "getFullComputerInformation" {
                *counts.entry(call.to_string()).or_default() += 1;
            }
        }
        Self(counts)
    }

    /// What was told more often than by an undisturbed run, which may be once; nothing may be
    /// missing.
    fn beyond(&self, undisturbed: &Self, killed: &str) -> String {
        let mut repeated = Vec::new();
        for call in self.0.keys().chain(undisturbed.0.keys()) {
            let count = |calls: &Self| calls.0.get(call).copied().unwrap_or_default();
            let (told, expected) = (count(self), count(undisturbed));
            assert!(
                (expected..=expected + 1).contains(&told),
                "{killed}: {call}: {told} times instead of {expected}"
            );
            if told > expected && !repeated.contains(call) {
                repeated.push(call.clone());
            }
        }
        match repeated.as_slice() {
            [] => "nothing told twice".to_owned(),
            repeated => format!("once more: {}", repeated.join(", ")),
        }
    }
}

fn want(master: &ScriptedMaster, instance: Instance) {
    let mut script = master.script();
    script
        .free
        .retain(|partition| *partition != instance.partition);
    script.instances = vec![instance];
}

fn changed(state: &str) -> Instance {
    let mut instance = Instance::new("slappart0", URL);
    (instance.state, instance.timestamp) = (state.to_owned(), "1700000001".to_owned());
    instance
}

#[test]
fn a_new_release_and_a_new_instance() {
    let scenario = Scenario {
        name: "new release, new instance",
        tool: "slapgrid",
        is_deployed: false,
        change: |_, master| {
            master.script().releases = vec![(URL.to_owned(), SoftwareState::Available)];
            want(master, Instance::new("slappart0", URL));
        },
    };
    scenario.check_all();
}

#[test]
fn changed_parameters() {
    let scenario = Scenario {
        name: "changed parameters",
        tool: "slapgrid-cp",
        is_deployed: true,
        change: |node, master| {
            build(node, "2000");
            want(master, changed("started"));
        },
    };
    scenario.check_all();
}

#[test]
fn a_stop() {
    let scenario = Scenario {
        name: "stop",
        tool: "slapgrid-cp",
        is_deployed: true,
        change: |_, master| want(master, changed("stopped")),
    };
    scenario.check_all();
}

#[test]
fn a_destruction_with_a_usage_report() {
    let scenario = Scenario {
        name: "destruction, usage report",
        tool: "slapgrid-ur",
        is_deployed: true,
        change: |node, master| {
            node.write_in_partition(0, "var/xml_report/one", &consumption("cpu"), 0o644);
            want(master, changed("destroyed"));
        },
    };
    scenario.check_all();
}
