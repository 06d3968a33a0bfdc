//! Promises beside the peer's: the same scenario with `slapos node …` and with our tools, the calls that
//! the master got and the records that are left. Where they differ, the difference has a name and a
//! reason. `cargo test -p slapos-tests --test promise_scenarios -- --nocapture` shows the table.

use std::fs;

use slapos_tests::Side::{Ours, Peer};
use slapos_tests::promises::{add_plugin, add_program, idle_buildout, make_due, plugin, switch};
use slapos_tests::scenario::{Difference, Scenario, World, compare};
use slapos_tests::{Instance, Side};

/// A program that is broken while the partition has a file `broken`.
const SWITCH: &str = "[ ! -e broken ] || { echo out of order; exit 1; }; echo in order";

/// A node whose partitions all have an instance.
fn with_instances(world: &mut World, count: usize) {
    world.node.make_partitions(count);
    let url = world.node.install_release("web", &idle_buildout());
    let instance = |number| Instance::new(&format!("slappart{number}"), &url);
    world.master.script().instances = (0..count).map(instance).collect();
}

fn break_all(world: &World, count: usize) {
    for number in 0..count {
        world.node.write_in_partition(number, "broken", "", 0o644);
    }
}

fn mend_all(world: &World, count: usize) {
    for number in 0..count {
        fs::remove_file(world.node.partition(number).join("broken")).expect("it was broken");
    }
}

/// A pass in which every promise is due.
fn due_pass(world: &mut World, count: usize) {
    (0..count).for_each(|number| make_due(&world.node, number));
    world.instance(&[]);
}

/// A difference in what is told by either side of one thing.
const fn own_words(name: &'static str, side: Side, line: &'static str) -> Difference {
    Difference {
        name,
        side,
        line,
        because: "the words are our own, and say what is known",
    }
}

/// What the peer tells a master that knows it already.
const fn silent(line: &'static str) -> Difference {
    Difference {
        name: "silent while nothing changes",
        side: Peer,
        line,
        because: "the master knows already; it is told when the verdict of the promises changes",
    }
}

const fn counted(side: Side, line: &'static str) -> Difference {
    Difference {
        name: "an anomaly is said in the exit code",
        side,
        line,
        because: "a defect of the peer: it is only reported",
    }
}

/// What a plugin of the peer writes into its log.
const fn banged_by_the_plugin(line: &'static str) -> Difference {
    Difference {
        name: "slapgrid bangs, not the plugin",
        side: Peer,
        line,
        because: "plugins run at once, and an instance is to be banged once",
    }
}

const SPEAKING: &str = "a failure that says nothing is described";
const WHY: &str = "why a plugin gave no result";

/// Declares a scenario and the test that plays it.
macro_rules! scenarios {
    ($($name:ident: $title:literal, $play:expr, [$($difference:expr),* $(,)?];)*) => {$(
        #[test]
        fn $name() {
            const DIFFERENCES: &[Difference] = &[$($difference),*];
            let play: fn(&mut World) = $play;
            compare(&Scenario { name: $title, play, differences: DIFFERENCES });
        }
    )*};
}

