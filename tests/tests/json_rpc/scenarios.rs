//! What is called, in which order.

use serde_json::{Value, json};
use slap_proto::calls::LoadComputerConfigurationFromXml;
use slap_proto::documents::ComputerConfiguration;
use slapos_tests::COMPUTER;
use slapos_tests::pair::{Meant, Step};

use crate::differences::*;

/// A release.
pub const RELEASE: &str = "http://release/software.cfg";

/// Calls in order, and the differences that they show.
pub struct Scenario {
    pub meant: &'static [&'static Meant],
    pub steps: Vec<Step>,
}

/// A call of a method by its path without `slapos.`.
pub fn rpc(method: &str, parameters: Value) -> Step {
    Step::json(&format!("slapos.{method}"), parameters.to_string())
}

/// Formats a computer with partitions slappart0 and so on.
pub fn format(computer: &str, partitions: usize) -> Step {
    let partition = |number| {
        json!({
            "partition_id": format!("slappart{number}"),
            "ip_list": [
                {
                    "ip-address": format!("10.0.0.{number}"),
                    "netmask": "255.255.255.0",
                    "network-interface": format!("slaptap{number}"),
                },
                {
                    "ip-address": format!("fd00::{number}"),
                    "netmask": "ffff::",
                    "network-interface": "lo",
                    "gateway-ip-address": "fd00::1",
                    "network-address": "fd00::",
                },
            ],
        })
    };
    let partitions: Vec<_> = (0..partitions).map(partition).collect();
    let parameters = json!({"computer_guid": computer, "compute_partition_list": partitions});
    rpc("put.v0.compute_node_format", parameters)
}

/// A request for an instance with more parameters than the usual ones.
pub fn request(title: &str, more: Value) -> Step {
    let mut parameters = json!({
        "title": title,
        "software_release_uri": RELEASE,
        "software_type": "default",
    });
    let fields = parameters.as_object_mut().expect("it is an object");
    fields.extend(more.as_object().expect("it is an object").clone());
    rpc("post.v0.software_instance", parameters)
}

fn shared(title: &str) -> Step {
    request(title, json!({"shared": true}))
}

/// A method about a computer.
fn of_computer(method: &str, computer: &str, more: Value) -> Step {
    with(method, json!({"computer_guid": computer}), more)
}

/// A method about an instance.
fn of_instance(method: &str, guid: &str, more: Value) -> Step {
    with(method, json!({"instance_guid": guid}), more)
}

fn with(method: &str, mut parameters: Value, more: Value) -> Step {
    let fields = parameters.as_object_mut().expect("it is an object");
    fields.extend(more.as_object().expect("it is an object").clone());
    rpc(method, parameters)
}

fn get(guid: &str) -> Step {
    of_instance("get.v0.software_instance", guid, json!({}))
}

pub fn instances(computer: &str) -> Step {
    of_computer("allDocs.v0.compute_node_instance_list", computer, json!({}))
}

fn trees() -> Step {
    rpc("allDocs.v0.instance_tree_list", json!({}))
}

