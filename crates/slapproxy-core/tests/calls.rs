//! The master over HTTP on loopback, asked by the real client and by hand.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

mod common;

use std::collections::BTreeSet;
use std::thread;

use common::Master;
use slap_client::proto::documents::{Attributes, ComputerConfiguration, SoftwareState};
use slap_client::proto::marshal::Value;
use slap_client::{ClientError, Destruction, InstanceRequest, Slap};
use slapproxy_core::storage::Storage;

fn request(name: &str) -> InstanceRequest {
    InstanceRequest::new("http://sr/", name)
}

#[test]
fn an_instance_is_allocated_changed_and_freed() {
    let (_master, slap) = Master::with_partitions(1);
    let order = slap.register_open_order();
    let first = order
        .request(&request("one").parameter("a", "é <&>"))
        .unwrap();
    assert_eq!(first.partition_id.as_deref(), Some("slappart0"));
    assert_eq!(
        first.ip_list,
        [("slaptap0".to_owned(), "10.0.0.0".to_owned())]
    );
    let again = order
        .request(&request("one").parameter("a", "é <&>"))
        .unwrap();
    assert_eq!(
        again.parameter_dict, first.parameter_dict,
        "the timestamp moved without a change"
    );
    let changed = order.request(&request("one").parameter("a", "2")).unwrap();
    assert_ne!(
        changed.parameter_dict["timestamp"],
        first.parameter_dict["timestamp"]
    );
    let partition = slap.register_computer_partition("COMP-1", "slappart0");
    assert_eq!(
        partition.fetch().unwrap().parameter_dict["a"].as_str(),
        Some("2")
    );
    assert!(matches!(
        order.request(&request("two")),
        Err(ClientError::NotFound { .. })
    ));
    partition.destroyed().unwrap();
    assert!(partition.fetch().unwrap().is_free());
    order.request(&request("two")).unwrap();
}

#[test]
fn publishing_reaches_the_requester_and_only_a_change_touches_it() {
    let (_master, slap) = Master::with_partitions(2);
    slap.register_open_order()
        .request(&request("root"))
        .unwrap();
    let root = slap.register_computer_partition("COMP-1", "slappart0");
    let child = root.request(&request("child")).unwrap();
    assert_eq!(child.partition_id.as_deref(), Some("slappart1"));
    let before = root.fetch().unwrap().timestamp();
    let dict: Attributes = [("url".to_owned(), "http://x/".into())].into();
    let partition = slap.register_computer_partition("COMP-1", "slappart1");
    partition.set_connection_dict(&dict, None).unwrap();
    let after = root.fetch().unwrap().timestamp();
    assert_ne!(before, after);
    partition.set_connection_dict(&dict, None).unwrap();
    assert_eq!(root.fetch().unwrap().timestamp(), after);
    assert_eq!(
        root.request(&request("child")).unwrap().connection_dict,
        dict
    );
}

#[test]
fn a_root_goes_after_its_children_which_follow_its_state() {
    let (_master, slap) = Master::with_partitions(2);
    let order = slap.register_open_order();
    order.request(&request("root")).unwrap();
    let root = slap.register_computer_partition("COMP-1", "slappart0");
    root.request(&request("child")).unwrap();
    let mut stopped = request("root");
    stopped.state = Some("stopped".to_owned());
    order.request(&stopped).unwrap();
    assert_eq!(
        root.request(&request("child"))
            .unwrap()
            .requested_state
            .as_deref(),
        Some("stopped")
    );
    let Destruction::Delayed(text) = root.destroyed().unwrap() else {
        panic!("a root goes before its child");
    };
    assert!(text.contains("child"), "{text}");
    let child = slap.register_computer_partition("COMP-1", "slappart1");
    assert_eq!(
        child.fetch().unwrap().requested_state.as_deref(),
        Some("destroyed")
    );
    assert!(!root.fetch().unwrap().is_free());
    assert_eq!(child.destroyed().unwrap(), Destruction::Done);
    assert_eq!(root.destroyed().unwrap(), Destruction::Done);
    assert!(root.fetch().unwrap().is_free());
}

