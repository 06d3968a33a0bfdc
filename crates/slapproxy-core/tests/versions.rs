//! Entity tags: whatever changes a document changes its tag, whoever makes the change.
//! `SLAPOS_TEST_DATABASE=postgresql` has random histories happen to a database of PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use std::collections::{HashMap, HashSet};
use std::path::Path;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rusqlite::Connection;
use slapos_tests::database;
use slapproxy_core::storage::{AnyStorage, Database, SqliteStorage};
use slapproxy_core::{Settings, app};
use tower::ServiceExt;

/// What happens to a master.
#[derive(Debug, Clone)]
enum Step {
    /// A call by a user or a node; whether it may change a document.
    Call(&'static str, String, bool),
    /// A statement of another program, for SQLite and for PostgreSQL.
    Sql(Statement),
}

/// What another program does, in the words of each engine; none where one has no words for it.
type Statement = (&'static str, &'static str);

/// A master and another program's way to its database.
struct Master {
    router: Router,
    other: Box<dyn Fn(Statement)>,
    _directory: tempfile::TempDir,
}

/// What was told of a resource.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    status: StatusCode,
    tag: Option<String>,
    body: Vec<u8>,
}

/// What a whole run has counted.
#[derive(Debug, Default)]
struct Counts {
    answers: usize,
    documents_changed: usize,
    tags_changed: usize,
    not_modified: usize,
}

impl Master {
    /// On the engine that is tested.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let uri = database::uri(directory.path());
        let database = Database::parse(uri.as_ref()).unwrap();
        let storage = AnyStorage::open(&database, "C1").unwrap();
        let (path, is_postgres) = (directory.path().to_owned(), database::is_postgres(&uri));
        Self {
            router: app(Settings::new(database, "C1"), storage, String::new()),
            other: Box::new(move |(of_sqlite, of_postgres)| {
                let sql = if is_postgres { of_postgres } else { of_sqlite };
                if !sql.is_empty() {
                    database::execute(&path, sql);
                }
            }),
            _directory: directory,
        }
    }

    /// On a file of SQLite.
    fn of_file(database: &Path) -> Self {
        let storage = SqliteStorage::open(database, "C1").unwrap();
        let router = app(Settings::new(database, "C1"), storage, String::new());
        let other = Connection::open(database).unwrap();
        Self {
            router,
            other: Box::new(move |(sql, _)| other.execute_batch(sql).unwrap()),
            _directory: tempfile::tempdir().unwrap(),
        }
    }

    async fn ask(&self, request: Request<Body>) -> Told {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let tag = head.headers.get(header::ETAG);
        Told {
            status: head.status,
            tag: tag.map(|tag| tag.to_str().unwrap().to_owned()),
            body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
        }
    }

    async fn get(&self, resource: &str, known: Option<&str>) -> Told {
        let mut request = Request::get(resource).header(header::HOST, "localhost");
        if let Some(known) = known {
            request = request.header(header::IF_NONE_MATCH, known);
        }
        self.ask(request.body(Body::empty()).unwrap()).await
    }

    async fn take(&self, step: &Step) {
        match step {
            Step::Call(call, form, _) => {
                let request = Request::post(format!("/{call}")).header(header::HOST, "localhost");
                let request = request.body(Body::from(form.clone())).unwrap();
                self.ask(request).await;
            }
            // That a statement finds nothing to change is one of the cases.
            Step::Sql(statement) => (self.other)(*statement),
        }
    }
}

fn resources() -> Vec<String> {
    let partitions = ["C1", "C2"].into_iter().flat_map(|computer| {
        ["p0", "p1", "p2"].map(|partition| {
            format!(
                "/registerComputerPartition?computer_reference={computer}\
                 &computer_partition_reference={partition}"
            )
        })
    });
    let computers =
        ["C1", "C2"].map(|name| format!("/getFullComputerInformation?computer_id={name}"));
    computers.into_iter().chain(partitions).collect()
}

fn pick(choices: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(choices)
}

fn computer() -> impl Strategy<Value = &'static str> {
    pick(&["C1", "C2"])
}

