//! What becomes of instances.

use super::*;

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
}
