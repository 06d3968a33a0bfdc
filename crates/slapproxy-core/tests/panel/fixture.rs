//! A panel over a database, and what the database holds.

use std::collections::BTreeSet;
use std::path::PathBuf;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use scraper::{ElementRef, Html, Selector};
use slap_client::proto::instance_xml;
use slap_client::proto::marshal::{Value, encode};
use slapproxy_core::storage::{
    NetworkRow, PartitionRow, Records, ReportKind, ReportRow, SlaveRow, SqliteStorage, Storage,
    StorageError, UnrequestedRow,
};
use slapproxy_core::{Settings, app};
use tower::ServiceExt;

pub(crate) const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'&amp;";
pub(crate) const RELEASE: &str = "https://example.org/software/kvm/software.cfg";
const COMPUTER: &str = "COMP-1";

/// Pages that need no query.
pub(crate) const PAGES: [&str; 5] = ["", "instances", "software", "computers", "slaves"];

pub(crate) struct Panel {
    app: Router,
    runtime: tokio::runtime::Runtime,
    pub(crate) database: PathBuf,
    pub(crate) directory: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Panel {
    /// A panel over a database that `fill` has written.
    pub(crate) fn over(fill: impl Fn(&dyn Records) -> Result<(), StorageError>) -> Self {
        Self::with_files(fill, false)
    }

    pub(crate) fn with_files(
        fill: impl Fn(&dyn Records) -> Result<(), StorageError>,
        files: bool,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("proxy.db");
        let public = directory.path().join("public");
        std::fs::create_dir(&public).unwrap();
        let storage = SqliteStorage::open(&database, COMPUTER).unwrap();
        storage.write(|records| Ok(fill(records)?)).unwrap();
        let settings = Settings {
            public_directory: files.then_some(public),
            ..Settings::new(&database, COMPUTER)
        };
        Self {
            app: app(settings, storage, "run-id".to_owned()),
            runtime: tokio::runtime::Runtime::new().unwrap(),
            database,
            directory,
        }
    }

    /// Every byte of the database, the log of latest changes included.
    pub(crate) fn stored(&self) -> [Vec<u8>; 2] {
        let log = self.database.with_extension("db-wal");
        [&self.database, &log].map(|path| std::fs::read(path).unwrap())
    }

    pub(crate) fn request(&self, request: Request<Body>) -> Answer {
        self.runtime.block_on(async {
            let response = self.app.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            Answer {
                status: parts.status,
                headers: parts.headers,
                body: String::from_utf8(body.to_vec()).unwrap(),
            }
        })
    }

    /// The answer to a GET of a path below `/`.
    pub(crate) fn get(&self, path: &str) -> Answer {
        let request = Request::get(format!("/{path}")).body(Body::empty());
        self.request(request.unwrap())
    }

    /// A page of the panel, parsed.
    pub(crate) fn page(&self, path: &str) -> Html {
        let answer = self.get(&format!("panel/{path}"));
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        Html::parse_document(&answer.body)
    }

    /// The main part of a page as text, blanks and line breaks made one blank.
    pub(crate) fn text(&self, path: &str) -> String {
        let page = self.page(path);
        let main = all(&page, "main");
        let text = main[0].text().collect::<Vec<_>>().join(" ");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

pub(crate) fn all<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

pub(crate) fn texts(page: &Html, selector: &str) -> Vec<String> {
    let elements = all(page, selector).into_iter();
    elements.map(|element| element.text().collect()).collect()
}

pub(crate) fn links(page: &Html) -> BTreeSet<String> {
    let links = all(page, "[href]").into_iter();
    links
        .map(|link| link.attr("href").unwrap().to_owned())
        .collect()
}

fn xml(parameters: &[(&str, &str)]) -> Option<String> {
    let parameters = parameters
        .iter()
        .map(|(key, value)| ((*key).to_owned(), Value::from(*value)));
    Some(instance_xml::to_xml(&parameters.collect()).unwrap())
}

fn instance(partition: &str, name: &str) -> PartitionRow {
    PartitionRow {
        reference: partition.to_owned(),
        computer_reference: COMPUTER.to_owned(),
        busy: true,
        software_release: Some(RELEASE.to_owned()),
        software_type: Some("default".to_owned()),
        partition_reference: Some(name.to_owned()),
        requester_id: "user".to_owned(),
        requested_state: "started".to_owned(),
        timestamp: Some(1000.0),
        ..PartitionRow::default()
    }
}

fn report(subject: &str, state: &str, message: &str) -> ReportRow {
    ReportRow {
        subject: subject.to_owned(),
        state: state.to_owned(),
        message: message.to_owned(),
        time: 2000.0,
    }
}

/// A list of slaves as its host has it.
fn slave_list(reference: &str, key: &str, value: &str) -> Option<String> {
    let entry = Value::dict([
        ("slave_reference", Value::from(reference)),
        ("slave_title", Value::from(reference)),
        (key, Value::from(value)),
    ]);
    Some(encode(&Value::list(vec![entry])).unwrap())
}

/// One computer, an instance with a child and a slave, a free partition, a failing release.
pub(crate) fn small(records: &dyn Records) -> Result<(), StorageError> {
    records.set_computer(COMPUTER, Some("10.0.0.1"), Some("255.255.255.255"))?;
    records.set_software(COMPUTER, RELEASE, "available")?;
    let message = "Installing.\nWhile:\n  Installing gcc.\nError: no space <left>";
    let failed = report(RELEASE, "error", message);
    records.put_report(ReportKind::Software, COMPUTER, &failed)?;
    records.put_partition(&PartitionRow {
        xml: xml(&[("size", "40"), ("_", "{\"b\":[1],\"a\":\"needle\"}")]),
        connection_xml: xml(&[
            ("url", "https://[2001:db8::1]:80/?a=1&b=2"),
            ("evil", "javascript:alert(1)"),
            ("empty", ""),
        ]),
        slave_instance_list: slave_list("root_share", "domain", "example.org"),
        ..instance("slappart0", "root")
    })?;
    let started = report("slappart0", "started", "");
    records.put_report(ReportKind::Instance, COMPUTER, &started)?;
    records.put_slave(&SlaveRow {
        reference: "root_share".to_owned(),
        computer_reference: COMPUTER.to_owned(),
        connection_xml: xml(&[("site", "http://share.example.org/")]),
        hosted_by: "slappart0".to_owned(),
        requester_id: "slappart1".to_owned(),
    })?;
    records.put_partition(&PartitionRow {
        requested_by: "root".to_owned(),
        requester_id: "slappart0".to_owned(),
        requested_state: "stopped".to_owned(),
        ..instance("slappart1", "child")
    })?;
    records.put_unrequested(&UnrequestedRow {
        computer_reference: COMPUTER.to_owned(),
        reference: "slappart1".to_owned(),
        time: 1800.0,
    })?;
    let broken = report("slappart1", "error", "Promise url failed\nwith 503");
    records.put_report(ReportKind::Instance, COMPUTER, &broken)?;
    records.put_partition(&PartitionRow {
        reference: "slappart2".to_owned(),
        computer_reference: COMPUTER.to_owned(),
        ..PartitionRow::default()
    })?;
    let address = |address: &str| NetworkRow {
        reference: "slaptap0".to_owned(),
        address: address.to_owned(),
        netmask: None,
    };
    let addresses = [address("10.0.1.1"), address("2001:db8::1")];
    records.set_network(COMPUTER, "slappart0", &addresses)?;
    records.put_usage(COMPUTER, "<journal/>", 1500.0)
}

/// The same, with the hostile text wherever a text of others is kept.
pub(crate) fn hostile(records: &dyn Records) -> Result<(), StorageError> {
    records.set_computer(HOSTILE, Some(HOSTILE), Some(HOSTILE))?;
    for url in [HOSTILE, "javascript:alert(1)//https://"] {
        records.set_software(HOSTILE, url, HOSTILE)?;
        let failed = report(url, "error", HOSTILE);
        records.put_report(ReportKind::Software, HOSTILE, &failed)?;
    }
    records.put_partition(&PartitionRow {
        reference: HOSTILE.to_owned(),
        computer_reference: HOSTILE.to_owned(),
        software_release: Some("javascript:alert(1)".to_owned()),
        software_type: Some(HOSTILE.to_owned()),
        requester_id: HOSTILE.to_owned(),
        requested_state: HOSTILE.to_owned(),
        xml: xml(&[(HOSTILE, HOSTILE)]),
        connection_xml: xml(&[(HOSTILE, HOSTILE), ("j", "javascript:alert(1)")]),
        slave_instance_list: slave_list(HOSTILE, HOSTILE, HOSTILE),
        ..instance(HOSTILE, HOSTILE)
    })?;
    let failed = report(HOSTILE, HOSTILE, HOSTILE);
    records.put_report(ReportKind::Instance, HOSTILE, &failed)?;
    records.put_slave(&SlaveRow {
        reference: HOSTILE.to_owned(),
        computer_reference: HOSTILE.to_owned(),
        connection_xml: xml(&[(HOSTILE, "javascript:alert(1)")]),
        hosted_by: HOSTILE.to_owned(),
        requester_id: HOSTILE.to_owned(),
    })?;
    let address = NetworkRow {
        reference: HOSTILE.to_owned(),
        address: HOSTILE.to_owned(),
        netmask: None,
    };
    records.set_network(HOSTILE, HOSTILE, &[address])
}

/// 300 instances: 30 roots with nine children each.
pub(crate) fn many(records: &dyn Records) -> Result<(), StorageError> {
    records.set_computer(COMPUTER, None, None)?;
    for number in 0..300 {
        let reference = format!("slappart{number}");
        let root = number - number % 10;
        let mut row = instance(&reference, &format!("node {number}"));
        if number != root {
            row.requested_by = format!("node {root}");
            row.requester_id = format!("slappart{root}");
        }
        row.connection_xml = xml(&[("token", &format!("t{number}t"))]);
        records.put_partition(&row)?;
        let state = if number % 50 == 0 { "error" } else { "started" };
        let report = report(&reference, state, "");
        records.put_report(ReportKind::Instance, COMPUTER, &report)?;
    }
    Ok(())
}

/// The page of the first instance of [`small`].
pub(crate) const INSTANCE: &str = "instance?computer=COMP-1&partition=slappart0";