fn partition() -> impl Strategy<Value = &'static str> {
    pick(&["p0", "p1", "p2"])
}

fn dictionary(pairs: &[(&str, &str)]) -> String {
    let text =
        |(key, value): &(&str, &str)| format!("<string>{key}</string><string>{value}</string>");
    let pairs: String = pairs.iter().map(text).collect();
    format!("<marshal><dictionary>{pairs}</dictionary></marshal>")
}

fn formatted(computer: &str, count: usize, address: &str) -> Step {
    let partition = |number| {
        format!(
            "<dictionary><string>reference</string><string>p{number}</string>\
             <string>address_list</string><list><dictionary><string>addr</string>\
             <string>{address}</string></dictionary></list></dictionary>"
        )
    };
    let partitions: String = (0..count).map(partition).collect();
    let form = format!(
        "xml=<marshal><dictionary><string>reference</string><string>{computer}</string>\
         <string>partition_list</string><list>{partitions}</list></dictionary></marshal>"
    );
    Step::Call("loadComputerConfigurationFromXML", form, true)
}

fn format() -> impl Strategy<Value = Step> {
    (computer(), 0..4_usize, pick(&["10.0.0.1", "10.0.0.2"]))
        .prop_map(|(computer, count, address)| formatted(computer, count, address))
}

fn request() -> impl Strategy<Value = Step> {
    let by = pick(&[
        "",
        "&computer_id=C1&computer_partition_id=p0",
        "&computer_id=C2&computer_partition_id=p0",
    ]);
    let state = pick(&["started", "stopped", "destroyed"]);
    let name = pick(&["a", "b", "c"]);
    let shared = prop::bool::weighted(0.3);
    (name, pick(&["1", "2"]), computer(), by, state, shared).prop_map(
        |(name, value, computer, by, state, shared)| {
            let form = format!(
                "software_release=u&partition_reference={name}&state=<marshal><string>{state}</string></marshal>\
                 &shared_xml=<marshal><bool>{}</bool></marshal>&partition_parameter_xml={}&filter_xml={}{by}",
                u8::from(shared),
                dictionary(&[("k", value)]),
                dictionary(&[("computer_guid", computer)]),
            );
            Step::Call("requestComputerPartition", form, true)
        },
    )
}

/// Calls of a node about one of its partitions.
fn of_partition() -> impl Strategy<Value = Step> {
    let call = pick(&[
        "startedComputerPartition",
        "softwareInstanceError",
        "destroyedComputerPartition",
        "softwareInstanceBang",
        "softwareInstanceRename",
        "setComputerPartitionConnectionXml",
        "updateComputerPartitionRelatedInstanceList",
    ]);
    let slave = pick(&["", "&slave_reference=_a", "&slave_reference=b_a"]);
    (call, computer(), partition(), pick(&["a", "b", "x"]), slave).prop_map(
        |(call, computer, partition, text, slave)| {
            let slave = if call.starts_with('s') { slave } else { "" };
            let form = format!(
                "computer_id={computer}&computer_partition_id={partition}&new_name={text}\
                 &error_log={text}&message={text}&instance_reference_xml=<marshal><list/></marshal>\
                 &connection_xml={}{slave}",
                dictionary(&[("url", text)]),
            );
            let quiet = [
                "startedComputerPartition",
                "softwareInstanceError",
                "updateComputerPartitionRelatedInstanceList",
            ];
            Step::Call(call, form, !quiet.contains(&call))
        },
    )
}

/// Calls of a node or a user about a computer or one of its releases.
fn of_computer() -> impl Strategy<Value = Step> {
    let call = pick(&[
        "supplySupply",
        "buildingSoftwareRelease",
        "softwareReleaseError",
        "destroyedSoftwareRelease",
        "computerBang",
        "useComputer",
    ]);
    (call, computer(), pick(&["u", "v"]), pick(&["available", "destroyed"])).prop_map(
        |(call, computer, url, state)| {
            let form = format!(
                "computer_id={computer}&url={url}&state={state}&error_log=e&message=m&use_string=<journal/>"
            );
            let quiet = ["buildingSoftwareRelease", "softwareReleaseError", "useComputer"];
            Step::Call(call, form, !quiet.contains(&call))
        },
    )
}

