//! What a database that several servers share does beyond what a file does.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

use slapos_tests::postgres::{Postgres, Setup};
use slapproxy_core::MasterError;
use slapproxy_core::storage::{PartitionRow, PostgresSettings, PostgresStorage, Records, Storage};

const COMPUTER: &str = "COMP-1";

fn open(uri: &str) -> PostgresStorage {
    PostgresStorage::open(PostgresSettings::parse(uri).unwrap()).unwrap()
}

/// Two servers of a database with that many free partitions.
fn servers(partitions: u32) -> [PostgresStorage; 2] {
    let uri = Postgres::shared().database();
    let servers = [open(&uri), open(&uri)];
    let free = |number: u32| PartitionRow {
        reference: format!("slappart{number:02}"),
        computer_reference: COMPUTER.to_owned(),
        requested_state: "started".to_owned(),
        ..PartitionRow::default()
    };
    let rows = |records: &dyn Records| {
        Ok((0..partitions).try_for_each(|number| records.put_partition(&free(number)))?)
    };
    servers[0].write(rows).unwrap();
    servers
}

/// The partition of an instance, which is allocated unless it is there.
fn allocate(records: &dyn Records, name: &str) -> Result<String, MasterError> {
    if let Some(row) = records.instance(name, "")? {
        return Ok(row.reference);
    }
    let free = records.free_partition(COMPUTER)?;
    let free = free.ok_or_else(|| MasterError::NotFound("none is free".to_owned()))?;
    records.put_partition(&PartitionRow {
        busy: true,
        partition_reference: Some(name.to_owned()),
        ..free.clone()
    })?;
    Ok(free.reference)
}

/// What many threads get that allocate at once at both servers; each names its instance.
fn at_once(
    servers: &[PostgresStorage; 2],
    name: impl Fn(usize) -> String + Sync,
) -> Vec<Result<String, MasterError>> {
    thread::scope(|scope| {
        let name = &name;
        let threads: Vec<_> = (0..24)
            .map(|number| {
                let server = &servers[number % 2];
                scope.spawn(move || server.write(|records| allocate(records, &name(number))))
            })
            .collect();
        let threads = threads.into_iter();
        threads.map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn who_asks_for_the_same_gets_the_same() {
    let servers = servers(8);
    let got = at_once(&servers, |_| "one".to_owned());
    let got: BTreeSet<_> = got.into_iter().map(Result::unwrap).collect();
    assert_eq!(got.len(), 1, "{got:?}");
}

#[test]
fn every_partition_has_one_owner_and_none_is_left_over() {
    let servers = servers(20);
    let got = at_once(&servers, |number| format!("i{number}"));
    let (got, refused): (Vec<_>, Vec<_>) = got.into_iter().partition(Result::is_ok);
    let got: BTreeSet<_> = got.into_iter().map(Result::unwrap).collect();
    assert_eq!((got.len(), refused.len()), (20, 4), "{refused:?}");
    for refusal in refused {
        assert!(
            matches!(refusal, Err(MasterError::NotFound(_))),
            "{refusal:?}"
        );
    }
}

#[test]
fn whoever_writes_by_other_names_gives_a_new_version() {
    let uri = Postgres::shared().database();
    let server = open(&uri);
    let version = || {
        server
            .read(|records| Ok(records.version(COMPUTER)?))
            .unwrap()
    };
    assert_eq!(version(), None);
    let sql = format!(
        "SET search_path = pg_catalog; \
         INSERT INTO public.software18 (url, computer_reference) VALUES ('u', '{COMPUTER}')"
    );
    Postgres::shared().sql(Postgres::name(&uri), &sql);
    assert!(version().is_some());
}

#[test]
fn an_emptied_table_gives_every_computer_a_new_version() {
    let uri = Postgres::shared().database();
    let server = open(&uri);
    let sql = |sql: &str| Postgres::shared().sql(Postgres::name(&uri), sql);
    let version = || {
        server
            .read(|records| Ok(records.version(COMPUTER)?))
            .unwrap()
    };
    sql(&format!(
        "INSERT INTO software18 (url, computer_reference) VALUES ('u', '{COMPUTER}')"
    ));
    let before = version();
    sql("TRUNCATE software18");
    assert_ne!(version(), before);
}

/// The triggers of a table, the indexes of another, and the revision that is noted.
fn surroundings(uri: &str) -> [String; 3] {
    [
        "SELECT string_agg(tgname, ' ' ORDER BY tgname) FROM pg_trigger \
         WHERE tgrelid = 'software18'::regclass",
        "SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes \
         WHERE tablename = 'slave18'",
        "SELECT revision FROM slapproxy_schema",
    ]
    .map(|sql| Postgres::shared().sql(Postgres::name(uri), sql))
}

#[test]
fn what_an_older_server_made_is_brought_up_to_date_once() {
    let uri = Postgres::shared().database();
    let identity = open(&uri).run_id().to_owned();
    let expected = surroundings(&uri);
    let first_revision = "ALTER TABLE slapproxy_schema DROP COLUMN revision; \
        DROP INDEX slave_order18; \
        DROP TRIGGER version_insert_software18 ON software18; \
        DROP TRIGGER version_delete_software18 ON software18; \
        CREATE TRIGGER version_software18 AFTER INSERT OR DELETE ON software18 \
        FOR EACH ROW EXECUTE FUNCTION note_version18()";
    Postgres::shared().sql(Postgres::name(&uri), first_revision);
    let identities = thread::scope(|scope| {
        let both = [(), ()].map(|()| scope.spawn(|| open(&uri).run_id().to_owned()));
        both.map(|server| server.join().unwrap())
    });
    assert_eq!(identities, [identity.clone(), identity]);
    assert_eq!(surroundings(&uri), expected);
}

#[test]
fn what_a_newer_server_made_is_left_as_it_is() {
    let uri = Postgres::shared().database();
    drop(open(&uri));
    let newer = "UPDATE slapproxy_schema SET revision = 99; DROP INDEX slave_order18";
    Postgres::shared().sql(Postgres::name(&uri), newer);
    let before = surroundings(&uri);
    drop(open(&uri));
    assert_eq!(surroundings(&uri), before);
}

#[test]
fn of_a_write_that_fails_nothing_remains() {
    let [one, other] = servers(1);
    let failed: Result<(), _> = one.write(|records| {
        allocate(records, "lost")?;
        Err(MasterError::BadRequest("no".to_owned()))
    });
    assert!(matches!(failed, Err(MasterError::BadRequest(_))));
    let found = other.read(|records| Ok(records.instance("lost", "")?));
    assert_eq!(found.unwrap(), None);
}

#[test]
fn every_text_comes_back_and_those_too_long_for_an_index_are_refused() {
    let [one, other] = servers(1);
    for text in ["", "it's \\ \"é\"", "a\0b", "\u{F8FE}0\u{F8FE}"] {
        one.write(|records| Ok(records.set_config("text", text)?))
            .unwrap();
        let read = other.read(|records| Ok(records.config("text")?)).unwrap();
        assert_eq!(read.as_deref(), Some(text));
    }
    // Random, as what can be compressed may be longer.
    let state = std::hash::RandomState::new();
    let long = |length: u32| {
        let numbers = (0..length / 16).map(|number| {
            let number = std::hash::BuildHasher::hash_one(&state, number);
            format!("{number:016x}")
        });
        numbers.collect::<String>()
    };
    let (fits, too_long) = (long(2600), long(8000));
    one.write(|records| allocate(records, &fits)).unwrap();
    let refused = one.write(|records| {
        records.set_software(COMPUTER, &too_long, "available")?;
        Ok(())
    });
    let refused = refused.unwrap_err();
    assert!(
        matches!(&refused, MasterError::BadRequest(text) if text.contains("2600")),
        "{refused}"
    );
}

#[test]
fn a_glance_gets_past_all_connections_that_died() {
    let server = Postgres::start(&Setup::default());
    let storage = open(&server.database());
    let together = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let read = storage.read(|records| {
                    together.wait();
                    Ok(records.version(COMPUTER)?)
                });
                read.unwrap();
            });
        }
    });
    server.hold(|| ());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let glance = storage.glance_async(|records| Ok(records.version(COMPUTER)?));
    assert_eq!(runtime.block_on(glance).unwrap(), None);
}

