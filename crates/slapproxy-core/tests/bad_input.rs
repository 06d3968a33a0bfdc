//! Every field of every call, as it should not be: the answer names it, and nothing changes.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

mod common;

use common::Master;
use rusqlite::types::Value as Cell;
use slap_client::InstanceRequest;

/// What a field may hold.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// A reference, a URL, a name.
    Name,
    /// A message or another longer text.
    Text,
    /// A marshal document; what is given is one of the wrong type.
    Document(&'static str),
}

use Kind::{Document, Name, Text};

/// One field of a call: its name, whether it must be there, what it may hold, and a good value.
type Field = (&'static str, bool, Kind, &'static str);

const COMPUTER: Field = ("computer_id", true, Name, "COMP-1");
const PARTITION: Field = ("computer_partition_id", true, Name, "slappart0");
const RELEASE: Field = ("url", true, Name, "http://sr/");
const INTEGER: &str = "<marshal><int>1</int></marshal>";
const LIST: &str = "<marshal><list><string>a</string></list></marshal>";
const DICTIONARY: &str = "<marshal><dictionary/></marshal>";

/// Every call that has fields.
const CALLS: &[(&str, &str, &[Field])] = &[
    ("GET", "getFullComputerInformation", &[COMPUTER]),
    ("GET", "getComputerInformation", &[COMPUTER]),
    (
        "GET",
        "registerComputerPartition",
        &[
            ("computer_reference", true, Name, "COMP-1"),
            ("computer_partition_reference", true, Name, "slappart0"),
        ],
    ),
    (
        "GET",
        "getComputerPartitionCertificate",
        &[COMPUTER, PARTITION],
    ),
    (
        "GET",
        "getHostingSubscriptionIpList",
        &[COMPUTER, PARTITION],
    ),
    ("GET", "getComputerStatus", &[COMPUTER]),
    ("GET", "getComputerPartitionStatus", &[COMPUTER, PARTITION]),
    (
        "GET",
        "getSoftwareReleaseListFromSoftwareProduct",
        &[("software_product_reference", true, Name, "kvm")],
    ),
    (
        "POST",
        "loadComputerConfigurationFromXML",
        &[("xml", true, Document(DICTIONARY), CONFIGURATION)],
    ),
    (
        "POST",
        "supplySupply",
        &[RELEASE, COMPUTER, ("state", false, Name, "available")],
    ),
    (
        "POST",
        "requestComputerPartition",
        &[
            ("software_release", true, Name, "http://sr/"),
            ("partition_reference", true, Name, "new"),
            ("software_type", false, Name, "default"),
            ("partition_parameter_xml", false, Document(LIST), DICTIONARY),
            ("filter_xml", false, Document(INTEGER), DICTIONARY),
            (
                "shared_xml",
                false,
                Document(LIST),
                "<marshal><bool>0</bool></marshal>",
            ),
            (
                "state",
                false,
                Document(INTEGER),
                "<marshal><none/></marshal>",
            ),
            ("computer_id", false, Name, "COMP-1"),
            ("computer_partition_id", false, Name, "slappart0"),
        ],
    ),
    ("POST", "buildingSoftwareRelease", &[RELEASE, COMPUTER]),
    ("POST", "availableSoftwareRelease", &[RELEASE, COMPUTER]),
    ("POST", "destroyedSoftwareRelease", &[RELEASE, COMPUTER]),
    (
        "POST",
        "softwareReleaseError",
        &[RELEASE, COMPUTER, ("error_log", false, Text, "bad")],
    ),
    ("POST", "buildingComputerPartition", &[COMPUTER, PARTITION]),
    ("POST", "availableComputerPartition", &[COMPUTER, PARTITION]),
    ("POST", "startedComputerPartition", &[COMPUTER, PARTITION]),
    ("POST", "stoppedComputerPartition", &[COMPUTER, PARTITION]),
    ("POST", "destroyedComputerPartition", &[COMPUTER, PARTITION]),
    (
        "POST",
        "softwareInstanceError",
        &[
            COMPUTER,
            PARTITION,
            ("error_log", false, Text, "bad"),
            ("slave_reference", false, Name, "_slave"),
        ],
    ),
    (
        "POST",
        "softwareInstanceBang",
        &[COMPUTER, PARTITION, ("message", false, Text, "why")],
    ),
    (
        "POST",
        "softwareInstanceRename",
        &[
            COMPUTER,
            PARTITION,
            ("new_name", true, Name, "other"),
            ("slave_reference", false, Name, "_slave"),
        ],
    ),
    (
        "POST",
        "setComputerPartitionConnectionXml",
        &[
            COMPUTER,
            PARTITION,
            ("connection_xml", true, Document(LIST), DICTIONARY),
            ("slave_reference", false, Name, "_slave"),
        ],
    ),
    (
        "POST",
        "updateComputerPartitionRelatedInstanceList",
        &[
            COMPUTER,
            PARTITION,
            ("instance_reference_xml", true, Document(DICTIONARY), LIST),
        ],
    ),
    (
        "POST",
        "computerBang",
        &[COMPUTER, ("message", false, Text, "why")],
    ),
    (
        "POST",
        "useComputer",
        &[COMPUTER, ("use_string", true, Text, "<x/>")],
    ),
];

