//! Databases of older versions under both masters: what becomes of each row, and of the file when
//! the master is killed on the way.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::types::Value;
use slapos_tests::Side::{Ours, Peer};
use slapos_tests::{Node, Outcome, Side, places, poll};

/// The tables that both masters have.
const TABLES: [&str; 7] = [
    "config",
    "software",
    "computer",
    "partition",
    "slave",
    "partition_network",
    "forwarded_partition_request",
];
/// Version 8 was never released: a file of that name counts as one of version 9.
const VERSIONS: [u32; 11] = [7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17];
const PATIENCE: Duration = Duration::from_secs(60);

/// A database of a version, as SQL.
fn sql(version: u32) -> String {
    let source = if version == 8 { 9 } else { version };
    let path = format!("tests/corpus/db/version_{source}.sql");
    let text = fs::read_to_string(places::workspace().join(path)).unwrap();
    if version == source {
        return text;
    }
    TABLES.iter().fold(text, |text, table| {
        text.replace(&format!("{table}{source}"), &format!("{table}{version}"))
    })
}

/// What the recorded databases of versions 10 to 16 lack: a grandchild and slaves.
fn more_rows(version: u32) -> String {
    if !(10..=16).contains(&version) {
        return String::new();
    }
    format!(
        "UPDATE partition{version} SET slap_state = 'busy', partition_reference = 'grandchild', \
           requested_by = 'slappart1', software_release = 'http://sr/' WHERE reference = 'slappart6'; \
         INSERT INTO slave{version} (reference, connection_xml, hosted_by, asked_by) VALUES \
           ('slappart1_slave', '<instance/>', 'slappart0', 'slappart1'), \
           ('_slave', NULL, 'slappart0', '');"
    )
}

fn database(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(sql).unwrap();
}

type Rows = BTreeMap<String, Vec<BTreeMap<String, String>>>;

/// Every row of the tables, by column, in the order of all of a row's values.
fn rows(path: &Path, tables: impl IntoIterator<Item = String>) -> Rows {
    let connection = Connection::open(path).unwrap();
    let read = |table: String| {
        let mut statement = connection
            .prepare(&format!("SELECT * FROM {table}"))
            .unwrap();
        let names: Vec<_> = statement.column_names().map(str::to_owned).collect();
        let found = statement.query_map([], |row| {
            let cell = |(index, name): (usize, &String)| {
                let value: Value = row.get(index)?;
                Ok((name.clone(), format!("{value:?}")))
            };
            names.iter().enumerate().map(cell).collect()
        });
        let mut found: Vec<BTreeMap<_, _>> = found.unwrap().map(Result::unwrap).collect();
        found.sort();
        (table, found)
    };
    tables.into_iter().map(read).collect()
}

fn our_rows(path: &Path) -> Rows {
    rows(path, TABLES.iter().map(|table| format!("{table}18")))
}

fn all_tables(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
    let mut statement = connection.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).collect()
}

fn backups(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_backup = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("proxy.db-backup-") && name.ends_with(".sql")
    };
    paths.filter(is_backup).collect()
}

/// The rows after that master has opened the database, and the name of its backup.
fn migrated(side: Side, version: u32) -> (Rows, String) {
    let mut node = Node::new();
    database(&node.database(), &(sql(version) + &more_rows(version)));
    let before = rows(&node.database(), all_tables(&node.database()));
    node.start_master(side);
    // The peer migrates at the first request, which has been made.
    node.stop_master();
    let [backup] = &backups(node.path())[..] else {
        panic!("{side:?}: one backup is expected of version {version}");
    };
    let restored = node.path().join("restored.db");
    database(&restored, &fs::read_to_string(backup).unwrap());
    assert_eq!(
        rows(&restored, all_tables(&restored)),
        before,
        "{side:?}: the backup holds what was there"
    );
    let name = backup.file_name().unwrap().to_string_lossy().into_owned();
    (our_rows(&node.database()), name)
}

/// The one difference: who requested an instance directly is in versions up to 16 and is needed
/// to tell that requester of changes. The peer drops it; ours keeps it.
fn without_requester(mut rows: Rows) -> Rows {
    for table in ["partition18", "slave18"] {
        for row in rows.get_mut(table).unwrap() {
            row.remove("requester_id");
        }
    }
    rows
}

