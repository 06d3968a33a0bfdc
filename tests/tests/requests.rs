//! Instances that request others: the peer's library, inside the instance, writes down what it
//! requested, and the node tells the master.

use slap_proto::documents::SoftwareInstance;
use slapos_tests::Side::Ours;
use slapos_tests::{Instance, Misbehaviour, Node, ScriptedMaster, instance_script, places};

/// An instance that requests these references with slapos.core's own library.
fn requester(node: &Node, references: &[&str]) -> String {
    let python = places::peer_program("python").display().to_string();
    let url = format!("http://127.0.0.1:{}/", node.master_port);
    let requests: String = references
        .iter()
        .map(|reference| {
            format!("partition.request('http://releases.invalid/', 'default', '{reference}')\n")
        })
        .collect();
    instance_script(&format!(
        "{python} - <<'END'\n\
         from slapos.slap import slap\n\
         connection = slap()\n\
         connection.initializeConnection('{url}')\n\
         partition = connection.registerComputerPartition('COMP-1', 'slappart0')\n\
         {requests}END"
    ))
}

#[test]
fn what_an_instance_requests_is_told_and_so_is_that_it_requests_nothing_more() {
    let node = Node::new();
    let master = ScriptedMaster::start(node.master_port);
    node.make_partitions(1);
    let url = node.install_release("requester", &requester(&node, &["one", "two", "one"]));
    master.script().instances = vec![Instance::new("slappart0", &url)];
    let child = SoftwareInstance {
        computer_id: Some("COMP-1".to_owned()),
        partition_id: Some("slappart1".to_owned()),
        requested_state: Some("started".to_owned()),
        instance_guid: Some("COMP-1-slappart1".to_owned()),
        ..SoftwareInstance::default()
    };
    let answer = Misbehaviour::Answer(200, child.to_document().unwrap());
    master
        .script()
        .fail_always("requestComputerPartition", answer);
    let told = || {
        let calls = master.calls();
        let mut told = calls
            .into_iter()
            .filter(|call| call.endpoint.starts_with("updateComputer"));
        let list = told
            .next()
            .map(|call| call.field("instance_reference_xml").to_owned());
        assert_eq!(told.next(), None, "told twice");
        list
    };
    node.grid(Ours, "slapgrid-cp", "instance", &[]).expect(0);
    let list = "<marshal><list id=\"i2\"><string>one</string><string>two</string></list></marshal>";
    assert_eq!(told().as_deref(), Some(list));
    node.grid(Ours, "slapgrid-cp", "instance", &[]).expect(0);
    assert_eq!(told(), None, "nothing was processed");
    node.install_release("requester", &requester(&node, &[]));
    master.script().instance("slappart0").timestamp = "1700000001".to_owned();
    node.grid(Ours, "slapgrid-cp", "instance", &[]).expect(0);
    assert_eq!(
        told().as_deref(),
        Some("<marshal><list id=\"i2\"/></marshal>")
    );
}
