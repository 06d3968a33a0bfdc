//! The master over HTTP on loopback, asked by the real client and by hand.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::thread;

use slap_client::proto::documents::{
    Attributes, ComputerConfiguration, PartitionAddress, PartitionConfiguration, SoftwareState,
};
use slap_client::{ClientError, Connection, InstanceRequest, Slap};
use slapproxy_core::storage::SqliteStorage;
use slapproxy_core::{Settings, app};

struct Master {
    address: SocketAddr,
    database: PathBuf,
    _directory: tempfile::TempDir,
}

impl Master {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("proxy.db");
        let settings = Settings {
            software_products: [("kvm".to_owned(), "http://kvm/".to_owned())].into(),
            ..Settings::new(&database, "COMP-1")
        };
        let storage = SqliteStorage::open(&database, "COMP-1").unwrap();
        let (sender, receiver) = channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                sender.send(listener.local_addr().unwrap()).unwrap();
                let app = app(settings, storage, "run-id".to_owned());
                axum::serve(listener, app).await.unwrap();
            });
        });
        Self {
            address: receiver.recv().unwrap(),
            database,
            _directory: directory,
        }
    }

    fn client(&self) -> Slap {
        Connection::to(&format!("http://{}/", self.address))
            .unwrap()
            .open()
            .unwrap()
    }

    /// A master that knows COMP-1 with that many partitions.
    fn with_partitions(count: usize) -> (Self, Slap) {
        let master = Self::start();
        let slap = master.client();
        slap.register_computer("COMP-1")
            .configure(&computer(count))
            .unwrap();
        (master, slap)
    }

    /// Status and body of a request made by hand.
    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    /// Everything that the tables hold.
    fn dump(&self) -> Vec<String> {
        let connection = rusqlite::Connection::open(&self.database).unwrap();
        let tables = [
            "software18",
            "computer18",
            "partition18",
            "slave18",
            "partition_network18",
            "report18",
            "usage18",
        ];
        let mut rows = Vec::new();
        for table in tables {
            let mut statement = connection
                .prepare(&format!("SELECT * FROM {table}"))
                .unwrap();
            let columns = statement.column_count();
            let mut found = statement.query([]).unwrap();
            while let Some(row) = found.next().unwrap() {
                let cells = (0..columns)
                    .map(|column| row.get::<_, rusqlite::types::Value>(column).unwrap());
                rows.push(format!("{table} {:?}", cells.collect::<Vec<_>>()));
            }
        }
        rows
    }
}

