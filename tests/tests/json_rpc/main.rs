//! The JSON-RPC methods, called at our master and at the peer's: answers and databases are the
//! same but for the differences that each scenario names. All that is answered is as our
//! description says.

mod bad_input;
mod description;
mod differences;
mod examples;
mod forwarding;
mod recorded;
mod scenarios;

use std::collections::BTreeSet;

use description::Description;
use scenarios::Scenario;
use slapos_tests::pair::{Master, Pair};
use slapos_tests::{COMPUTER, Side};

fn play(scenario: Scenario) {
    play_on(COMPUTER, scenario);
}

/// On masters that know this computer.
fn play_on(computer: &str, scenario: Scenario) {
    let mut pair = Pair::start(computer, "", scenario.meant);
    let description = Description::of(pair.our_address());
    for step in &scenario.steps {
        pair.ask_and(step, |status, body| {
            if step.call().starts_with("slapos.") {
                description.check_answer(step.call(), status, body);
            }
        });
    }
    pair.finish();
}

#[test]
fn computers() {
    play(scenarios::computers());
}

#[test]
fn what_was_recorded() {
    play_on("COMP-NODE", recorded::scenario());
}

#[test]
fn addresses_may_be_incomplete() {
    play(scenarios::addresses_may_be_incomplete());
}

#[test]
fn releases() {
    play(scenarios::releases());
}

#[test]
fn instances_of_a_user() {
    play(scenarios::instances_of_a_user());
}

#[test]
fn trees_of_instances() {
    play(scenarios::trees_of_instances());
}

#[test]
fn shared_instances() {
    play(scenarios::shared_instances());
}

#[test]
fn the_scenarios_call_what_is_described() {
    let scenarios = [
        scenarios::computers(),
        scenarios::releases(),
        scenarios::instances_of_a_user(),
        scenarios::trees_of_instances(),
        scenarios::shared_instances(),
    ];
    let steps = scenarios.iter().flat_map(|scenario| &scenario.steps);
    let calls = steps.map(|step| step.call());
    let called: BTreeSet<_> = calls.filter(|call| call.starts_with("slapos.")).collect();
    let master = Master::start(Side::Ours, COMPUTER, "");
    let description = Description::of(&master.address);
    assert_eq!(called, description.paths().collect());
}
