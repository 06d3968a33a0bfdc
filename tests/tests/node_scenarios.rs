//! The node's behaviour beside the peer's: the same scenario with `slapos node …` and with our tools,
//! the calls that the master got and the files that are left. Where they differ, the difference has a
//! name and a reason. `cargo test --test node_scenarios -- --nocapture` shows the table.

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

scenarios! {
    an_instance_is_started: "started", |world| {
        with_instance(world, SERVICES);
        world.instance(&[]);
        world.note_services();
        world.note_files("instance");
    }, [];

    nothing_changed: "nothing changed", |world| {
        deployed(world, SERVICES);
        world.instance(&[]);
        world.note_services();
    }, [
        SILENT,
    ];

    a_stopped_instance: "stopped from the beginning", |world| {
        with_instance(world, SERVICES);
        want(world, "stopped", "1700000001");
        world.instance(&[]);
        world.instance(&[]);
        world.note_services();
        world.note_files("instance");
    }, [];

    stopped_and_started_again: "started, stopped, started again", |world| {
        deployed(world, SERVICES);
        want(world, "stopped", "1700000001");
        world.instance(&[]);
        world.note_services();
        want(world, "started", "1700000002");
        world.instance(&[]);
        world.note_services();
    }, [];

    destroyed: "destroyed", |world| {
        deployed(world, SERVICES);
        want(world, "destroyed", "1700000001");
        world.instance(&[]);
        world.note_services();
        world.instance(&[]);
        world.report(&[]);
        world.note_files("instance");
        world.instance(&[]);
    }, [];

    destroyed_at_once: "destroyed before it was ever deployed", |world| {
        with_instance(world, SERVICES);
        want(world, "destroyed", "1700000001");
        world.instance(&[]);
        world.report(&[]);
        world.note_files("instance");
    }, [];

    services_change: "a service goes, another comes", |world| {
        let url = deployed(world, SERVICES);
        change_script(world, &url, "rm -rf etc; service other 'exec sleep 1000'");
        want(world, "started", "1700000001");
        world.instance(&[]);
        world.note_services();
    }, [];

    no_services: "no services any more", |world| {
        let url = deployed(world, SERVICES);
        change_script(world, &url, "rm -rf etc");
        want(world, "started", "1700000001");
        world.instance(&[]);
        world.note_services();
        world.note_files("instance/etc");
    }, [];

    failing_instance: "buildout of the instance fails", |world| {
        let url = deployed(world, SERVICES);
        change_script(world, &url, "echo no more cheese; exit 3");
        want(world, "started", "1700000001");
        world.instance(&[]);
        world.note_services();
        world.note_files("instance/slappart0");
        change_script(world, &url, SERVICES);
        world.instance(&[]);
        world.note_files("instance/slappart0");
    }, [];

    failing_while_stopped: "buildout fails on the way to stopped", |world| {
        let url = deployed(world, SERVICES);
        change_script(world, &url, "exit 3");
        want(world, "stopped", "1700000001");
        world.instance(&[]);
        world.note_services();
    }, [];

    timing_out: "buildout of the instance takes too long", |world| {
        with_instance(world, "exec sleep 60");
        world.instance(&["--partition-timeout", "1"]);
        world.note_files("instance/slappart0");
    }, [];

    failing_promise: "a promise fails", |world| {
        with_instance(world, "service web 'exec sleep 1000'; promise bad 'echo broken >&2; exit 1'");
        world.instance(&[]);
        world.note_services();
        world.instance(&[]);
        world.note_files("instance/slappart0");
    }, [];

    certificates: "certificates fetched, changed, removed", |world| {
        let repository = world.node.path().join("pki");
        fs::create_dir(&repository).expect("the node's directory is ours");
        world.node.configure(&[("certificate_repository_path", &repository.display().to_string())]);
        world.master.script().certificate = ("CERT 1".to_owned(), "KEY 1".to_owned());
        deployed(world, SERVICES);
        world.note_files("pki");
        world.master.script().certificate = ("CERT 2".to_owned(), "KEY 2".to_owned());
        world.instance(&[]);
        let certificate = fs::read_to_string(repository.join("slappart0.crt"));
        world.note(&format!("certificate {}", certificate.expect("it was fetched")));
        want(world, "destroyed", "1700000001");
        world.report(&[]);
        world.note_files("pki");
    }, [
        SILENT,
        Difference {
            name: "no certificate for what goes",
            side: Peer,
            line: "call getComputerPartitionCertificate slappart0",
            because: "it would be removed at once",
        },
    ];

    slaves: "an instance with slaves", |world| {
        with_instance(world, "grep -c requested-state buildout.cfg");
        let slave = slap_proto::marshal::Dict::from_iter([("slave_title", "a".into()), ("slave_reference", "A-1".into())]);
        let list = slap_proto::marshal::Value::list(vec![slap_proto::marshal::Value::Dict(slave.into())]);
        world.master.script().instance("slappart0").parameters.insert("slave_instance_list".to_owned(), list);
        world.instance(&[]);
        world.instance(&[]);
    }, [
        SILENT,
    ];

    several_partitions: "several partitions, one of which fails", |world| {
        world.node.make_partitions(3);
        let good = world.node.install_release("good", &instance_script(SERVICES));
        let bad = world.node.install_release("bad", "#!/bin/sh\nexit 1\n");
        world.master.script().instances = vec![
            Instance::new("slappart0", &bad),
            Instance::new("slappart1", &good),
            Instance::new("slappart2", &good),
        ];
        world.instance(&[]);
        world.note_services();
    }, [];

    twice_the_same: "a partition twice in one answer, the same of it", |world| {
        with_instance(world, SERVICES);
        let instance = world.master.script().instance("slappart0").clone();
        world.master.script().instances.push(instance);
        world.instance(&[]);
        world.note_services();
    }, [
        SILENT,
    ];

    twice_contradicting: "a partition twice in one answer, started and stopped", |world| {
        with_instance(world, SERVICES);
        let mut instance = world.master.script().instance("slappart0").clone();
        instance.state = "stopped".to_owned();
        instance.timestamp = "1700000001".to_owned();
        world.master.script().instances.push(instance);
        world.instance(&[]);
        world.note_services();
        world.instance(&[]);
    }, [
        Difference {
            name: TWO_THINGS,
            side: Peer,
            line: "call startedComputerPartition slappart0",
            because: "the peer does one after the other, in every pass again",
        },
        Difference {
            name: TWO_THINGS,
            side: Peer,
            line: "call stoppedComputerPartition slappart0",
            because: "the peer does one after the other, in every pass again",
        },
        Difference {
            name: TWO_THINGS,
            side: Peer,
            line: "exit 0",
            because: "the peer does one after the other, in every pass again",
        },
        Difference {
            name: TWO_THINGS,
            side: Ours,
            line: "exit 1",
            because: "one may be to destroy what the other keeps",
        },
    ];

    requested_instances: "the instance requests others", |world| {
        let url = deployed(world, "printf 'one\\ntwo\\n' > .slapos-request-transaction-slappart0");
        world.instance(&[]);
        change_script(world, &url, "true");
        want(world, "started", "1700000001");
        world.instance(&[]);
        world.note_files("instance/slappart0");
    }, [
        SILENT,
    ];

    retention: "destroyed, but retained", |world| {
        with_instance(world, SERVICES);
        world.master.script().instance("slappart0").filter.insert("retention_delay".to_owned(), "2".into());
        world.instance(&[]);
        want(world, "destroyed", "1700000001");
        world.report(&[]);
        world.report(&[]);
        world.note_services();
        world.note_files("instance/slappart0");
    }, [];

    prerm: "programs before the removal", |world| {
        world.node.configure(&[("manager_list", "prerm")]);
        deployed(world, "service web 'exec sleep 1000'; program prerm last 'exec sleep 1000'");
        want(world, "destroyed", "1700000001");
        world.report(&[]);
        world.note_services();
        world.report(&[]);
        world.note_files("instance/slappart0");
    }, [];

    unknown_state: "the master wants a state that no node knows", |world| {
        deployed(world, SERVICES);
        want(world, "hibernating", "1700000001");
        world.instance(&[]);
        world.note_services();
    }, [
        Difference {
            name: "told once",
            side: Peer,
            line: "call softwareInstanceError slappart0",
            because: "the peer tells it twice",
        },
    ];

    only_one: "--only-cp", |world| {
        world.node.make_partitions(2);
        let url = world.node.install_release("web", &instance_script(SERVICES));
        world.master.script().instances =
            vec![Instance::new("slappart0", &url), Instance::new("slappart1", &url)];
        world.instance(&["--only-cp", "slappart1"]);
        world.note_services();
        world.instance(&["--only-cp", "slappart7"]);
    }, [];

    force_stop: "--force-stop, then a plain pass", |world| {
        deployed(world, SERVICES);
        world.instance(&["--force-stop"]);
        world.note_services();
        world.instance(&[]);
        world.note_services();
    }, [
        Difference {
            name: STOPPED_AND_SAID,
            side: Ours,
            line: "call stoppedComputerPartition slappart0",
            because: "the master would think that the instance runs",
        },
        Difference {
            name: STARTED_AFTERWARDS,
            side: Peer,
            line: "running",
            because: "a defect of the peer: the services stay down until the instance changes",
        },
        Difference {
            name: STARTED_AFTERWARDS,
            side: Ours,
            line: "running slappart0:job slappart0:web-on-watch",
            because: "a defect of the peer: the services stay down until the instance changes",
        },
    ];

    leftovers: "a free partition that is not empty", |world| {
        world.node.make_partitions(1);
        world.master.script().free = vec!["slappart0".to_owned()];
        let partition = world.node.partition(0);
        fs::write(partition.join("data"), "").expect("the partition is ours");
        fs::write(partition.join(".timestamp"), "1").expect("the partition is ours");
        fs::create_dir(partition.join(".slapgrid")).expect("the partition is ours");
        world.instance(&[]);
        world.note_files("instance/slappart0");
    }, [];

    offline: "without a master", |world| {
        deployed(world, SERVICES);
        world.master.stop();
        world.node.control(&["stop", "slappart0:*"]);
        world.instance(&[]);
        world.note_services();
        world.report(&[]);
        world.software(&[]);
    }, [];

    a_report_is_refused: "the master fails when it is told of the start", |world| {
        with_instance(world, SERVICES);
        world.master.script().fail_once("startedComputerPartition", Misbehaviour::Answer(500, String::new()));
        world.instance(&[]);
        world.note_services();
        world.instance(&[]);
    }, [];

    usage: "usage reports", |world| {
        deployed(world, &usage_script());
        let node_report = world.node.instance_root().join("var/xml_report/slappart0");
        fs::create_dir_all(&node_report).expect("the instance root is ours");
        fs::write(node_report.join("disk.xml"), consumption("DISK", "7")).expect("it is ours");
        fs::write(world.node.partition(0).join("var/xml_report/broken"), "no report").expect("it is ours");
        world.report(&[]);
        world.note_files("instance/slappart0/var");
        world.note_files("instance/var/xml_report");
    }, [
        Difference {
            name: "reports of the node are removed",
            side: Peer,
            line: "file instance/var/xml_report/slappart0/disk.xml",
            because: "a defect of the peer: it looks for them in the other directory, and sends them again",
        },
    ];

    usage_refused: "usage that the master refuses, of an instance to destroy", |world| {
        deployed(world, &usage_script());
        want(world, "destroyed", "1700000001");
        world.master.script().fail_once("useComputer", Misbehaviour::Answer(500, String::new()));
        world.report(&[]);
        world.note_services();
        world.note_files("instance/slappart0/var");
        world.report(&[]);
        world.note_files("instance/slappart0");
    }, [
        Difference {
            name: NOTHING_LOST,
            side: Ours,
            line: "file instance/slappart0/var/xml_report/slapreport.RANDOM",
            because: "the peer removes reports before it sends them",
        },
        Difference {
            name: NOTHING_LOST,
            side: Ours,
            line: "call useComputer [slappart0: 42 CPU]",
            because: "what was refused is sent again",
        },
        Difference {
            name: "a failure of the master is an exit code",
            side: Peer,
            line: "exit 0",
            because: "the usage was not reported",
        },
        Difference {
            name: "a failure of the master is an exit code",
            side: Ours,
            line: "exit 1",
            because: "the usage was not reported",
        },
        Difference {
            name: "a failing master is not told that it fails",
            side: Peer,
            line: "call softwareInstanceError slappart0",
            because: "the instance is not to blame",
        },
    ];

    failing_report: "a report script fails", |world| {
        deployed(world, "program report bad 'echo oops >&2; exit 3'");
        world.report(&[]);
    }, [];

    release_is_installed: "a release is installed, then nothing changes", |world| {
        with_builds(world, "touch instance.cfg");
        wanted_releases(world, &[("one", SoftwareState::Available)]);
        world.software(&[]);
        world.note_files("software");
        world.software(&[]);
    }, [];

    release_fails_and_is_resumed: "a build fails twice, then succeeds", |world| {
        with_builds(world, "echo no compiler; exit 1");
        wanted_releases(world, &[("one", SoftwareState::Available)]);
        world.software(&[]);
        world.note_files("software");
        world.software(&[]);
        world.note_files("software");
        with_builds(world, "touch instance.cfg");
        world.software(&[]);
        world.note_files("software");
    }, [];

    releases_forced_named_and_removed: "--force, --only-sr, destroyed, --garbage-collect", |world| {
        with_builds(world, "touch instance.cfg");
        wanted_releases(world, &[("one", SoftwareState::Available), ("two", SoftwareState::Available)]);
        world.software(&[]);
        world.software(&["--force"]);
        world.software(&["--only-sr", "http://releases.invalid/two/software.cfg"]);
        wanted_releases(world, &[("two", SoftwareState::Destroyed)]);
        world.software(&[]);
        world.note_files("software");
        world.software(&["--garbage-collect"]);
        world.note_files("software");
    }, [
        Difference {
            name: BUILT_WHEN_NAMED,
            side: Ours,
            line: "call buildingSoftwareRelease http://releases.invalid/two/",
            because: "so it was in 0.27, and so the help of the peer says",
        },
        Difference {
            name: BUILT_WHEN_NAMED,
            side: Ours,
            line: "call availableSoftwareRelease http://releases.invalid/two/",
            because: "so it was in 0.27, and so the help of the peer says",
        },
    ];

    period: "the release says how often its instances are processed", |world| {
        let url = deployed(world, SERVICES);
        fs::write(world.node.release(&url).join("periodicity"), "0\n").expect("the release is ours");
        change_script(world, &url, "rm -rf etc; service other 'exec sleep 1000'");
        world.instance(&[]);
        world.note_services();
        fs::write(world.node.release(&url).join("periodicity"), "-1\n").expect("the release is ours");
        world.node.configure(&[("maximum_periodicity", "0")]);
        change_script(world, &url, "exit 1");
        world.instance(&[]);
    }, [
        SILENT,
    ];

    no_space_for_an_instance: "too little space for an instance", |world| {
        world.node.configure(&[("instance_min_free_space", "100000G")]);
        with_instance(world, SERVICES);
        world.instance(&[]);
        world.note_services();
        world.note_files("instance/slappart0");
    }, [];

    no_space: "too little space for a release", |world| {
        world.node.configure(&[("software_min_free_space", "100000G")]);
        wanted_releases(world, &[("one", SoftwareState::Available)]);
        world.software(&[]);
        world.note_files("software");
    }, [];
}

fn consumption(resource: &str, quantity: &str) -> String {
    format!(
        "<consumption><movement><resource>{resource}</resource><reference></reference>\
         <quantity>{quantity}</quantity><price>0.00</price><VAT>None</VAT></movement></consumption>"
    )
}

/// An instance with a program that reports 42 CPU.
fn usage_script() -> String {
    format!(
        "mkdir -p var/xml_report; program report usage 'echo \"{}\" > $1'",
        consumption("CPU", "42")
    )
}
