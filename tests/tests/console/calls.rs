//! The methods of nodes and instances: which calls they make.

use std::process::Command;
use std::time::{Duration, Instant};

use slap_proto::documents::{ComputerConfiguration, SoftwareInstance, SoftwareState};
use slapos_tests::{Call, Instance, Misbehaviour, Node, Outcome, ScriptedMaster};

use crate::{KVM, command, write_configuration};

/// A master that remembers its calls.
struct Remembering {
    node: Node,
    master: ScriptedMaster,
}

impl Remembering {
    fn new() -> Self {
        let node = Node::new();
        let master = ScriptedMaster::start(node.master_port);
        master.script().instances = vec![Instance::new("slappart0", KVM)];
        master.script().releases = vec![(KVM.to_owned(), SoftwareState::Available)];
        let configuration = node.path().join("user.cfg");
        write_configuration(&configuration, &node.master_url());
        Self { node, master }
    }

    fn command(&self, expression: &str) -> Command {
        let configuration = self.node.path().join("user.cfg");
        command(&configuration, self.node.path(), &["-e", expression])
    }

    /// The last call of an expression.
    fn last(&self, expression: &str) -> Call {
        Outcome::of(&mut self.command(expression)).expect(0);
        self.master.calls().pop().unwrap()
    }
}

#[test]
fn each_method_makes_its_call() {
    let world = Remembering::new();
    let partition = "slap.registerComputerPartition('COMP-1', 'slappart0')";
    let computer = "slap.registerComputer('COMP-1')";
    let release = "slap.registerSoftwareRelease(kvm, 'COMP-1')";
    for (object, method, endpoint, field, value) in [
        (
            partition,
            "building()",
            "buildingComputerPartition",
            "computer_id",
            "COMP-1",
        ),
        (
            partition,
            "available()",
            "availableComputerPartition",
            "computer_id",
            "COMP-1",
        ),
        (
            partition,
            "started()",
            "startedComputerPartition",
            "computer_id",
            "COMP-1",
        ),
        (
            partition,
            "stopped()",
            "stoppedComputerPartition",
            "computer_id",
            "COMP-1",
        ),
        (
            partition,
            "error('log')",
            "softwareInstanceError",
            "error_log",
            "log",
        ),
        (
            partition,
            "bang('why')",
            "softwareInstanceBang",
            "message",
            "why",
        ),
        (
            partition,
            "rename('new', slave_reference='_s')",
            "softwareInstanceRename",
            "slave_reference",
            "_s",
        ),
        (
            partition,
            "setConnectionDict({}, '_s')",
            "setComputerPartitionConnectionXml",
            "slave_reference",
            "_s",
        ),
        (
            partition,
            "getCertificate()",
            "getComputerPartitionCertificate",
            "computer_id",
            "COMP-1",
        ),
        (computer, "bang('why')", "computerBang", "message", "why"),
        (
            computer,
            "reportUsage('<journal/>')",
            "useComputer",
            "use_string",
            "<journal/>",
        ),
        (release, "building()", "buildingSoftwareRelease", "url", KVM),
        (
            release,
            "available()",
            "availableSoftwareRelease",
            "url",
            KVM,
        ),
        (
            release,
            "error('log')",
            "softwareReleaseError",
            "error_log",
            "log",
        ),
        (
            release,
            "destroyed()",
            "destroyedSoftwareRelease",
            "url",
            KVM,
        ),
        (
            partition,
            "destroyed()",
            "destroyedComputerPartition",
            "computer_id",
            "COMP-1",
        ),
    ] {
        let call = world.last(&format!("{object}.{method}"));
        assert_eq!(call.endpoint, endpoint, "{method}");
        assert_eq!(call.field(field), value, "{method}");
    }
}

#[test]
fn an_instance_tells_what_it_requested() {
    let world = Remembering::new();
    let partition = "slap.registerComputerPartition('COMP-1', 'slappart0')";
    let told = world.last(&format!(
        "{partition}.setComputerPartitionRelatedInstanceList(['one'])"
    ));
    assert_eq!(told.endpoint, "updateComputerPartitionRelatedInstanceList");
    assert!(
        told.field("instance_reference_xml")
            .contains("<string>one</string>")
    );
}