fn requesters(rows: &Rows, table: &str) -> Vec<String> {
    let rows = rows[table].iter();
    let requesters = rows.map(|row| row["requester_id"].clone());
    let mut requesters: Vec<_> = requesters
        .filter(|requester| requester != "Text(\"\")")
        .collect();
    requesters.dedup();
    requesters
}

#[test]
fn every_older_version_becomes_what_the_peer_makes_of_it() {
    for version in VERSIONS {
        let (theirs, their_backup) = migrated(Peer, version);
        let (ours, our_backup) = migrated(Ours, version);
        assert_eq!(
            without_requester(ours.clone()),
            without_requester(theirs.clone()),
            "version {version}"
        );
        assert_eq!(requesters(&theirs, "partition18").len(), 0);
        let expected = match version {
            7 => (2, 0),
            17 => (0, 0),
            8 | 9 => (1, 1),
            _ => (2, 1),
        };
        let kept = |table| requesters(&ours, table).len();
        assert_eq!(
            (kept("partition18"), kept("slave18")),
            expected,
            "version {version}"
        );
        // Named alike, up to the time, which is as long.
        let prefix = format!("proxy.db-backup-{version}to18-");
        assert!(our_backup.starts_with(&prefix), "{our_backup}");
        assert!(their_backup.starts_with(&prefix), "{their_backup}");
        assert_eq!(our_backup.len(), their_backup.len(), "{our_backup}");
    }
}

#[test]
fn the_peer_serves_what_we_migrated_and_takes_no_offence() {
    let mut node = Node::new();
    database(&node.database(), &(sql(16) + &more_rows(16)));
    node.start_master(Ours);
    let ours = node.ask_master("/getFullComputerInformation?computer_id=computer");
    node.stop_master();
    assert_eq!(ours.0, 200);
    node.start_master(Peer);
    let theirs = node.ask_master("/getFullComputerInformation?computer_id=computer");
    assert_eq!(theirs.0, 200);
    for text in ["slappart0", "MariaDB DataBase", "grandchild"] {
        assert!(ours.1.contains(text), "{text}: {}", ours.1);
        assert!(theirs.1.contains(text), "{text}: {}", theirs.1);
    }
}

/// slapproxy on a database, for tests that end it in their own way.
fn start(node: &Node) -> Child {
    let mut command: Command = node.ours("slapproxy");
    let command = command.arg(node.configuration()).stdin(Stdio::null());
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.spawn().unwrap()
}

#[test]
fn what_cannot_be_migrated_is_refused_and_stays_as_it_is() {
    let table = [
        ("CREATE TABLE software19 (a);", "version 19"),
        ("CREATE TABLE software6 (a);", "version 6"),
        ("CREATE TABLE photos (a);", "photos"),
        ("CREATE TABLE photos17 (a);", "photos17"),
        (
            "CREATE TABLE software17 (a); CREATE TABLE software18 (a);",
            "versions 17 and 18",
        ),
    ];
    for (sql, reason) in table {
        let node = Node::new();
        database(&node.database(), sql);
        let before = fs::read(node.database()).unwrap();
        let mut command = node.ours("slapproxy");
        let outcome = Outcome::of(command.arg(node.configuration()));
        let text = outcome.text();
        assert!(text.contains(reason), "{sql}: {text}");
        assert!(text.contains("proxy.db"), "{sql}: {text}");
        outcome.expect(1);
        assert_eq!(fs::read(node.database()).unwrap(), before, "{sql}");
        assert!(backups(node.path()).is_empty(), "{sql}");
    }
}