#[test]
fn a_slave_is_listed_at_its_host_has_its_own_answer_and_goes() {
    let (_master, slap) = Master::with_partitions(1);
    let order = slap.register_open_order();
    let mut slave = request("shared").parameter("k", "v");
    slave.shared = true;
    assert!(
        matches!(order.request(&slave), Err(ClientError::NotFound { .. })),
        "there is no host"
    );
    order.request(&request("host")).unwrap();
    order.request(&slave).unwrap();
    let host = slap.register_computer_partition("COMP-1", "slappart0");
    let listed = || host.fetch().unwrap().parameter_dict["slave_instance_list"].clone();
    let entry = listed().as_list().unwrap()[0].clone();
    assert_eq!(
        entry.as_dict().unwrap().get("k").unwrap().as_str(),
        Some("v")
    );
    let dict: Attributes = [("url".to_owned(), "http://slave/".into())].into();
    host.set_connection_dict(&dict, Some("_shared")).unwrap();
    assert_eq!(order.request(&slave).unwrap().connection_dict, dict);
    slave.state = Some("destroyed".to_owned());
    order.request(&slave).unwrap();
    assert!(listed().as_list().unwrap().is_empty());
}

#[test]
fn a_slave_is_not_taken_for_that_of_a_root_whose_name_begins_alike() {
    let (_master, slap) = Master::with_partitions(2);
    let mut other = common::computer(1);
    other.reference = "COMP-2".to_owned();
    slap.register_computer("COMP-2").configure(&other).unwrap();
    let order = slap.register_open_order();
    order.request(&request("a")).unwrap();
    order
        .request(&request("a_b").on_computer("COMP-2"))
        .unwrap();
    let host = InstanceRequest::new("http://shared/", "host");
    order.request(&host).unwrap();
    let mut slave = InstanceRequest::new("http://shared/", "c");
    slave.shared = true;
    let requester = slap.register_computer_partition("COMP-2", "slappart0");
    requester.request(&slave).unwrap();
    let host = slap.register_computer_partition("COMP-1", "slappart1");
    let count = || {
        let list = host.fetch().unwrap().parameter_dict["slave_instance_list"].clone();
        list.as_list().unwrap().len()
    };
    slap.register_computer_partition("COMP-1", "slappart0")
        .destroyed()
        .unwrap();
    assert_eq!(count(), 1);
    requester.destroyed().unwrap();
    assert_eq!(count(), 0);
}

#[test]
fn reports_are_kept_and_told() {
    let (_master, slap) = Master::with_partitions(1);
    slap.register_supply()
        .supply("http://sr/", "COMP-1", SoftwareState::Available)
        .unwrap();
    slap.register_software_release("http://sr/", "COMP-1")
        .error("no more space")
        .unwrap();
    slap.register_computer_partition("COMP-1", "slappart0")
        .started()
        .unwrap();
    let text = slap.register_computer("COMP-1").status().unwrap().to_text();
    assert!(
        text.contains("no more space") && text.contains("started"),
        "{text}"
    );
}

#[test]
fn an_error_is_told_whatever_characters_it_holds_and_however_long_it_is() {
    let (_master, slap) = Master::with_partitions(1);
    let partition = slap.register_computer_partition("COMP-1", "slappart0");
    let log = format!("{}\u{1b}[31mred\u{0} é", "x".repeat(1 << 20));
    partition.error(&log, None).unwrap();
    let text = slap.register_computer("COMP-1").status().unwrap().to_text();
    assert!(
        text.contains("red") && text.contains('é'),
        "{}",
        &text[..80]
    );
    assert!(text.len() < 1 << 17, "{} bytes are told", text.len());
}