/// COMP-1 without its partition: what must not come to pass.
const CONFIGURATION: &str =
    "<marshal><dictionary><string>reference</string><string>COMP-1</string></dictionary></marshal>";

/// Documents that cannot be read.
const BROKEN: &[&str] = &[
    "garbage",
    "<marshal>",
    "<marshal><dictionary><string>a</string></dictionary></marshal>",
    "<marshal><string>a</string><string>b</string></marshal>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]><marshal><string>&b;</string></marshal>",
    "<marshal><object id='i2' module='os' class='system'><tuple/><dictionary id='i3'/></object></marshal>",
    "<marshal><reference id='i2'/></marshal>",
    "<marshal><dictionary><string>\u{1}</string><string>b</string></dictionary></marshal>",
];

/// Documents that would take all stack or memory, or make those unreadable in which they are told.
fn bombs() -> [String; 3] {
    let lists = |count: usize, inner: &str| {
        format!(
            "{}{inner}{}",
            "<list>".repeat(count),
            "</list>".repeat(count)
        )
    };
    let deep = format!("<marshal>{}</marshal>", lists(150, ""));
    let mut chain = "<list id='c0'/>".to_owned();
    for number in 1..50 {
        let inner = format!("<reference id='c{}'/>", number - 1);
        chain += &format!("<list id='c{number}'>{}</list>", lists(50, &inner));
    }
    let text = "x".repeat(100_000);
    let references = "<reference id='t'/>".repeat(200);
    let repeated = format!("<list id='t'><string>{text}</string></list>{references}");
    let wrapped = |items| {
        format!(
            "<marshal><dictionary><string>a</string><list>{items}</list></dictionary></marshal>"
        )
    };
    [deep, wrapped(chain), wrapped(repeated)]
}

/// A form with one field set to this, urlencoded already, or left out.
fn form(fields: &[Field], subject: &str, value: Option<&[u8]>) -> Vec<u8> {
    let mut form = Vec::new();
    for (name, _, _, good) in fields {
        let escaped = escape(good);
        let value = if *name == subject {
            value
        } else {
            Some(escaped.as_bytes())
        };
        if let Some(value) = value {
            form.extend_from_slice(format!("&{name}=").as_bytes());
            form.extend_from_slice(value);
        }
    }
    form
}

fn escape(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// What a field of that kind must not hold, urlencoded.
fn wrong(kind: Kind, required: bool) -> Vec<Vec<u8>> {
    let mut values = vec![b"a%ffb".to_vec()];
    if required {
        values.extend([b"".to_vec(), b"None".to_vec()]);
    }
    match kind {
        Name => values.extend([b"a%01b".to_vec(), vec![b'a'; 5000]]),
        Text => {}
        Document(other) => {
            values.extend(BROKEN.iter().map(|text| escape(text).into_bytes()));
            values.push(escape(other).into_bytes());
            values.extend(bombs().map(|text| escape(&text).into_bytes()));
        }
    }
    values
}

/// One call with one bad field: 400, and the field is named.
#[track_caller]
fn check(master: &Master, (method, call): (&str, &str), form: &[u8], field: &str) {
    let (status, body) = match method {
        "GET" => {
            let query = String::from_utf8_lossy(form);
            master.ask("GET", &format!("{call}?{query}"), "", b"")
        }
        _ => master.ask("POST", call, "", form),
    };
    let shown = String::from_utf8_lossy(&form[..form.len().min(300)]);
    assert_eq!(status, 400, "{call} {shown}: {body}");
    assert!(body.contains(field), "{call} {shown}: {body}");
    assert!(
        body.len() < 1000,
        "{call}: an answer of {} bytes",
        body.len()
    );
}

fn master_with_an_instance() -> Master {
    let (master, slap) = Master::with_partitions(2);
    let order = slap.register_open_order();
    order
        .request(&InstanceRequest::new("http://sr/", "one"))
        .unwrap();
    let mut slave = InstanceRequest::new("http://sr/", "slave");
    slave.shared = true;
    order.request(&slave).unwrap();
    master
}

/// Everything that the tables hold.
fn dump(master: &Master) -> Vec<String> {
    let connection = rusqlite::Connection::open(master.file()).unwrap();
    // Versions of documents are drawn anew by each database, and this may be a copy.
    let sql = "SELECT name FROM sqlite_master \
        WHERE type = 'table' AND name <> 'computer_version18' ORDER BY name";
    let mut statement = connection.prepare(sql).unwrap();
    let tables = statement
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap();
    let mut rows = Vec::new();
    for table in tables {
        let table = table.unwrap();
        let mut statement = connection
            .prepare(&format!("SELECT * FROM {table}"))
            .unwrap();
        let columns = statement.column_count();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let cells = (0..columns).map(|column| row.get::<_, Cell>(column).unwrap());
            rows.push(format!("{table} {:?}", cells.collect::<Vec<_>>()));
        }
    }
    rows
}