fn computer(count: usize) -> ComputerConfiguration {
    let partition = |number| PartitionConfiguration {
        reference: format!("slappart{number}"),
        tap: Some(format!("slaptap{number}")),
        address_list: vec![PartitionAddress {
            addr: format!("10.0.0.{number}"),
            netmask: None,
        }],
        ..PartitionConfiguration::default()
    };
    ComputerConfiguration {
        reference: "COMP-1".to_owned(),
        partition_list: (0..count).map(partition).collect(),
        ..ComputerConfiguration::default()
    }
}

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
    root.destroyed().unwrap();
    let child = slap.register_computer_partition("COMP-1", "slappart1");
    assert_eq!(
        child.fetch().unwrap().requested_state.as_deref(),
        Some("destroyed")
    );
    assert!(!root.fetch().unwrap().is_free());
    child.destroyed().unwrap();
    root.destroyed().unwrap();
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
fn a_bang_touches_the_whole_tree_or_computer() {
    let (_master, slap) = Master::with_partitions(3);
    let order = slap.register_open_order();
    order.request(&request("root")).unwrap();
    slap.register_computer_partition("COMP-1", "slappart0")
        .request(&request("child"))
        .unwrap();
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

/// Calls with the fields that they need.
const NEEDED: &[(&str, &str, &[&str])] = &[
    ("GET", "getFullComputerInformation", &["computer_id"]),
    (
        "GET",
        "registerComputerPartition",
        &["computer_reference", "computer_partition_reference"],
    ),
    (
        "GET",
        "getComputerPartitionCertificate",
        &["computer_id", "computer_partition_id"],
    ),
    ("GET", "getComputerStatus", &["computer_id"]),
    (
        "GET",
        "getComputerPartitionStatus",
        &["computer_id", "computer_partition_id"],
    ),
    ("POST", "loadComputerConfigurationFromXML", &["xml"]),
    ("POST", "supplySupply", &["url", "computer_id"]),
    (
        "POST",
        "requestComputerPartition",
        &["software_release", "partition_reference"],
    ),
    ("POST", "buildingSoftwareRelease", &["url", "computer_id"]),
    ("POST", "availableSoftwareRelease", &["url", "computer_id"]),
    ("POST", "destroyedSoftwareRelease", &["url", "computer_id"]),
    ("POST", "softwareReleaseError", &["url", "computer_id"]),
    (
        "POST",
        "startedComputerPartition",
        &["computer_id", "computer_partition_id"],
    ),
    (
        "POST",
        "stoppedComputerPartition",
        &["computer_id", "computer_partition_id"],
    ),
    (
        "POST",
        "destroyedComputerPartition",
        &["computer_id", "computer_partition_id"],
    ),
    (
        "POST",
        "softwareInstanceError",
        &["computer_id", "computer_partition_id"],
    ),
    (
        "POST",
        "softwareInstanceBang",
        &["computer_id", "computer_partition_id"],
    ),
    (
        "POST",
        "softwareInstanceRename",
        &["computer_id", "computer_partition_id", "new_name"],
    ),
    (
        "POST",
        "setComputerPartitionConnectionXml",
        &["connection_xml", "computer_id", "computer_partition_id"],
    ),
    ("POST", "computerBang", &["computer_id"]),
    ("POST", "useComputer", &["computer_id", "use_string"]),
];

#[test]
fn every_missing_or_broken_field_is_named_and_changes_nothing() {
    let (master, slap) = Master::with_partitions(1);
    slap.register_open_order().request(&request("one")).unwrap();
    let before = master.dump();
    for (method, call, fields) in NEEDED {
        for missing in *fields {
            for bad in ["", "None", "%ff"] {
                let pair = |field: &&str| {
                    let value = if *field == *missing {
                        bad
                    } else {
                        valid(field)
                    };
                    format!("{field}={value}")
                };
                let form = fields.iter().map(pair).collect::<Vec<_>>().join("&");
                let (status, body) = match *method {
                    "GET" => master.ask("GET", &format!("{call}?{form}"), "", ""),
                    _ => master.ask("POST", call, "", &form),
                };
                assert_eq!(status, 400, "{call} {form}: {body}");
                assert!(body.contains(missing), "{call} {form}: {body}");
            }
        }
    }
    assert_eq!(master.dump(), before);
}

fn valid(field: &str) -> &'static str {
    match field {
        "computer_id" | "computer_reference" => "COMP-1",
        "connection_xml" => "<marshal><dictionary/></marshal>",
        _ => "slappart0",
    }
}

#[test]
fn documents_and_states_of_the_wrong_kind_are_refused() {
    let (master, _) = Master::with_partitions(1);
    let base = "software_release=u&partition_reference=i";
    let table = [
        (
            "requestComputerPartition",
            format!("{base}&partition_parameter_xml=garbage"),
            "partition_parameter_xml",
        ),
        (
            "requestComputerPartition",
            format!("{base}&filter_xml=<marshal><int>1</int></marshal>"),
            "filter_xml",
        ),
        (
            "requestComputerPartition",
            format!("{base}&state=<marshal><string>flying</string></marshal>"),
            "flying",
        ),
        (
            "requestComputerPartition",
            format!("{base}&state=<marshal><int>1</int></marshal>"),
            "state",
        ),
        (
            "supplySupply",
            "url=u&computer_id=COMP-1&state=weird".to_owned(),
            "state",
        ),
        (
            "loadComputerConfigurationFromXML",
            "xml=<marshal><list/></marshal>".to_owned(),
            "xml",
        ),
    ];
    let before = master.dump();
    for (call, form, part) in table {
        let (status, body) = master.ask("POST", call, "", &form);
        assert_eq!(status, 400, "{call} {form}: {body}");
        assert!(body.contains(part), "{call} {form}: {body}");
    }
    let header =
        "Authorization: X-SlapPartition computer_id=COMP-1, computer_partition_id=nobody\r\n";
    let (status, body) = master.ask("POST", "requestComputerPartition", header, base);
    assert_eq!((status, body.contains("nobody")), (400, true), "{body}");
    assert_eq!(master.dump(), before);
}

#[test]
fn what_does_not_exist_is_404_and_the_wrong_method_405() {
    let (master, _) = Master::with_partitions(1);
    for path in [
        "getFullComputerInformation?computer_id=COMP-9",
        "registerComputerPartition?computer_reference=COMP-1&computer_partition_reference=p9",
        "getHateoasUrl",
        "noSuchCall",
    ] {
        assert_eq!(master.ask("GET", path, "", "").0, 404, "{path}");
    }
    assert_eq!(master.ask("GET", "supplySupply", "", "").0, 405);
    assert_eq!(
        master
            .ask(
                "GET",
                "getFullComputerInformation?computer_id=COMP-1",
                "",
                ""
            )
            .0,
        200
    );
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