#[test]
fn instances_that_are_no_longer_requested_are_kept_and_noted() {
    let (master, slap) = Master::with_partitions(2);
    slap.register_open_order()
        .request(&request("root"))
        .unwrap();
    let root = slap.register_computer_partition("COMP-1", "slappart0");
    root.request(&request("child")).unwrap();
    let storage = master.storage();
    let noted = || {
        let rows = storage.read(|records| Ok(records.unrequested()?));
        let rows = rows.unwrap().into_iter();
        rows.map(|row| (row.reference, row.time))
            .collect::<Vec<_>>()
    };
    let requests = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        root.update_related_instance_list(&names).unwrap();
    };
    requests(&["child"]);
    assert_eq!(noted(), []);
    requests(&[]);
    let first = noted();
    assert_eq!(first[0].0, "slappart1");
    requests(&["other"]);
    assert_eq!(noted(), first, "since when is what counts");
    let child = slap.register_computer_partition("COMP-1", "slappart1");
    assert!(!child.fetch().unwrap().is_free());
    let page = "panel/instance?computer=COMP-1&partition=slappart1";
    let (_, page) = master.ask("GET", page, "", b"");
    assert!(page.contains("No longer requested"), "{page}");
    requests(&["child"]);
    assert_eq!(noted(), []);
    requests(&[]);
    child.destroyed().unwrap();
    assert_eq!(noted(), []);
}

/// A root in the first of three partitions, and the child that it requested in the second.
fn root_and_child() -> (Master, Slap) {
    let (master, slap) = Master::with_partitions(3);
    let order = slap.register_open_order();
    order.request(&request("root")).unwrap();
    slap.register_computer_partition("COMP-1", "slappart0")
        .request(&request("child"))
        .unwrap();
    (master, slap)
}

#[test]
fn a_bang_touches_the_whole_tree_or_computer() {
    let (_master, slap) = root_and_child();
    let order = slap.register_open_order();
    order.request(&request("other")).unwrap();
    let stamps = || {
        let computer = slap.register_computer("COMP-1").full_information().unwrap();
        let partitions = computer.computer_partition_list.iter();
        partitions
            .map(|partition| partition.timestamp().unwrap())
            .collect::<Vec<_>>()
    };
    let before = stamps();
    slap.register_computer_partition("COMP-1", "slappart1")
        .bang("why")
        .unwrap();
    let after = stamps();
    let moved: Vec<_> = before
        .iter()
        .zip(&after)
        .map(|(before, after)| before != after)
        .collect();
    assert_eq!(moved, [true, true, false]);
    slap.register_computer("COMP-1").bang("why").unwrap();
    assert!(
        stamps()
            .iter()
            .zip(&after)
            .all(|(now, before)| now != before)
    );
}

#[test]
fn what_does_not_exist_is_404_and_the_wrong_method_405() {
    let (master, _) = Master::with_partitions(1);
    for path in [
        "getFullComputerInformation?computer_id=COMP-9",
        "registerComputerPartition?computer_reference=COMP-1&computer_partition_reference=p9",
        "noSuchCall",
    ] {
        assert_eq!(master.ask("GET", path, "", b"").0, 404, "{path}");
    }
    assert_eq!(master.ask("GET", "supplySupply", "", b"").0, 405);
    assert_eq!(
        master
            .ask(
                "GET",
                "getFullComputerInformation?computer_id=COMP-1",
                "",
                b""
            )
            .0,
        200
    );
}

#[test]
fn calls_of_old_clients_are_counted_with_the_others() {
    let (master, _) = Master::with_partitions(1);
    for path in ["getRunId", "/getRunId"] {
        assert_eq!(master.ask("GET", path, "", b"").0, 200, "{path}");
    }
    let (_, page) = master.ask("GET", "metrics", "", b"");
    let counted = "slapproxy_requests_total{call=\"getRunId\",status=\"200\"} 2\n";
    assert!(page.contains(counted), "{page}");
}