#[test]
fn every_bad_field_is_named_and_changes_nothing() {
    let master = master_with_an_instance();
    let before = dump(&master);
    for (method, call, fields) in CALLS {
        for (field, required, kind, _) in *fields {
            if *required {
                check(&master, (method, call), &form(fields, field, None), field);
            }
            for value in wrong(*kind, *required) {
                let form = form(fields, field, Some(&value));
                check(&master, (method, call), &form, field);
            }
        }
    }
    assert_eq!(dump(&master), before);
}

#[test]
fn a_field_of_ten_megabytes_is_named_and_changes_nothing() {
    let master = master_with_an_instance();
    let before = dump(&master);
    let long = vec![b'a'; 10 << 20];
    // Names are refused at a much smaller length, which the test above tries with each of them.
    let is_long = |(_, _, kind, _): &&Field| *kind != Name;
    for (method, call, fields) in CALLS {
        for (field, ..) in fields.iter().filter(is_long) {
            let form = form(fields, field, Some(&long));
            check(&master, (method, call), &form, field);
        }
    }
    let form = form(&[RELEASE, COMPUTER], "computer_id", Some(&long));
    check(&master, ("POST", "supplySupply"), &form, "computer_id");
    assert_eq!(dump(&master), before);
}

#[test]
fn who_is_not_there_is_not_found_and_nothing_changes() {
    let master = master_with_an_instance();
    let before = dump(&master);
    for (method, call, fields) in CALLS {
        for (field, required, ..) in *fields {
            let is_subject = field.starts_with("computer") && *required;
            // A computer may be supplied before it is described.
            if !is_subject || *call == "supplySupply" {
                continue;
            }
            let form = form(fields, field, Some(b"nobody"));
            let (status, body) = match *method {
                "GET" => {
                    let query = String::from_utf8(form).unwrap();
                    master.ask("GET", &format!("{call}?{query}"), "", b"")
                }
                _ => master.ask("POST", call, "", &form),
            };
            assert_eq!(status, 404, "{call} {field}: {body}");
            assert!(body.contains("nobody"), "{call} {field}: {body}");
        }
    }
    assert_eq!(dump(&master), before);
}

#[test]
fn unknown_requesters_states_and_slaves_are_refused_and_nothing_changes() {
    let master = master_with_an_instance();
    let before = dump(&master);
    let request = "software_release=http://sr/&partition_reference=new";
    let subject = "computer_id=COMP-1&computer_partition_id=slappart0";
    let header = |text: &str| format!("Authorization: X-SlapPartition {text}\r\n");
    let filter = |computer: &str| {
        let filter = format!(
            "<marshal><dictionary><string>computer_guid</string><string>{computer}</string></dictionary></marshal>"
        );
        format!("{request}&filter_xml={}", escape(&filter))
    };
    let nobody = header("computer_id=COMP-1, computer_partition_id=nobody");
    let half = header("computer_id=COMP-1");
    let table = [
        ("requestComputerPartition", nobody.as_str(), request.to_owned(), 400, "nobody"),
        ("requestComputerPartition", &half, request.to_owned(), 400, "Authorization"),
        (
            "requestComputerPartition",
            "",
            format!("{request}&computer_id=COMP-1&computer_partition_id=nobody"),
            400,
            "nobody",
        ),
        (
            "requestComputerPartition",
            "",
            format!("{request}&state=<marshal><string>flying</string></marshal>"),
            400,
            "flying",
        ),
        (
            "requestComputerPartition",
            "",
            filter("nobody"),
            404,
            "nobody",
        ),
        ("requestComputerPartition", "", filter(&"x".repeat(5000)), 400, "filter_xml"),
        (
            "requestComputerPartition",
            "",
            "software_release=http://other/&partition_reference=new&shared_xml=<marshal><bool>1</bool></marshal>".to_owned(),
            404,
            "http://other/",
        ),
        ("supplySupply", "", "url=u&computer_id=COMP-1&state=weird".to_owned(), 400, "weird"),
        (
            "setComputerPartitionConnectionXml",
            "",
            format!("{subject}&connection_xml={}&slave_reference=nobody", escape(DICTIONARY)),
            404,
            "nobody",
        ),
        (
            "softwareInstanceRename",
            "",
            format!("{subject}&new_name=x&slave_reference=nobody"),
            404,
            "nobody",
        ),
    ];
    for (call, headers, form, expected, part) in table {
        let (status, body) = master.ask("POST", call, headers, form.as_bytes());
        assert_eq!(status, expected, "{call} {form}: {body}");
        assert!(body.contains(part), "{call} {form}: {body}");
    }
    assert_eq!(dump(&master), before);
}
