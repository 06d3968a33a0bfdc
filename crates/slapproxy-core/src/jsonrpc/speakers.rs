//! Test: with certificates, a node speaks for itself only, in every method.

use std::net::IpAddr;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::app;
use crate::caller::{Caller, Speaker};
use crate::settings::Settings;
use crate::storage::SqliteStorage;

const OWN: &str = "COMP-1";
const OTHER: &str = "COMP-2";

/// Methods by their path without `slapos.`, and their parameters but for the subject.
fn of_computers() -> Vec<(&'static str, Value)> {
    let release = || json!({"software_release_uri": "u", "message": "m"});
    vec![
        (
            "put.v0.compute_node_format",
            json!({"compute_partition_list": [{"partition_id": "p0"}, {"partition_id": "p1"}]}),
        ),
        ("allDocs.v0.compute_node_instance_list", json!({})),
        (
            "allDocs.v0.compute_node_software_installation_list",
            json!({}),
        ),
        ("get.v0.compute_node_status", json!({})),
        ("post.v0.compute_node_certificate", json!({})),
        ("remove.v0.compute_node_certificate", json!({})),
        ("post.v0.compute_node_usage", json!({"tioxml": "<x/>"})),
        ("put.v0.compute_node_bang", json!({"message": "m"})),
        ("put.v0.software_installation_error", release()),
        (
            "put.v0.software_installation_reported_state",
            json!({"software_release_uri": "u", "reported_state": "building"}),
        ),
    ]
}

fn of_instances() -> Vec<(&'static str, Value)> {
    let published = json!({"connection_parameter_dict": {}});
    vec![
        ("allDocs.v0.instance_node_instance_list", json!({})),
        ("get.v0.software_instance", json!({})),
        ("get.v0.software_instance_certificate", json!({})),
        ("put.v0.software_instance_bang", json!({"message": "m"})),
        ("put.v0.software_instance_connection_parameter", published),
        ("put.v0.software_instance_error", json!({"message": "m"})),
        (
            "put.v0.software_instance_reported_state",
            json!({"reported_state": "started"}),
        ),
        ("put.v0.software_instance_title", json!({"title": OWN})),
    ]
}

fn of_users() -> Vec<(&'static str, Value)> {
    vec![
        ("allDocs.WIP.compute_node_list", json!({})),
        ("allDocs.v0.instance_tree_list", json!({})),
        ("get.v0.instance_tree", json!({"title": OWN})),
        (
            "post.v0.software_installation",
            json!({"computer_guid": OWN, "software_release_uri": "u"}),
        ),
        (
            "post.v0.software_instance",
            json!({"title": "new", "software_release_uri": "u", "software_type": ""}),
        ),
    ]
}

fn and(mut parameters: Value, name: &str, value: &str) -> Value {
    parameters[name] = json!(value);
    parameters
}

struct Asker {
    router: Router,
    speaker: Speaker,
    authorization: String,
}

impl Asker {
    fn speaks(&self, speaker: Speaker) -> Self {
        Self {
            router: self.router.clone(),
            speaker,
            authorization: String::new(),
        }
    }

    async fn ask(&self, (method, parameters): (&str, Value)) -> StatusCode {
        let mut request = Request::post(format!("/slapos.{method}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, &self.authorization)
            .body(Body::from(parameters.to_string()))
            .unwrap();
        request.extensions_mut().insert(Caller {
            address: Some(IpAddr::from([127, 0, 0, 1])),
            is_tls: true,
            speaker: self.speaker.clone(),
            name: None,
        });
        self.router.clone().oneshot(request).await.unwrap().status()
    }
}

/// Two computers, each with an instance of its own name.
async fn prepared(database: &std::path::Path) -> Asker {
    let storage = SqliteStorage::open(database, OWN).unwrap();
    let user = Asker {
        router: app(Settings::new(database, OWN), storage, String::new()),
        speaker: Speaker::User,
        authorization: String::new(),
    };
    for computer in [OWN, OTHER] {
        let partitions = json!([{"partition_id": "p0"}, {"partition_id": "p1"}]);
        let format = json!({"computer_guid": computer, "compute_partition_list": partitions});
        let wanted = json!({
            "title": computer, "software_release_uri": "u", "software_type": "",
            "sla_parameters": {"computer_guid": computer},
        });
        for call in [
            ("put.v0.compute_node_format", format),
            ("post.v0.software_instance", wanted),
        ] {
            assert_eq!(user.ask(call).await, StatusCode::OK);
        }
    }
    user
}

#[tokio::test]
async fn a_node_speaks_for_itself_only() {
    let directory = tempfile::tempdir().unwrap();
    let user = prepared(&directory.path().join("db")).await;
    let node = user.speaks(Speaker::Computer(OWN.to_owned()));
    let nobody = user.speaks(Speaker::Nobody);
    let about = |computer: &str| {
        let computers = of_computers().into_iter();
        let computers =
            computers.map(|(method, rest)| (method, and(rest, "computer_guid", computer)));
        let guid = format!("{computer}______0");
        let instances = of_instances().into_iter();
        let instances = instances.map(|(method, rest)| (method, and(rest, "instance_guid", &guid)));
        computers.chain(instances).collect::<Vec<_>>()
    };
    for call in about(OTHER).into_iter().chain(of_users()) {
        assert_eq!(
            node.ask(call.clone()).await,
            StatusCode::FORBIDDEN,
            "{call:?}"
        );
    }
    for call in about(OWN) {
        assert_eq!(
            nobody.ask(call.clone()).await,
            StatusCode::FORBIDDEN,
            "{call:?}"
        );
        assert_eq!(node.ask(call.clone()).await, StatusCode::OK, "{call:?}");
    }
    for call in of_users() {
        assert_eq!(user.ask(call.clone()).await, StatusCode::OK, "{call:?}");
    }
}

#[tokio::test]
async fn a_partition_speaks_for_itself_only() {
    let directory = tempfile::tempdir().unwrap();
    let user = prepared(&directory.path().join("db")).await;
    let mut partition = user.speaks(Speaker::Partition {
        computer: OWN.to_owned(),
        partition: "p0".to_owned(),
    });
    let of = |computer: &str, partition: &str| {
        let names = json!({"computer_guid": computer, "compute_partition_id": partition});
        ("get.v0.compute_partition", names)
    };
    let child = || {
        let wanted = json!({"title": "child", "software_release_uri": "u", "software_type": ""});
        ("post.v0.software_instance", wanted)
    };
    assert_eq!(partition.ask(of(OWN, "p0")).await, StatusCode::OK);
    assert_eq!(partition.ask(of(OTHER, "p0")).await, StatusCode::FORBIDDEN);
    assert_eq!(partition.ask(child()).await, StatusCode::FORBIDDEN);
    for (name, expected) in [("p1", StatusCode::FORBIDDEN), ("p0", StatusCode::OK)] {
        partition.authorization =
            format!("X-SlapPartition computer_id={OWN}, computer_partition_id={name}");
        assert_eq!(partition.ask(child()).await, expected, "{name}");
    }
}