#[test]
fn many_at_once_get_a_partition_each_and_nobody_is_turned_away() {
    const CLIENTS: usize = 32;
    let (_master, slap) = Master::with_partitions(CLIENTS);
    let owned: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let slap = slap.clone();
                scope.spawn(move || {
                    let name = format!("instance-{number}");
                    let order = slap.register_open_order();
                    let partition = order
                        .request(&request(&name))
                        .unwrap()
                        .partition_id
                        .unwrap();
                    let handle = slap.register_computer_partition("COMP-1", partition.as_str());
                    for round in 0..5_i64 {
                        let dict = [("round".to_owned(), round.to_string().into())].into();
                        handle.set_connection_dict(&dict, None).unwrap();
                        slap.register_computer("COMP-1").full_information().unwrap();
                    }
                    let last = order.request(&request(&name)).unwrap();
                    assert_eq!(last.connection_dict["round"].as_str(), Some("4"));
                    partition
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .collect()
    });
    assert_eq!(
        owned.iter().collect::<BTreeSet<_>>().len(),
        CLIENTS,
        "{owned:?}"
    );
}

fn shared(name: &str) -> InstanceRequest {
    let mut slave = InstanceRequest::new("http://shared/", name);
    slave.shared = true;
    slave
}

/// The references of the slaves that a partition of COMP-1 hosts.
fn listed(slap: &Slap, partition: &str) -> Vec<String> {
    let host = slap.register_computer_partition("COMP-1", partition);
    let list = host.fetch().unwrap().parameter_dict["slave_instance_list"].clone();
    let slaves = list.as_list().unwrap().iter();
    let reference = |slave: &Value| slave.as_dict().unwrap().get("slave_reference").cloned();
    slaves
        .map(|slave| reference(slave).unwrap().to_text())
        .collect()
}

/// COMP-1 with the roots `host`, of shared instances, `a` and `a_b`, in this order.
fn host_and_two_roots() -> (Master, Slap) {
    let (master, slap) = Master::with_partitions(3);
    let order = slap.register_open_order();
    let host = InstanceRequest::new("http://shared/", "host");
    order.request(&host).unwrap();
    order.request(&request("a")).unwrap();
    order.request(&request("a_b")).unwrap();
    (master, slap)
}

#[test]
fn a_tree_cannot_take_the_slave_of_another_whose_reference_is_the_same() {
    let (_master, slap) = host_and_two_roots();
    let order = slap.register_open_order();
    let a = slap.register_computer_partition("COMP-1", "slappart1");
    let a_b = slap.register_computer_partition("COMP-1", "slappart2");
    a_b.request(&shared("c").parameter("of", "a_b")).unwrap();
    let mut destroyed = shared("b_c");
    destroyed.state = Some("destroyed".to_owned());
    for stolen in [shared("b_c"), destroyed] {
        let error = a.request(&stolen).unwrap_err();
        assert!(matches!(error, ClientError::BadRequest { .. }), "{error:?}");
    }
    order.request(&shared("x")).unwrap();
    assert_eq!(listed(&slap, "slappart0"), ["_x", "a_b_c"]);
    // What is its own, it may change.
    a.request(&shared("b_d")).unwrap();
    a_b.request(&shared("c")).unwrap();
    assert_eq!(listed(&slap, "slappart0"), ["_x", "a_b_c", "a_b_d"]);
}

#[test]
fn the_rename_of_a_root_overwrites_no_slave_of_another() {
    let (_master, slap) = host_and_two_roots();
    let a = slap.register_computer_partition("COMP-1", "slappart1");
    let a_b = slap.register_computer_partition("COMP-1", "slappart2");
    a.request(&shared("b_c")).unwrap();
    a_b.request(&shared("d")).unwrap();
    a_b.rename("z", None).unwrap();
    a_b.request(&shared("c")).unwrap();
    let error = a_b.rename("a_b", None).unwrap_err();
    assert!(matches!(error, ClientError::BadRequest { .. }), "{error:?}");
    assert_eq!(listed(&slap, "slappart0"), ["a_b_c", "z_c", "z_d"]);
    let told = a_b.fetch().unwrap().parameter_dict["instance_title"].to_text();
    assert_eq!(told, "z");
}