/// What another slapproxy or an admin may do to the database.
fn by_others() -> impl Strategy<Value = Step> {
    /// In words that both engines understand.
    const fn common(sql: &'static str) -> Statement {
        (sql, sql)
    }
    const STATEMENTS: &[Statement] = &[
        common(
            "UPDATE partition18 SET timestamp = coalesce(timestamp, 0) + 1 WHERE slap_state = 'busy'",
        ),
        common(
            "UPDATE partition18 SET connection_xml = '<instance><parameter id=\"a\">1</parameter></instance>' \
             WHERE reference = 'p1'",
        ),
        common(
            "UPDATE partition18 SET slap_state = 'free', software_release = NULL WHERE reference = 'p0'",
        ),
        common("UPDATE partition18 SET requester_id = 'nobody'"),
        common("UPDATE partition18 SET requested_by = 'r' WHERE requested_by = ''"),
        (
            "UPDATE OR REPLACE partition18 SET computer_reference = 'C2' WHERE reference = 'p2'",
            "DELETE FROM partition18 WHERE reference = 'p2' AND computer_reference = 'C2'; \
             UPDATE partition18 SET computer_reference = 'C2' WHERE reference = 'p2'",
        ),
        (
            "INSERT OR REPLACE INTO partition18 (reference, computer_reference) VALUES ('p1', 'C1')",
            "DELETE FROM partition18 WHERE reference = 'p1' AND computer_reference = 'C1'; \
             INSERT INTO partition18 (reference, computer_reference) VALUES ('p1', 'C1')",
        ),
        (
            "INSERT OR REPLACE INTO software18 (url, computer_reference) VALUES ('u', 'C2')",
            "INSERT INTO software18 (url, computer_reference) VALUES ('u', 'C2') \
             ON CONFLICT (url, computer_reference) DO UPDATE SET requested_state = 'available'",
        ),
        // What PostgreSQL does not take: there the columns of a key hold something.
        ("INSERT OR IGNORE INTO software18 (url) VALUES ('v')", ""),
        (
            "INSERT INTO software18 (url, computer_reference) VALUES ('w', NULL)",
            "",
        ),
        (
            "UPDATE OR REPLACE software18 SET url = 'v' WHERE url = 'u'",
            "DELETE FROM software18 AS other USING software18 AS moved WHERE other.url = 'v' \
             AND moved.url = 'u' AND moved.computer_reference = other.computer_reference; \
             UPDATE software18 SET url = 'v' WHERE url = 'u'",
        ),
        common("DELETE FROM software18"),
        common("DELETE FROM partition18 WHERE reference = 'p0'"),
        common("DELETE FROM computer18 WHERE reference = 'C2'"),
        (
            "INSERT OR REPLACE INTO computer18 (reference) VALUES ('C2')",
            "INSERT INTO computer18 (reference) VALUES ('C2') ON CONFLICT DO NOTHING",
        ),
        common("DELETE FROM partition_network18 WHERE reference = 'p0'"),
        common("UPDATE partition_network18 SET partition_reference = 'p1'"),
        common("UPDATE partition_network18 SET netmask = 'ffff::'"),
        common(
            "INSERT INTO partition_network18 (partition_reference, computer_reference, reference, address) \
             VALUES ('p0', 'C1', 'tap', '10.9.9.9')",
        ),
        common("BEGIN; DELETE FROM software18; ROLLBACK"),
        common("DELETE FROM slave18"),
    ];
    prop::sample::select(STATEMENTS).prop_map(Step::Sql)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => format(),
        4 => request(),
        4 => of_partition(),
        3 => of_computer(),
        3 => by_others(),
    ]
}