pub fn computers() -> Scenario {
    let releases = |computer| {
        of_computer(
            "allDocs.v0.compute_node_software_installation_list",
            computer,
            json!({}),
        )
    };
    Scenario {
        meant: &[
            &THE_DEFAULT_COMPUTER_IS_KNOWN,
            &UNKNOWN_IS_REFUSED,
            &STATUS_IS_TOLD,
            &USAGE_IS_KEPT,
            &COMPUTER_BANG,
            &ADDRESS_IS_KEPT,
            &ONLY_ITS_OWN_ADDRESSES,
        ],
        steps: vec![
            rpc("get.v0.hateoas_url", json!({})),
            rpc("allDocs.WIP.compute_node_list", json!({})),
            instances(COMPUTER),
            instances("nowhere"),
            releases("nowhere"),
            format(COMPUTER, 3),
            format("COMP-2", 2),
            format("COMP-3", 0),
            Step::of(&LoadComputerConfigurationFromXml {
                configuration: ComputerConfiguration {
                    reference: "COMP-3".to_owned(),
                    address: Some("127.0.0.1".to_owned()),
                    netmask: Some("255.0.0.0".to_owned()),
                    ..ComputerConfiguration::default()
                },
            }),
            format("COMP-3", 0),
            rpc("allDocs.WIP.compute_node_list", json!({})),
            releases(COMPUTER),
            instances(COMPUTER),
            request("one", json!({})),
            request(
                "two",
                json!({"sla_parameters": {"computer_guid": "COMP-2"}}),
            ),
            format(COMPUTER, 2),
            instances(COMPUTER),
            instances("COMP-2"),
            // slappart0 goes with what it holds.
            format(COMPUTER, 0),
            format(COMPUTER, 1),
            instances(COMPUTER),
            of_computer("get.v0.compute_node_status", "COMP-2", json!({})),
            of_computer("get.v0.compute_node_status", "nowhere", json!({})),
            of_computer("post.v0.compute_node_certificate", COMPUTER, json!({})),
            of_computer("post.v0.compute_node_certificate", "nowhere", json!({})),
            of_computer("remove.v0.compute_node_certificate", COMPUTER, json!({})),
            of_computer("remove.v0.compute_node_certificate", "nowhere", json!({})),
            of_computer(
                "post.v0.compute_node_usage",
                COMPUTER,
                json!({"tioxml": "<journal/>"}),
            ),
            of_computer(
                "post.v0.compute_node_usage",
                "nowhere",
                json!({"tioxml": "<journal/>"}),
            ),
            of_computer("put.v0.compute_node_bang", "COMP-2", json!({"message": ""})),
            of_computer(
                "put.v0.compute_node_bang",
                "nowhere",
                json!({"message": "why"}),
            ),
        ],
    }
}

pub fn addresses_may_be_incomplete() -> Scenario {
    let partition = |more: Value| {
        let addresses = json!({"partition_id": "slappart0", "ip_list": [more]});
        of_computer(
            "put.v0.compute_node_format",
            COMPUTER,
            json!({"compute_partition_list": [addresses]}),
        )
    };
    let without_addresses = json!({"compute_partition_list": [{"partition_id": "slappart0"}]});
    Scenario {
        meant: &[&ADDRESSES_MAY_BE_INCOMPLETE],
        steps: vec![
            partition(json!({"ip-address": "10.0.0.1", "network-interface": "lo"})),
            partition(json!({"ip-address": "10.0.0.1", "netmask": "255.0.0.0"})),
            of_computer("put.v0.compute_node_format", COMPUTER, without_addresses),
        ],
    }
}

pub fn releases() -> Scenario {
    let release = |method, computer, more: Value| {
        let named = json!({"computer_guid": computer, "software_release_uri": RELEASE});
        with(method, named, more)
    };
    let list = || {
        of_computer(
            "allDocs.v0.compute_node_software_installation_list",
            COMPUTER,
            json!({}),
        )
    };
    let supply = "post.v0.software_installation";
    let report = "put.v0.software_installation_reported_state";
    let error = "put.v0.software_installation_error";
    Scenario {
        meant: &[&REPORTS_ARE_KEPT, &UNKNOWN_IS_REFUSED],
        steps: vec![
            format(COMPUTER, 1),
            release(supply, COMPUTER, json!({})),
            list(),
            release(report, COMPUTER, json!({"reported_state": "building"})),
            release(report, COMPUTER, json!({"reported_state": "available"})),
            release(error, COMPUTER, json!({"message": "no space\u{1b}[0m"})),
            release(supply, COMPUTER, json!({"state": "destroyed"})),
            release(supply, COMPUTER, json!({"state": "available"})),
            list(),
            release(report, COMPUTER, json!({"reported_state": "destroyed"})),
            release(report, COMPUTER, json!({"reported_state": "destroyed"})),
            list(),
            release(supply, "nowhere", json!({})),
            release(report, "nowhere", json!({"reported_state": "building"})),
            release(report, "nowhere", json!({"reported_state": "destroyed"})),
            release(error, "nowhere", json!({"message": "no space"})),
        ],
    }
}

