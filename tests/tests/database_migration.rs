//! `slapproxy migrate`: from a file to PostgreSQL and back.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rusqlite::{Connection, params};
use slapos_tests::pair::database::dump;
use slapos_tests::postgres::Postgres;
use slapos_tests::{Outcome, Server, places};

const PARTITIONS: u32 = 10_000;

fn migrate(from: &str, to: &str) -> Outcome {
    let mut command = Command::new(places::tool("slapproxy"));
    Outcome::of(command.args(["migrate", "--from", from, "--to", to]))
}

fn name(path: &Path) -> &str {
    path.to_str().expect("the path of a test is text")
}

/// An empty database file, as a server makes it.
fn file(directory: &tempfile::TempDir) -> PathBuf {
    let path = directory.path().join("proxy.db");
    let server = Server::start("", &["-u", name(&path)]);
    server.end(Signal::SIGTERM);
    path
}

/// Every table with rows, among them texts and numbers that are easily lost.
fn fill(path: &Path) {
    let mut connection = Connection::open(path).expect("the database opens");
    let transaction = connection.transaction().expect("the database is ours");
    let odd = [
        "",
        "plain",
        "it's \"é\" \\x",
        "a\0b",
        "\u{F8FE}0",
        "\r\n\t\u{1F600}",
    ];
    for number in 0..PARTITIONS {
        let (computer, partition) = (format!("COMP-{}", number % 100), format!("p{number}"));
        let text = odd[number as usize % odd.len()];
        let time = (number % 3 > 0).then_some(1_795_531_810.216_241_8 + f64::from(number) / 7.0);
        let insert = |sql: &str, parameters: &[&dyn rusqlite::ToSql]| {
            let done = transaction
                .prepare_cached(sql)
                .and_then(|mut it| it.execute(parameters));
            done.unwrap_or_else(|error| panic!("{sql}: {error}"));
        };
        insert(
            "INSERT INTO partition18 VALUES (?, ?, ?, 'http://r', ?, ?, NULL, 'default', ?, '', 'user', 'started', ?)",
            params![
                partition,
                computer,
                if number % 2 == 0 { "busy" } else { "free" },
                text,
                text,
                format!("i{number}"),
                time
            ],
        );
        for family in ["10.0.0.1", "fd00::1"] {
            insert(
                "INSERT INTO partition_network18 VALUES (?, ?, 'tap', ?, NULL)",
                params![partition, computer, family],
            );
        }
        insert(
            "INSERT INTO report18 VALUES ('instance', ?, ?, 'error', ?, ?)",
            params![computer, partition, text, f64::from(number) * 0.1],
        );
        if number % 10 == 0 {
            insert(
                "INSERT INTO slave18 VALUES (?, ?, ?, ?, 'user')",
                params![format!("_s{number}"), computer, text, partition],
            );
            insert(
                "INSERT INTO usage18 VALUES (?, ?, ?)",
                params![computer, 1e9, text],
            );
            insert(
                "INSERT INTO unrequested18 VALUES (?, ?, 0.1)",
                params![computer, partition],
            );
            let url = format!("http://{number}/");
            insert(
                "INSERT INTO software18 VALUES (?, ?, 'available')",
                params![url, computer],
            );
            insert(
                "INSERT INTO forwarded_partition_request18 VALUES (?, ?)",
                params![partition, url],
            );
            insert("INSERT INTO config18 VALUES (?, ?)", params![url, text]);
        }
    }
    for number in 0..100 {
        let sql = "INSERT INTO computer18 VALUES (?, NULL, '255.0.0.0')";
        let done = transaction.execute(sql, [format!("COMP-{number}")]);
        done.expect("a computer is added");
    }
    transaction.commit().expect("the database is ours");
}

#[test]
fn a_large_database_goes_there_and_back_unchanged() {
    let directory = tempfile::tempdir().unwrap();
    let from = file(&directory);
    fill(&from);
    let uri = Postgres::shared().database();
    let start = Instant::now();
    let there = migrate(name(&from), &uri).expect(0);
    let there_took = start.elapsed();
    assert!(there.stdout.contains("partition18"), "{}", there.stdout);
    let back = directory.path().join("back.db");
    let start = Instant::now();
    let again = migrate(&uri, name(&back)).expect(0);
    println!(
        "{}there in {there_took:.1?}, back in {:.1?}",
        again.stdout,
        start.elapsed()
    );
    assert_eq!(there.stdout, again.stdout);
    let (before, after) = (dump(&from), dump(&back));
    assert_eq!(before.len(), after.len());
    let differing = before
        .iter()
        .zip(&after)
        .find(|(before, after)| before != after);
    assert_eq!(differing, None);
}

#[test]
fn what_cannot_be_migrated_is_named_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let from = file(&directory);
    let connection = Connection::open(&from).unwrap();
    let sql = "INSERT INTO computer18 VALUES ('COMP-1', NULL, NULL)";
    connection.execute(sql, []).unwrap();
    let uri = Postgres::shared().database();
    migrate(name(&from), &uri).expect(0);
    let absent = name(directory.path()).to_owned() + "/absent.db";
    let nowhere = Postgres::shared().uri("nowhere");
    for (from, to, part) in [
        (
            name(&from),
            uri.as_str(),
            "rows in computer18 of the database to migrate to",
        ),
        (
            &uri,
            name(&from),
            "rows in computer18 of the database to migrate to",
        ),
        (&absent, &uri, "absent.db"),
        (name(&from), &nowhere, "nowhere"),
        (
            "postgresql://db:port/x",
            &uri,
            "URI of the database cannot be read",
        ),
    ] {
        let refused = migrate(from, to).expect(1);
        assert!(
            refused.stderr.contains(part),
            "{from} {to}: {}",
            refused.stderr
        );
    }
    let left = directory.path().join("left.db");
    migrate(&uri, name(&left)).expect(0);
    assert_eq!(dump(&left), dump(&from));
}

#[test]
fn of_a_migration_that_is_killed_nothing_remains() {
    let directory = tempfile::tempdir().unwrap();
    let from = file(&directory);
    fill(&from);
    let postgres = Postgres::shared();
    let uri = postgres.database();
    let mut command = Command::new(places::tool("slapproxy"));
    command.args(["migrate", "--from", name(&from), "--to", &uri]);
    for pause in [50, 200, 400] {
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(pause));
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success());
    }
    // It takes an empty database only.
    migrate(name(&from), &uri).expect(0);
}
