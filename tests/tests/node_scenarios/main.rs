//! The node's behaviour beside the peer's: the same scenario with `slapos node …` and with our tools,
//! the calls that the master got and the files that are left. Where they differ, the difference has a
//! name and a reason. `cargo test -p slapos-tests --test node_scenarios -- --nocapture` shows the table.

use std::fs;

use slap_proto::documents::SoftwareState;
use slapos_tests::Side::{Ours, Peer};
use slapos_tests::scenario::{Difference, Scenario, World, compare};
use slapos_tests::{Instance, Misbehaviour, instance_script, write_program};

const SERVICES: &str = "service web 'exec sleep 1000'; program run job 'exec sleep 1000'; \
    promise ok 'exit 0'";

/// A node with two partitions; the first has an instance that this script builds.
fn with_instance(world: &mut World, script: &str) -> String {
    world.node.make_partitions(2);
    let url = world.node.install_release("web", &instance_script(script));
    let mut script = world.master.script();
    script.instances = vec![Instance::new("slappart0", &url)];
    script.free = vec!["slappart1".to_owned()];
    url
}

/// Such a node after its first pass.
fn deployed(world: &mut World, script: &str) -> String {
    let url = with_instance(world, script);
    world.instance(&[]);
    url
}

/// Another script for the first instance.
fn change_script(world: &World, url: &str, script: &str) {
    let path = world.node.release(url).join("bin/buildout");
    write_program(&path, &instance_script(script));
}

/// Changes what is wanted of the first instance.
fn want(world: &World, state: &str, timestamp: &str) {
    let mut script = world.master.script();
    let instance = script.instance("slappart0");
    instance.state = state.to_owned();
    instance.timestamp = timestamp.to_owned();
}

/// A node whose releases are built by this script.
fn with_builds(world: &World, script: &str) {
    let bootstrap = world.node.fake_bootstrap(script);
    world.node.configure(&[("buildout", &bootstrap)]);
}

fn wanted_releases(world: &World, states: &[(&str, SoftwareState)]) {
    let url = |name: &str| format!("http://releases.invalid/{name}/software.cfg");
    let releases = states.iter().map(|(name, state)| (url(name), *state));
    world.master.script().releases = releases.collect();
}

const SILENT: Difference = Difference {
    name: "silent while nothing changes",
    side: Peer,
    line: "call startedComputerPartition slappart0",
    because: "the master knows already; it is told when the verdict of the promises changes",
};
const TWO_THINGS: &str = "nothing is done where the master contradicts itself";
const BUILT_WHEN_NAMED: &str = "built again when named";
const STOPPED_AND_SAID: &str = "a forced stop is reported";
const STARTED_AFTERWARDS: &str = "a forced stop ends with the next pass";
const NOTHING_LOST: &str = "no usage is lost";

/// Declares a scenario and the test that plays it.
macro_rules! scenarios {
    ($($name:ident: $title:literal, $play:expr, [$($difference:expr),* $(,)?];)*) => {$(
        #[test]
        fn $name() {
            let play: fn(&mut World) = $play;
            compare(&Scenario { name: $title, play, differences: &[$($difference),*] });
        }
    )*};
}

mod instances;
mod releases;
mod reports;
