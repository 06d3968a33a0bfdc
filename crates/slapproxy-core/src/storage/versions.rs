//! The version of each computer's documents, which the database itself keeps.
//!
//! Triggers note a new version whenever a row changes that a document is made of, so that no writer
//! can forget to, and the slapproxy of slapos.core, which knows nothing of it, cannot either.
//!
//! A version is a random `stamp`, and so never the same again, even where a backup takes the place of
//! the database. Beside it stands what tells whoever has looked before which computers have changed
//! since: in SQLite, where one writes after the other, the number of the change.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::Result;
use super::sqlite::failed;

/// The tables that documents are made of, and the columns of them that are told. A change of others
/// is none of a document.
///
/// What other tables hold is told by other calls: the slaves of a host are a column of its
/// partition, and that a computer is there is looked up each time.
const SOURCES: [(&str, &[&str]); 3] = [
    (
        "software18",
        &["computer_reference", "url", "requested_state"],
    ),
    (
        "partition18",
        &[
            "computer_reference",
            "reference",
            "slap_state",
            "software_release",
            "xml",
            "connection_xml",
            "slave_instance_list",
            "software_type",
            "partition_reference",
            "requested_by",
            "requested_state",
            "timestamp",
        ],
    ),
    (
        "partition_network18",
        &[
            "computer_reference",
            "partition_reference",
            "reference",
            "address",
        ],
    ),
];

/// The greatest version of all, plus one.
const NEXT: &str = "(SELECT coalesce(max(version), 0) + 1 FROM computer_version18)";

/// A trigger: its name, and the statement that makes it.
struct Trigger {
    name: String,
    sql: String,
}

impl Trigger {
    fn new(table: &str, event: &str, condition: &str, computers: &[&str]) -> Self {
        let name = format!("version_{}_{table}", event.to_lowercase());
        let changes: String = computers.iter().map(|computer| change(computer)).collect();
        let sql = format!(
            "CREATE TRIGGER {name} AFTER {event} ON {table} WHEN {condition}\nBEGIN{changes}\nEND"
        );
        Self { name, sql }
    }

    fn is_there(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let sql = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?";
        let mut statement = connection.prepare(sql)?;
        let present: Option<String> = statement
            .query_row([&self.name], |row| row.get(0))
            .optional()?;
        Ok(present.as_ref() == Some(&self.sql))
    }
}

/// Gives a computer a new version. The conflict clause of the statement that sets off a trigger
/// would take the place of one here (a REPLACE that of an IGNORE), so there must be no conflict.
fn change(computer: &str) -> String {
    format!(
        "\n  INSERT INTO computer_version18 SELECT {computer}, 0, 0 WHERE {computer} IS NOT NULL\
         \n    AND NOT EXISTS (SELECT 1 FROM computer_version18 WHERE computer_reference = {computer});\
         \n  UPDATE computer_version18 SET version = {NEXT}, stamp = random()\
         \n    WHERE computer_reference = {computer};"
    )
}

fn triggers() -> Vec<Trigger> {
    let of_table = |(table, columns): (&str, &[&str])| {
        let differs = |column: &&str| format!("OLD.{column} IS NOT NEW.{column}");
        let differs = columns.iter().map(differs).collect::<Vec<_>>().join(" OR ");
        let (old, new) = ("OLD.computer_reference", "NEW.computer_reference");
        [
            Trigger::new(table, "INSERT", "1", &[new]),
            Trigger::new(table, "DELETE", "1", &[old]),
            Trigger::new(table, "UPDATE", &differs, &[old, new]),
        ]
    };
    SOURCES.into_iter().flat_map(of_table).collect()
}