scenarios! {
    deployment: "promises of all kinds are checked when an instance is deployed", |world| {
        with_instances(world, 1);
        let node = &world.node;
        add_program(node, 0, "kept.sh", "echo out; echo err >&2");
        add_program(node, 0, "failing", "echo why >&2; exit 3");
        add_program(node, 0, "silent", "exit 1");
        node.write_in_partition(0, "etc/promise/plain", "no program", 0o644);
        add_plugin(node, 0, "kept_plugin.py", &switch("self.setPeriodicity(minute=5)"));
        add_plugin(node, 0, "failing_plugin.py", &plugin(
            "  def sense(self):\n    self.logger.info('first')\n    self.logger.error('then')",
        ));
        add_plugin(node, 0, "raising.py", &plugin(
            "  def sense(self):\n    raise RuntimeError('sense exploded')",
        ));
        add_plugin(node, 0, "nothing.py", &plugin("  def sense(self):\n    pass"));
        add_plugin(node, 0, "testless.py", &switch("self.setTestLess()"));
        add_plugin(node, 0, "anomalyless.py", &switch("self.setAnomalyLess()"));
        add_plugin(node, 0, "configured.py", &(plugin(
            "  def sense(self):\n    self.logger.info(self.getConfig('color'))",
        ) + "extra_config_dict = {'color': u'gr\\xfcn', 'periodicity': 9}\n"));
        world.instance(&[]);
        world.note_promises(0);
        world.note_files("instance/slappart0/.slapgrid/promise");
    }, [
        own_words(SPEAKING, Peer, "0 result silent.status.json"),
        own_words(SPEAKING, Ours, "0 result silent.status.json"),
        own_words(SPEAKING, Peer, "0 log silent.log ERROR "),
        own_words(SPEAKING, Ours, "0 log silent.log ERROR "),
    ];

    broken_plugins: "plugins that cannot be loaded, or end without a result", |world| {
        with_instances(world, 2);
        let node = &world.node;
        add_plugin(node, 0, "exiting.py", &plugin("  def sense(self):\n    sys.exit(3)"));
        add_plugin(node, 0, "raising.py", &switch("raise ValueError('constructor exploded')"));
        add_plugin(node, 0, "unmarked.py", &switch("pass").replace("@implementer(interface.IPromise)\n", ""));
        add_plugin(node, 1, "misspelt.py", "def (");
        add_program(node, 1, "kept", "true");
        world.instance(&[]);
        world.note_promises(0);
        world.note_promises(1);
    }, [
        own_words(WHY, Peer, "0 result"),
        own_words(WHY, Ours, "0 result"),
        Difference {
            name: "a misspelt plugin breaks no other promise",
            side: Peer,
            line: "exit 1",
            because: "a defect of the peer: nothing of the partition is checked",
        },
        Difference {
            name: "a misspelt plugin breaks no other promise",
            side: Ours,
            line: "exit 2",
            because: "a defect of the peer: nothing of the partition is checked",
        },
        Difference {
            name: "a misspelt plugin breaks no other promise",
            side: Ours,
            line: "1 ",
            because: "a defect of the peer: nothing of the partition is checked",
        },
    ];

    anomalies: "an instance gets out of order, stays so, and is mended", |world| {
        with_instances(world, 3);
        let node = &world.node;
        add_plugin(node, 0, "banging.py", &switch("self.setPeriodicity(minute=5)"));
        add_program(node, 1, "patient", SWITCH);
        add_plugin(node, 2, "quiet.py", &(switch("self.allowBang(False)")));
        add_plugin(node, 2, "patient.py", &(switch("pass")
            + "  def anomaly(self):\n    return self._anomaly(result_count=3, failure_amount=2)\n"));
        world.instance(&[]);
        break_all(world, 3);
        for _ in 0..3 {
            due_pass(world, 3);
        }
        (0..3).for_each(|number| world.note_promises(number));
        world.instance(&[]);
        mend_all(world, 3);
        due_pass(world, 3);
        (0..3).for_each(|number| world.note_promises(number));
    }, [
        silent("call startedComputerPartition slappart"),
        banged_by_the_plugin("0 log banging.log INFO Bang"),
        banged_by_the_plugin("2 log patient.log INFO Bang"),
        counted(Peer, "exit 0"),
        counted(Ours, "exit 2"),
    ];

    several_at_once: "several promises break at once, of which one bangs", |world| {
        with_instances(world, 1);
        for name in ["one.py", "two.py"] {
            add_plugin(&world.node, 0, name, &switch("pass"));
        }
        add_plugin(&world.node, 0, "testless.py", &switch("self.setTestLess()"));
        add_plugin(&world.node, 0, "anomalyless.py", &switch("self.setAnomalyLess()"));
        world.instance(&[]);
        break_all(world, 1);
        due_pass(world, 1);
        world.note_promises(0);
    }, [
        counted(Peer, "exit 0"),
        counted(Ours, "exit 2"),
        banged_by_the_plugin("0 log testless.log INFO Bang"),
    ];

    demand: "node promise", |world| {
        with_instances(world, 3);
        for number in 0..3 {
            add_plugin(&world.node, number, "web.py", &switch("self.setPeriodicity(minute=5)"));
        }
        add_program(&world.node, 0, "old", SWITCH);
        world.master.script().instance("slappart1").state = "stopped".to_owned();
        world.instance(&[]);
        world.promise(&[]);
        break_all(world, 3);
        world.promise(&["--only-cp", "slappart0,slappart1"]);
        (0..3).for_each(|number| world.note_promises(number));
        world.promise(&["--only-cp", "slappart7"]);
    }, [];

    removed: "promises are removed", |world| {
        with_instances(world, 1);
        add_plugin(&world.node, 0, "web.py", &switch("pass"));
        add_program(&world.node, 0, "old", "true");
        world.instance(&[]);
        for name in ["plugin/web.py", "promise/old"] {
            fs::remove_file(world.node.partition(0).join("etc").join(name)).expect("it is there");
        }
        world.instance(&["--force"]);
        world.note_promises(0);
    }, [
        Difference {
            name: "promises that are no more are forgotten",
            side: Peer,
            line: "0 result ",
            because: "the monitoring would show their last results for ever",
        },
        Difference {
            name: "promises that are no more are forgotten",
            side: Peer,
            line: "0 cache ",
            because: "the monitoring would show their last results for ever",
        },
    ];

    timeouts: "promises take too long, and leave children", |world| {
        with_instances(world, 1);
        add_program(&world.node, 0, "stubborn", "trap '' TERM; echo stubborn; sleep 60; sleep 60");
        add_plugin(&world.node, 0, "slow.py", &plugin("  def sense(self):\n    __import__('time').sleep(60)"));
        add_program(&world.node, 0, "parent", "sleep 60 & echo done");
        world.instance(&["--promise-timeout", "1"]);
        world.note_promises(0);
    }, [
        own_words("timeouts are told in our words", Peer, "0 result s"),
        own_words("timeouts are told in our words", Ours, "0 result s"),
        own_words("timeouts are told in our words", Peer, "0 log stubborn.log "),
        own_words("timeouts are told in our words", Ours, "0 log stubborn.log "),
        Difference {
            name: "what a promise left running is not waited for",
            side: Peer,
            line: "0 result parent",
            because: "the promise itself has ended",
        },
        Difference {
            name: "what a promise left running is not waited for",
            side: Ours,
            line: "0 result parent",
            because: "the promise itself has ended",
        },
        Difference {
            name: "what a promise left running is not waited for",
            side: Ours,
            line: "0 log parent",
            because: "the promise itself has ended",
        },
    ];
}
