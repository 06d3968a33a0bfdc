//! Every method as it is called right.

use serde_json::{Value, json};
use slapos_tests::COMPUTER;
use slapos_tests::pair::Step;

use crate::scenarios::{RELEASE, format, request};

/// Parameters of every method that it takes once [`prepare`] was called.
pub fn examples() -> Vec<(&'static str, Value)> {
    let computer = || json!({"computer_guid": COMPUTER});
    let release = || json!({"computer_guid": COMPUTER, "software_release_uri": RELEASE});
    let instance = || json!({"instance_guid": "one______0"});
    let and = |mut parameters: Value, name: &str, value: Value| {
        parameters[name] = value;
        parameters
    };
    let address = json!({"ip-address": "::1", "netmask": "ffff::", "network-interface": "lo"});
    let partitions = json!([{"partition_id": "slappart0", "ip_list": [address]}]);
    let wanted = json!({
        "title": "two", "software_release_uri": RELEASE, "software_type": "", "shared": false,
        "state": "started", "parameters": {"a": [1]},
        "sla_parameters": {"computer_guid": COMPUTER, "retention_delay": 1.5},
    });
    let message = || json!("why");
    vec![
        ("allDocs.WIP.compute_node_list", json!({})),
        ("allDocs.v0.compute_node_instance_list", computer()),
        (
            "allDocs.v0.compute_node_software_installation_list",
            computer(),
        ),
        ("allDocs.v0.instance_node_instance_list", instance()),
        ("allDocs.v0.instance_tree_list", json!({})),
        ("get.v0.compute_node_status", computer()),
        (
            "get.v0.compute_partition",
            and(computer(), "compute_partition_id", json!("slappart0")),
        ),
        ("get.v0.hateoas_url", json!({})),
        ("get.v0.instance_tree", json!({"title": "one"})),
        ("get.v0.software_instance", instance()),
        ("get.v0.software_instance_certificate", instance()),
        ("post.v0.compute_node_certificate", computer()),
        (
            "post.v0.compute_node_usage",
            and(computer(), "tioxml", json!("<journal/>")),
        ),
        (
            "post.v0.software_installation",
            and(release(), "state", json!("available")),
        ),
        (
            "put.v0.compute_node_bang",
            and(computer(), "message", message()),
        ),
        (
            "put.v0.software_installation_error",
            and(release(), "message", message()),
        ),
        (
            "put.v0.software_installation_reported_state",
            and(release(), "reported_state", json!("available")),
        ),
        (
            "put.v0.software_instance_bang",
            and(instance(), "message", message()),
        ),
        (
            "put.v0.software_instance_connection_parameter",
            and(instance(), "connection_parameter_dict", json!({"a": "b"})),
        ),
        (
            "put.v0.software_instance_error",
            and(instance(), "message", message()),
        ),
        (
            "put.v0.software_instance_reported_state",
            and(instance(), "reported_state", json!("started")),
        ),
        (
            "put.v0.software_instance_title",
            and(instance(), "title", json!("one")),
        ),
        ("remove.v0.compute_node_certificate", computer()),
        ("post.v0.software_instance", wanted),
        (
            "put.v0.compute_node_format",
            and(computer(), "compute_partition_list", partitions),
        ),
    ]
}

/// What the examples need.
pub fn prepare() -> [Step; 2] {
    [format(COMPUTER, 2), request("one", json!({}))]
}