/// Takes the steps, and compares after each what all resources tell with what they have told.
async fn check(master: &Master, steps: &[Step], counts: &mut Counts) {
    let mut last: HashMap<String, Told> = HashMap::new();
    let mut bodies: HashMap<(String, String), Vec<u8>> = HashMap::new();
    let begin = ["C1", "C2"].map(|computer| formatted(computer, 3, "10.0.0.1"));
    for step in begin.iter().chain(steps) {
        master.take(step).await;
        for resource in resources() {
            let told = master.get(&resource, None).await;
            assert!(
                told.tag.is_none() || told.status == StatusCode::OK,
                "{told:?}"
            );
            counts.answers += 1;
            if let Some(tag) = &told.tag {
                let body = bodies.entry((resource.clone(), tag.clone()));
                let before = body.or_insert_with(|| told.body.clone());
                assert_eq!(
                    *before, told.body,
                    "{step:?}: {resource}: another document of {tag}"
                );
            }
            let Some(before) = last.insert(resource.clone(), told.clone()) else {
                continue;
            };
            counts.documents_changed += usize::from(before.body != told.body);
            counts.tags_changed += usize::from(before.tag != told.tag);
            if matches!(step, Step::Call(_, _, false)) {
                assert_eq!(before, told, "{step:?}: {resource}");
            }
            let Some(known) = &before.tag else { continue };
            let again = master.get(&resource, Some(known)).await;
            if told.tag == before.tag {
                assert_eq!(
                    (again.status, again.body.len()),
                    (StatusCode::NOT_MODIFIED, 0)
                );
                assert_eq!(again.tag, told.tag);
                counts.not_modified += 1;
            } else {
                assert_eq!(again, told, "{step:?}: {resource}");
            }
        }
    }
}

#[test]
fn another_document_has_another_tag() {
    // Each begins with a database of its own, which takes PostgreSQL longer than a file.
    let directory = tempfile::tempdir().unwrap();
    let is_postgres = database::is_postgres(&database::uri(directory.path()));
    let mut runner = TestRunner::new(Config {
        cases: if is_postgres { 12 } else { 48 },
        failure_persistence: None,
        ..Config::default()
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let counts = std::cell::RefCell::new(Counts::default());
    runner
        .run(&prop::collection::vec(step(), 1..40), |steps| {
            let master = Master::new();
            runtime.block_on(check(&master, &steps, &mut counts.borrow_mut()));
            Ok(())
        })
        .unwrap();
    let counts = counts.into_inner();
    println!("{counts:?}");
    assert!(
        counts.documents_changed > 0 && counts.not_modified > 0,
        "{counts:?}"
    );
}

/// A backup takes the place of the database, and goes another way from there.
#[test]
fn no_tag_comes_again_after_a_backup_was_restored() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (database, backup) = (directory.path().join("db"), directory.path().join("backup"));
    let mut seen = HashSet::new();
    for url in ["first", "second"] {
        let master = Master::of_file(&database);
        let supply = |url: &str| {
            let form = format!("computer_id=C1&url={url}&state=available");
            Step::Call("supplySupply", form, true)
        };
        runtime.block_on(async {
            if !backup.exists() {
                master.take(&supply("common")).await;
                let other = Connection::open(&database).unwrap();
                let copy = format!("VACUUM INTO '{}'", backup.display());
                other.execute_batch(&copy).unwrap();
            }
            master.take(&supply(url)).await;
            let told = master.get(&resources()[0], None).await;
            assert!(seen.insert(told.tag.unwrap()), "{seen:?}");
        });
        drop(master);
        std::fs::copy(&backup, &database).unwrap();
    }
}

#[test]
fn a_database_without_versions_gets_new_ones_and_keeps_those_it_has() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("db");
    let tag = |sql: &str| {
        let other = Connection::open(&database).unwrap();
        other.execute_batch(sql).unwrap();
        let master = Master::of_file(&database);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let told = runtime.block_on(master.get(&resources()[0], None));
        told.tag
    };
    assert_eq!(tag(""), None, "there is nothing to have a version");
    let first = tag("INSERT INTO software18 (url, computer_reference) VALUES ('u', 'C1')");
    assert!(first.is_some());
    assert_eq!(tag(""), first);
    let second = tag("DROP TRIGGER version_update_software18; UPDATE software18 SET url = 'v'");
    assert!(second.is_some() && second != first, "{second:?}");
    let third = tag("DROP TABLE computer_version18; DROP TABLE software18");
    assert_ne!(third, second);
}