#[test]
fn without_a_backup_nothing_is_migrated() {
    let node = Node::new();
    // The longest name that has room for SQLite's journal, and none for the backup's time.
    let name = "x".repeat(240);
    let path = node.path().join(&name);
    database(&path, &sql(16));
    let before = fs::read(&path).unwrap();
    let configuration = fs::read_to_string(node.configuration()).unwrap();
    node.write("slapos.cfg", &configuration.replace("proxy.db", &name));
    let mut command = node.ours("slapproxy");
    let outcome = Outcome::of(command.arg(node.configuration()));
    let text = outcome.text();
    assert!(text.contains("cannot be backed up"), "{text}");
    outcome.expect(1);
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// Enough rows that a migration takes a while.
fn many_partitions() -> String {
    sql(16)
        + "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) \
           INSERT INTO partition16 (reference, slap_state, partition_reference, requested_by, xml) \
           SELECT 'slappart' || i, 'busy', 'instance ' || i, 'slappart0', hex(zeroblob(100)) FROM n;"
}

#[test]
fn killed_at_any_moment_the_file_is_old_or_new() {
    let template = tempfile::tempdir().unwrap();
    let template = template.path().join("proxy.db");
    database(&template, &many_partitions());
    let old = rows(&template, all_tables(&template));
    let took = {
        let mut node = Node::new();
        fs::copy(&template, node.database()).unwrap();
        let started = Instant::now();
        node.start_master(Ours);
        started.elapsed()
    };
    let (mut seen_old, mut seen_new) = (0, 0);
    const KILLS: u32 = 20;
    for number in 0..KILLS {
        let mut node = Node::new();
        fs::copy(&template, node.database()).unwrap();
        let mut child = start(&node);
        // Spread over the whole migration: the moments are the test's input, nothing waits here.
        std::thread::sleep(took * number * 3 / 2 / KILLS);
        child.kill().unwrap();
        child.wait().unwrap();
        if all_tables(&node.database()) == all_tables(&template) {
            seen_old += 1;
            assert_eq!(rows(&node.database(), all_tables(&template)), old);
        } else {
            seen_new += 1;
            let [backup] = &backups(node.path())[..] else {
                panic!("a migrated file has its backup");
            };
            let restored = node.path().join("restored.db");
            database(&restored, &fs::read_to_string(backup).unwrap());
            assert_eq!(rows(&restored, all_tables(&restored)), old);
        }
        if number % 5 == 0 {
            node.start_master(Ours);
            node.stop_master();
            let migrated = our_rows(&node.database());
            assert_eq!(migrated["partition18"].len(), old["partition16"].len());
        }
    }
    eprintln!("{seen_old} times the old tables, {seen_new} times the new ones");
    assert!(seen_old > 0);
}

/// Kills the master as soon as the backup is there, which is before anything has changed.
#[test]
fn killed_when_the_backup_is_there_the_next_start_begins_anew() {
    let mut node = Node::new();
    database(&node.database(), &many_partitions());
    let mut child = start(&node);
    poll::until("the backup is there", PATIENCE, || {
        !backups(node.path()).is_empty()
    });
    child.kill().unwrap();
    child.wait().unwrap();
    node.start_master(Ours);
    node.stop_master();
    assert_eq!(our_rows(&node.database())["partition18"].len(), 2911);
    for backup in backups(node.path()) {
        let restored = node.path().join("restored.db");
        database(&restored, &fs::read_to_string(backup).unwrap());
        fs::remove_file(restored).unwrap();
    }
}

/// Software and instances below the old root are told below the new one, by both masters alike.
#[test]
fn local_releases_follow_their_root() {
    let table = [
        ("/srv/new", true),
        ("/srv", false),
        ("/srv/slapgrid/below", false),
        ("/srv/slapgrid", false),
    ];
    for (root, moves) in table {
        let rebased = |side| {
            let mut node = Node::new();
            database(
                &node.database(),
                &sql(16).replace("root16 VALUES('/')", "root16 VALUES('/srv/slapgrid')"),
            );
            let text = fs::read_to_string(node.configuration()).unwrap();
            let key = format!("{text}local_software_release_root = {root}\n");
            node.write("slapos.cfg", &key);
            node.start_master(side);
            node.stop_master();
            let count = backups(node.path()).len();
            (without_requester(our_rows(&node.database())), count)
        };
        let (theirs, ours) = (rebased(Peer), rebased(Ours));
        assert_eq!(ours.0, theirs.0, "{root}");
        assert_eq!(ours.1, if moves { 2 } else { 1 }, "{root}");
        let new = "/srv/new/srv/runner/project/slapos/software.cfg";
        let url = &ours.0["software18"][0]["url"];
        assert_eq!(url.contains(new), moves, "{root}: {url}");
        let config = &ours.0["config18"][0]["value"];
        assert_eq!(config, &format!("Text({root:?})"));
    }
}