#[test]
fn a_computer_describes_itself() {
    let world = Remembering::new();
    let configuration = ComputerConfiguration {
        reference: "COMP-1".to_owned(),
        ..ComputerConfiguration::default()
    };
    let document = configuration.to_document().unwrap();
    let call = world.last(&format!(
        "slap.registerComputer('COMP-1').updateConfiguration('''{document}''')"
    ));
    assert_eq!(call.endpoint, "loadComputerConfigurationFromXML");
    assert_eq!(call.field("xml"), document);
}

#[test]
fn parameters_keep_their_types() {
    let world = Remembering::new();
    let answer = SoftwareInstance {
        computer_id: Some("COMP-1".to_owned()),
        partition_id: Some("slappart0".to_owned()),
        ..SoftwareInstance::default()
    };
    let answer = Misbehaviour::Answer(200, answer.to_document().unwrap());
    world
        .master
        .script()
        .fail_always("requestComputerPartition", answer);
    let call = world.last(
        "slap.registerComputerPartition('COMP-1', 'slappart0').request(kvm, 'type', 'child', \
         partition_parameter_kw={'i': -7, 'f': 1.5, 't': (1, True, None), 'd': {'x': ['y']}, \
         'large': 1 << 100})",
    );
    assert_eq!(call.field("computer_partition_id"), "slappart0");
    assert_eq!(call.field("software_type"), "type");
    let xml = call.field("partition_parameter_xml");
    for part in [
        "<int>-7</int>",
        "<float>1.5</float>",
        "<int>1</int>",
        "<none/>",
        "<string>y</string>",
        "1267650600228229401496703205376",
    ] {
        assert!(xml.contains(part), "{part} in {xml}");
    }
}

#[test]
fn what_is_not_ready_says_so_and_is_no_failure() {
    let world = Remembering::new();
    let later = Misbehaviour::Answer(408, String::new());
    world
        .master
        .script()
        .fail_always("requestComputerPartition", later);
    let outcome = Outcome::of(&mut world.command("request(kvm, 'x')")).expect(0);
    assert_eq!(outcome.stdout, "<ComputerPartition of \"x\", not ready>\n");
    let outcome = Outcome::of(&mut world.command("request(kvm, 'x').getState()")).expect(1);
    assert!(
        outcome.stderr.contains("still preparing \"x\""),
        "{outcome:?}"
    );
}

#[test]
fn a_product_is_asked_for_once_if_it_is_used() {
    let world = Remembering::new();
    let call = "getSoftwareReleaseListFromSoftwareProduct";
    for (program, times) in [
        ("product.demo if False else 1", 0),
        ("def f(): return product.demo", 0),
        ("product.demo", 1),
        ("def f(): return product.demo\nf()", 1),
    ] {
        let before = world.master.script().count(call);
        Outcome::of(&mut world.command(program));
        let asked = world.master.script().count(call) - before;
        assert_eq!(asked, times, "{program}");
    }
}

#[test]
fn another_master_that_is_silent_is_left_when_the_time_is_over() {
    let world = Remembering::new();
    let script = || world.master.script();
    script().fail_always("computerBang", Misbehaviour::Silence);
    let url = world.node.master_url();
    let mut command = world.command(&format!(
        "slap.initializeConnection('{url}', timeout=1)\nslap.registerComputer('COMP-1').bang('x')"
    ));
    let begin = Instant::now();
    let outcome = Outcome::of(&mut command).expect(1);
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?}: {outcome:?}");
}

#[test]
fn another_master_can_be_spoken_to() {
    let world = Remembering::new();
    let url = world.node.master_url();
    let mut command = world.command(&format!(
        "slap.initializeConnection('{url}')\nslap.registerComputer('COMP-1').bang('x')"
    ));
    let outcome = Outcome::of(command.args(["--master-url", "http://127.0.0.1:1/"]));
    outcome.expect(0);
    assert_eq!(world.master.calls().pop().unwrap().endpoint, "computerBang");
}