/// Has the database keep the versions, if it does not. The tables are there.
///
/// Writes nothing where nothing is missing, so that a file which cannot be written is read.
pub(super) fn ensure(connection: &mut Connection) -> rusqlite::Result<()> {
    if are_kept(connection)? {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another slapproxy may have been quicker.
    if !are_kept(&transaction)? {
        keep(&transaction)?;
    }
    transaction.commit()
}

fn are_kept(connection: &Connection) -> rusqlite::Result<bool> {
    for trigger in triggers() {
        if !trigger.is_there(connection)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes the triggers. What changed without them is not known, so everything has.
pub(super) fn keep(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    for Trigger { name, sql } in triggers() {
        transaction.execute_batch(&format!("DROP TRIGGER IF EXISTS {name};\n{sql};"))?;
    }
    transaction.execute_batch(&format!(
        "INSERT INTO computer_version18 SELECT computer_reference, 0, 0 FROM \
         (SELECT computer_reference FROM software18 UNION SELECT computer_reference FROM partition18 \
         UNION SELECT computer_reference FROM partition_network18) \
         WHERE computer_reference IS NOT NULL \
         AND computer_reference NOT IN (SELECT computer_reference FROM computer_version18);\
         UPDATE computer_version18 SET version = {NEXT}, stamp = random();"
    ))
}

/// The version of the last change of all.
pub(super) fn latest(connection: &Connection) -> Result<i64> {
    let sql = "SELECT coalesce(max(version), 0) FROM computer_version18";
    let latest = || {
        connection
            .prepare_cached(sql)?
            .query_row([], |row| row.get(0))
    };
    latest().map_err(failed("cannot read versions"))
}

/// The computers that have changed after a version, and to which versions; the greatest is the last.
pub(super) fn changed_since(connection: &Connection, version: i64) -> Result<Vec<(String, i64)>> {
    let sql = "SELECT computer_reference, version FROM computer_version18 WHERE version > ? \
        ORDER BY version";
    let changed = || {
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map([version], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<_>>()
    };
    changed().map_err(failed("cannot read versions"))
}

/// In PostgreSQL, transactions change a computer at the same time, which a single row would have
/// collide: each connection has one of several, and the version is made of all. With it stands the
/// number of the transaction, which says who may not have seen it. The tables are found as they were
/// when they were made, wherever whoever writes looks for its own.
///
/// Many rows that come or go by one statement are noted at once: row by row, each would leave another
/// outdated row of the version, through all of which the next must pass.
///
/// What an earlier revision has made is replaced.
#[cfg(feature = "postgresql")]
pub(super) fn postgres() -> String {
    let triggers = SOURCES.into_iter().map(|(table, columns)| {
        let differs = |column: &&str| format!("OLD.{column} IS DISTINCT FROM NEW.{column}");
        let differs = columns.iter().map(differs).collect::<Vec<_>>().join(" OR ");
        let trigger = |event: &str, what: &str| {
            format!(
                "DROP TRIGGER IF EXISTS version_{event}_{table} ON {table};\n\
                 CREATE TRIGGER version_{event}_{table} AFTER {event} ON {table} {what};\n"
            )
        };
        let of_statement = |rows: &str| {
            format!(
                "REFERENCING {rows} TABLE AS changed \
                 FOR EACH STATEMENT EXECUTE FUNCTION note_versions18()"
            )
        };
        let of_row = format!("FOR EACH ROW WHEN ({differs}) EXECUTE FUNCTION note_version18()");
        [
            // That of the first revision, for rows that came or went.
            format!("DROP TRIGGER IF EXISTS version_{table} ON {table};\n"),
            trigger("insert", &of_statement("NEW")),
            trigger("delete", &of_statement("OLD")),
            trigger("update", &of_row),
            trigger(
                "truncate",
                "FOR EACH STATEMENT EXECUTE FUNCTION note_all_versions18()",
            ),
        ]
        .concat()
    });
    POSTGRES_TABLE.to_owned() + &triggers.collect::<String>()
}

#[cfg(feature = "postgresql")]
const POSTGRES_TABLE: &str = r#"
CREATE TABLE IF NOT EXISTS computer_version18 (
  computer_reference TEXT COLLATE "C",
  shard INTEGER,
  stamp BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  PRIMARY KEY (computer_reference, shard)
);
CREATE INDEX IF NOT EXISTS computer_version_order18 ON computer_version18 (changed);
CREATE OR REPLACE FUNCTION note_versions_of18(computers TEXT[]) RETURNS void LANGUAGE sql
SET search_path FROM CURRENT AS $$
  INSERT INTO computer_version18
    SELECT computer, pg_backend_pid() % 16,
      CAST(CAST('x' || substr(replace(CAST(gen_random_uuid() AS TEXT), '-', ''), 1, 16) AS BIT(64)) AS BIGINT),
      CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)
    FROM (SELECT DISTINCT unnest(computers)) AS distinct_ones (computer)
    WHERE computer IS NOT NULL
    -- In one order, so that none waits for another who waits for it.
    ORDER BY computer
    ON CONFLICT (computer_reference, shard)
    DO UPDATE SET stamp = EXCLUDED.stamp, changed = EXCLUDED.changed;
$$;
CREATE OR REPLACE FUNCTION note_version18() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM note_versions_of18(ARRAY[OLD.computer_reference, NEW.computer_reference]);
  RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION note_versions18() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM note_versions_of18(ARRAY(SELECT DISTINCT computer_reference FROM changed));
  RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION note_all_versions18() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM note_versions_of18(ARRAY(SELECT DISTINCT computer_reference FROM computer_version18));
  RETURN NULL;
END
$$;
"#;