pub fn instances_of_a_user() -> Scenario {
    let typed = json!({
        "flag": true, "float": 1.5, "int": 7, "list": [1, "a"], "none": null, "empty": "",
        "text": "é <&> \"'\n\t", "nested": {"k": {"z": ["é", 0.1, false]}},
    });
    let partition = |partition| {
        of_computer(
            "get.v0.compute_partition",
            COMPUTER,
            json!({"compute_partition_id": partition}),
        )
    };
    let tree = |title| rpc("get.v0.instance_tree", json!({"title": title}));
    let publish = |guid, dict: Value| {
        of_instance(
            "put.v0.software_instance_connection_parameter",
            guid,
            json!({"connection_parameter_dict": dict}),
        )
    };
    let certificate = |guid| of_instance("get.v0.software_instance_certificate", guid, json!({}));
    Scenario {
        meant: &[
            &EMPTY_TYPE_IS_NONE,
            &TITLES_MAY_HOLD_SEPARATORS,
            &UNKNOWN_IS_REFUSED,
        ],
        steps: vec![
            format(COMPUTER, 3),
            request("one", json!({"parameters": typed})),
            get("one______0"),
            request("one", json!({"parameters": typed})),
            request("one", json!({"parameters": {"a": "b"}})),
            request("one", json!({"software_type": "other"})),
            request("one", json!({"software_type": ""})),
            request("one", json!({"software_release_uri": "http://other/"})),
            request("one", json!({"state": "stopped"})),
            request("one", json!({})),
            partition("slappart0"),
            partition("slappart1"),
            partition("nowhere"),
            tree("one"),
            tree("nothing"),
            request("two", json!({"state": "destroyed"})),
            get("two______0"),
            trees(),
            instances(COMPUTER),
            publish(
                "one______0",
                json!({"url": "http://one/", "n": 1, "none": null}),
            ),
            get("one______0"),
            publish("one______0", json!({})),
            publish("nothing______0", json!({"a": "b"})),
            certificate("one______0"),
            certificate("nothing______0"),
            request("a___b", json!({})),
            get("a___b______0"),
            request("three", json!({})),
            request(
                "three",
                json!({"sla_parameters": {"computer_guid": "nowhere"}}),
            ),
            get("nothing______0"),
            get("one"),
            get("one______2"),
            request("one", json!({"state": "destroyed"})),
        ],
    }
}

pub fn trees_of_instances() -> Scenario {
    let by = |step: Step, partition| step.acting_for(COMPUTER, partition);
    let bang = |guid| {
        of_instance(
            "put.v0.software_instance_bang",
            guid,
            json!({"message": "m"}),
        )
    };
    let rename = |guid, title: &str| {
        of_instance(
            "put.v0.software_instance_title",
            guid,
            json!({"title": title}),
        )
    };
    let report = |guid, state: &str| {
        of_instance(
            "put.v0.software_instance_reported_state",
            guid,
            json!({"reported_state": state}),
        )
    };
    let error = |guid| {
        of_instance(
            "put.v0.software_instance_error",
            guid,
            json!({"message": "m"}),
        )
    };
    Scenario {
        meant: &[
            &REPORTS_ARE_KEPT,
            &REPORT_IS_TOLD,
            &BANG_REACHES_THE_TREE,
            &CHILDREN_FOLLOW_THEIR_ROOT,
            &DESTRUCTION_IS_SEEN,
            &UNKNOWN_IS_REFUSED,
            &NAMES_STAY_UNIQUE,
        ],
        steps: vec![
            format(COMPUTER, 4),
            request("root", json!({})),
            by(request("child", json!({})), "slappart0"),
            by(request("grand", json!({})), "slappart1"),
            by(request("orphan", json!({})), "nowhere"),
            get("grand___root___0"),
            get("grand___child___0"),
            instances(COMPUTER),
            trees(),
            bang("child___root___0"),
            bang("nothing______0"),
            report("child___root___0", "started"),
            report("child___root___0", "stopped"),
            error("child___root___0"),
            get("child___root___0"),
            report("nothing______0", "started"),
            report("nothing______0", "destroyed"),
            error("nothing______0"),
            rename("child___root___0", "kid"),
            rename("kid___root___0", "child"),
            rename("nothing______0", "something"),
            request("root", json!({"state": "stopped"})),
            by(request("child", json!({})), "slappart0"),
            request("root", json!({"state": "destroyed"})),
            by(request("child", json!({})), "slappart0"),
            report("root______0", "destroyed"),
            instances(COMPUTER),
            report("child___root___0", "destroyed"),
            report("grand___root___0", "destroyed"),
            report("root______0", "destroyed"),
            instances(COMPUTER),
            request("again", json!({})),
            request("other", json!({})),
            by(request("child", json!({})), "slappart0"),
            rename("again______0", "new"),
            instances(COMPUTER),
            rename("other______0", "new"),
        ],
    }
}