#[test]
fn slaves_leave_their_hosts_with_the_partition_that_requested_them() {
    let (_master, slap) = host_and_two_roots();
    slap.register_computer_partition("COMP-1", "slappart2")
        .request(&shared("c"))
        .unwrap();
    slap.register_open_order().request(&shared("x")).unwrap();
    slap.register_computer("COMP-1")
        .configure(&common::computer(2))
        .unwrap();
    assert_eq!(listed(&slap, "slappart0"), ["_x"]);
}

#[test]
fn a_partition_without_instance_has_no_name_and_requests_nothing() {
    let (_master, slap) = root_and_child();
    let free = slap.register_computer_partition("COMP-1", "slappart2");
    let error = free.rename("root", None).unwrap_err();
    assert!(matches!(error, ClientError::NotFound { .. }), "{error:?}");
    for name in ["root", "child", "new"] {
        let error = free.request(&request(name)).unwrap_err();
        assert!(matches!(error, ClientError::BadRequest { .. }), "{error:?}");
    }
    assert_eq!(free.destroyed().unwrap(), Destruction::Done);
    let child = slap.register_computer_partition("COMP-1", "slappart1");
    let state = child.fetch().unwrap().requested_state;
    assert_eq!(state.as_deref(), Some("started"));
}

#[test]
fn of_two_requesters_that_cannot_be_told_apart_neither_forgets_the_others_instances() {
    let (master, slap) = Master::with_partitions(2);
    let far = ComputerConfiguration {
        reference: "COMP-2".to_owned(),
        ..common::computer(1)
    };
    slap.register_computer("COMP-2").configure(&far).unwrap();
    slap.register_open_order()
        .request(&request("root"))
        .unwrap();
    let root = slap.register_computer_partition("COMP-1", "slappart0");
    root.request(&request("far").on_computer("COMP-2")).unwrap();
    slap.register_computer_partition("COMP-2", "slappart0")
        .request(&request("of far"))
        .unwrap();
    root.update_related_instance_list(&["far".to_owned()])
        .unwrap();
    let page = "panel/instance?computer=COMP-1&partition=slappart1";
    let (_, page) = master.ask("GET", page, "", b"");
    assert!(page.contains("of far"), "{page}");
    assert!(!page.contains("No longer requested"), "{page}");
}

#[test]
fn the_list_of_slaves_is_readable_however_they_nest_and_repeat_their_parameters() {
    let (master, slap) = host_and_two_roots();
    let nested = (0..90).fold(Value::None, |value, _| Value::list(vec![value]));
    let repeated = Value::list(vec![Value::list(vec!["x".into()]); 3]);
    let mut slave = shared("one");
    slave.parameters.insert("nested".to_owned(), nested.clone());
    slave
        .parameters
        .insert("repeated".to_owned(), repeated.clone());
    slap.register_open_order().request(&slave).unwrap();
    let computer = slap.register_computer("COMP-1").full_information().unwrap();
    let host = &computer.computer_partition_list[0];
    let slaves = host.parameter_dict["slave_instance_list"].as_list();
    let one = slaves.unwrap()[0].as_dict().unwrap();
    assert_eq!(one.get("nested"), Some(&nested));
    assert_eq!(one.get("repeated"), Some(&repeated));
    // Those of many slaves would be too many for a reader.
    let storage = master.storage();
    let row = storage.read(|records| Ok(records.partition("COMP-1", "slappart0")?));
    let stored = row.unwrap().unwrap().slave_instance_list.unwrap();
    assert!(!stored.contains("<reference"), "{stored}");
}