#[test]
fn many_rows_at_once_give_new_versions_to_their_computers_alone() {
    let uri = Postgres::shared().database();
    let server = open(&uri);
    let sql = |text: &str| Postgres::shared().sql(Postgres::name(&uri), text);
    let versions = || {
        let read = |records: &dyn Records| {
            let of = |name| records.version(name);
            Ok([of("A")?, of("B")?, of("C")?])
        };
        server.read(read).unwrap()
    };
    sql(
        "INSERT INTO software18 (url, computer_reference) VALUES ('u', 'A'), ('v', 'A'), ('u', 'B')",
    );
    let [a, b, c] = versions();
    assert!(a.is_some() && b.is_some() && a != b, "{a:?} {b:?}");
    assert_eq!(c, None);
    sql("DELETE FROM software18 WHERE computer_reference = 'A'");
    assert_ne!(versions()[0], a);
    assert_eq!(versions()[1..], [b.clone(), None]);
    sql(
        "INSERT INTO software18 (url, computer_reference) VALUES ('u', 'B') ON CONFLICT DO NOTHING",
    );
    assert_eq!(versions()[1], b);
    sql("UPDATE software18 SET computer_reference = 'C'");
    let [_, moved, c] = versions();
    assert!(moved != b && c.is_some(), "{moved:?} {c:?}");
    // Each computer is noted once by a statement, however many rows it has.
    let noted = "SELECT n_tup_ins + n_tup_upd FROM pg_stat_xact_user_tables \
        WHERE relname = 'computer_version18'";
    let rows = "SELECT 'u' || number, 'D' || number % 2 FROM generate_series(1, 100) AS number";
    for statement in [
        format!("INSERT INTO software18 (url, computer_reference) {rows}"),
        "DELETE FROM software18 WHERE computer_reference LIKE 'D%'".to_owned(),
    ] {
        assert_eq!(sql(&format!("BEGIN; {statement}; {noted}; COMMIT")), "2\n");
    }
}