pub fn shared_instances() -> Scenario {
    let list = |guid| of_instance("allDocs.v0.instance_node_instance_list", guid, json!({}));
    let publish = |guid| {
        of_instance(
            "put.v0.software_instance_connection_parameter",
            guid,
            json!({"connection_parameter_dict": {"url": "http://shared/"}}),
        )
    };
    let typed = json!({"shared": true, "parameters": {"text": "é", "list": [1], "none": null}});
    let host = |guid: &str| json!({"shared": true, "sla_parameters": {"instance_guid": guid}});
    Scenario {
        meant: &[
            &REPORTS_ARE_KEPT,
            &SHARES_HAVE_ADDRESSES,
            &SHARES_ARE_DESTROYED,
            &SHARES_ARE_RENAMED,
            &HOSTS_MAY_BE_NAMED,
            &UNKNOWN_IS_REFUSED,
            &UNDERSCORES_ARE_NO_SEPARATORS,
        ],
        steps: vec![
            format(COMPUTER, 3),
            shared("early"),
            request("host", json!({})),
            request("host2", json!({"software_type": "other"})),
            request("one", typed),
            get("one______1"),
            rpc("get.v0.instance_tree", json!({"title": "one"})),
            request("root_1", json!({"software_release_uri": "http://other/"})),
            shared("of_root").acting_for(COMPUTER, "slappart2"),
            list("host______0"),
            list("host2______0"),
            list("one______1"),
            list("nothing______0"),
            get("of_root___root_1___1"),
            request("two", host("host______0")),
            request("three", host("COMP-1-slappart0")),
            request("four", host("COMP-1-slappart9")),
            trees(),
            of_computer(
                "put.v0.compute_node_format",
                "COMP-2",
                json!({"compute_partition_list": [{"partition_id": "far0", "ip_list": []}]}),
            ),
            request(
                "far",
                json!({"sla_parameters": {"computer_guid": "COMP-2"}}),
            ),
            request("five", host("far______0")),
            publish("one______1"),
            get("one______1"),
            publish("nothing______1"),
            of_instance(
                "put.v0.software_instance_error",
                "one______1",
                json!({"message": "m"}),
            ),
            of_instance(
                "put.v0.software_instance_reported_state",
                "one______1",
                json!({"reported_state": "started"}),
            ),
            of_instance(
                "put.v0.software_instance_reported_state",
                "one______1",
                json!({"reported_state": "destroyed"}),
            ),
            of_instance(
                "get.v0.software_instance_certificate",
                "one______1",
                json!({}),
            ),
            of_instance(
                "put.v0.software_instance_bang",
                "one______1",
                json!({"message": "m"}),
            ),
            of_instance(
                "put.v0.software_instance_title",
                "three______1",
                json!({"title": "new"}),
            ),
            get("new______1"),
            request("one", json!({"shared": true, "state": "stopped"})),
            request("one", json!({"shared": true, "state": "destroyed"})),
            get("one______1"),
            trees(),
        ],
    }
}
