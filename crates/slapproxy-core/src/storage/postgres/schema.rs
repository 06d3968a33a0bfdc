//! The tables, and who makes them.
//!
//! They have the names of those of SQLite, whose versions tell what is in them. Which version is
//! there is noted in a table of its own, beside what all servers of the database share. What
//! surrounds the tables, indexes and triggers, has a revision of its own: a server brings those of an
//! older one up to date, while older servers go on with what a newer one has made.

use std::time::{Duration, Instant};

use super::PostgresError;
use super::connection::Connection;
use crate::server::run_id;
use crate::storage::SchemaError;
use crate::storage::schema::VERSION;
use crate::storage::versions;

/// Whoever makes the tables holds the advisory lock of this number.
const LOCK: i64 = 0x736c_6170_7072_6f78;
/// How long that may take, the wait for another server included.
const PATIENCE: Duration = Duration::from_secs(300);

/// What surrounds the tables: 1 was without an index of the order of rows, and noted each row that came
/// or went by itself.
const REVISION: i64 = 2;

/// The oldest server that will do, PostgreSQL 13: it has `gen_random_uuid` and `pg_current_xact_id`.
const OLDEST_SERVER: i64 = 130_000;

/// Why a database is not used.
#[derive(Debug)]
pub(super) enum Refusal {
    Failed(PostgresError),
    Schema(SchemaError),
}

impl From<PostgresError> for Refusal {
    fn from(error: PostgresError) -> Self {
        Self::Failed(error)
    }
}

/// What a database says of its tables.
struct Found {
    version: u32,
    revision: i64,
    /// What the servers of the database share.
    identity: String,
}

/// Makes the tables, or what surrounds them as of our revision; the identity that the servers of the
/// database share.
pub(super) fn ensure(connection: &Connection) -> Result<String, Refusal> {
    if let Some(found) = found(connection)?
        && (found.version, found.revision >= REVISION) == (VERSION, true)
    {
        return Ok(found.identity);
    }
    run(
        connection,
        &format!(
            "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock({LOCK})"
        ),
    )?;
    let prepared = make(connection);
    run(
        connection,
        if prepared.is_ok() {
            "COMMIT"
        } else {
            "ROLLBACK"
        },
    )?;
    prepared
}

/// The identity, if the tables are of our version.
pub(super) fn check(connection: &Connection) -> Result<String, Refusal> {
    let found = found(connection)?.ok_or(Refusal::Schema(SchemaError::Empty))?;
    suits(found).map(|found| found.identity)
}

fn suits(found: Found) -> Result<Found, Refusal> {
    match found.version {
        VERSION => Ok(found),
        found if found < VERSION => Err(Refusal::Schema(SchemaError::Older { found })),
        found => Err(Refusal::Schema(SchemaError::Version { found })),
    }
}

/// With the lock held.
fn make(connection: &Connection) -> Result<String, Refusal> {
    // Another server may have been quicker.
    if let Some(found) = found(connection)? {
        return revise(connection, suits(found)?);
    }
    check_server(connection)?;
    run(connection, TABLES)?;
    surround(connection)?;
    let identity = run_id();
    let note = format!(
        "INSERT INTO slapproxy_schema (version, revision, run_id) \
         VALUES ({VERSION}, {REVISION}, '{identity}')"
    );
    run(connection, &note)?;
    log::info!("made the tables of version {VERSION}");
    Ok(identity)
}

/// With the lock held; the tables are of our version.
fn revise(connection: &Connection, found: Found) -> Result<String, Refusal> {
    if found.revision < REVISION {
        surround(connection)?;
        let note = format!(
            "ALTER TABLE slapproxy_schema ADD COLUMN IF NOT EXISTS revision INTEGER; \
             UPDATE slapproxy_schema SET revision = {REVISION}"
        );
        run(connection, &note)?;
        log::info!("brought indexes and triggers to revision {REVISION}");
    }
    Ok(found.identity)
}

/// Makes what surrounds the tables, whichever revision of it is there.
fn surround(connection: &Connection) -> Result<(), PostgresError> {
    run(connection, ORDERS)?;
    run(connection, &versions::postgres())
}

fn check_server(connection: &Connection) -> Result<(), PostgresError> {
    let deadline = Instant::now() + PATIENCE;
    let sql = "SELECT CAST(current_setting('server_version_num') AS BIGINT), \
         current_setting('server_version')";
    let row = connection.wait(deadline, async |client| client.query_one(sql, &[]).await)?;
    let read = || Ok((row.try_get(0)?, row.try_get(1)?));
    let (number, name) = read().map_err(PostgresError::Statement)?;
    suffices(number, name)
}

/// Whether a server of this version has all that is used.
fn suffices(number: i64, name: String) -> Result<(), PostgresError> {
    match number >= OLDEST_SERVER {
        true => Ok(()),
        false => Err(PostgresError::TooOld(name)),
    }
}

/// What is there, if anything is.
fn found(connection: &Connection) -> Result<Option<Found>, PostgresError> {
    let deadline = Instant::now() + PATIENCE;
    // As the catalogue has it now: a session may remember that there is no such table.
    let exists = "SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relkind = 'r' \
         AND relname = 'slapproxy_schema' AND pg_catalog.pg_table_is_visible(oid))";
    let exists = connection.wait(deadline, async |client| client.query_one(exists, &[]).await)?;
    if !exists.try_get(0).map_err(PostgresError::Statement)? {
        return Ok(None);
    }
    // The first revision had no column for it.
    let noted = "SELECT CAST(version AS BIGINT), run_id, \
         coalesce(CAST(to_jsonb(noted) ->> 'revision' AS BIGINT), 1) FROM slapproxy_schema AS noted";
    let noted = connection.wait(deadline, async |client| client.query_opt(noted, &[]).await)?;
    let read = |row: tokio_postgres::Row| {
        let version: i64 = row.try_get(0)?;
        Ok(Found {
            version: u32::try_from(version).unwrap_or(u32::MAX),
            revision: row.try_get(2)?,
            identity: row.try_get(1)?,
        })
    };
    noted
        .map(read)
        .transpose()
        .map_err(PostgresError::Statement)
}

fn run(connection: &Connection, sql: &str) -> Result<(), PostgresError> {
    let deadline = Instant::now() + PATIENCE;
    connection.wait(deadline, async |client| client.batch_execute(sql).await)
}

/// Texts are compared by their bytes, as SQLite does.
const TABLES: &str = r#"
CREATE TABLE slapproxy_schema (
  version INTEGER NOT NULL,
  revision INTEGER,
  run_id TEXT NOT NULL
);
CREATE TABLE config18 (
  name TEXT COLLATE "C" PRIMARY KEY,
  value TEXT COLLATE "C"
);
CREATE TABLE software18 (
  rowid BIGINT GENERATED BY DEFAULT AS IDENTITY,
  url TEXT COLLATE "C",
  computer_reference TEXT COLLATE "C",
  requested_state TEXT COLLATE "C" DEFAULT 'available',
  PRIMARY KEY (url, computer_reference)
);
CREATE TABLE computer18 (
  rowid BIGINT GENERATED BY DEFAULT AS IDENTITY,
  reference TEXT COLLATE "C" PRIMARY KEY,
  address TEXT COLLATE "C",
  netmask TEXT COLLATE "C"
);
CREATE TABLE partition18 (
  rowid BIGINT GENERATED BY DEFAULT AS IDENTITY,
  reference TEXT COLLATE "C",
  computer_reference TEXT COLLATE "C",
  slap_state TEXT COLLATE "C" DEFAULT 'free',
  software_release TEXT COLLATE "C",
  xml TEXT COLLATE "C",
  connection_xml TEXT COLLATE "C",
  slave_instance_list TEXT COLLATE "C",
  software_type TEXT COLLATE "C",
  partition_reference TEXT COLLATE "C",
  requested_by TEXT COLLATE "C" NOT NULL DEFAULT '',
  requester_id TEXT COLLATE "C" NOT NULL DEFAULT '',
  requested_state TEXT COLLATE "C" NOT NULL DEFAULT 'started',
  timestamp DOUBLE PRECISION,
  PRIMARY KEY (reference, computer_reference)
);
CREATE TABLE slave18 (
  rowid BIGINT GENERATED BY DEFAULT AS IDENTITY,
  reference TEXT COLLATE "C",
  computer_reference TEXT COLLATE "C",
  connection_xml TEXT COLLATE "C",
  hosted_by TEXT COLLATE "C",
  requester_id TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE TABLE partition_network18 (
  rowid BIGINT GENERATED BY DEFAULT AS IDENTITY,
  partition_reference TEXT COLLATE "C",
  computer_reference TEXT COLLATE "C",
  reference TEXT COLLATE "C",
  address TEXT COLLATE "C",
  netmask TEXT COLLATE "C"
);
CREATE TABLE forwarded_partition_request18 (
  rowid BIGINT GENERATED BY DEFAULT AS IDENTITY,
  partition_reference TEXT COLLATE "C",
  master_url TEXT COLLATE "C",
  PRIMARY KEY (partition_reference, master_url)
);
CREATE TABLE report18 (
  kind TEXT COLLATE "C" NOT NULL,
  computer_reference TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  message TEXT COLLATE "C" NOT NULL,
  time DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (kind, computer_reference, subject)
);
CREATE TABLE usage18 (
  rowid BIGINT GENERATED BY DEFAULT AS IDENTITY,
  computer_reference TEXT COLLATE "C" NOT NULL,
  time DOUBLE PRECISION NOT NULL,
  journal TEXT COLLATE "C" NOT NULL
);
CREATE TABLE unrequested18 (
  computer_reference TEXT COLLATE "C" NOT NULL,
  reference TEXT COLLATE "C" NOT NULL,
  time DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (computer_reference, reference)
);
CREATE INDEX software_computer18 ON software18 (computer_reference, rowid);
CREATE INDEX partition_instance18 ON partition18 (partition_reference, requested_by);
CREATE INDEX partition_computer18 ON partition18 (computer_reference, slap_state, rowid);
CREATE INDEX partition_root18 ON partition18 (requested_by);
CREATE INDEX network_partition18 ON partition_network18 (computer_reference, partition_reference);
CREATE INDEX slave_computer18 ON slave18 (computer_reference, hosted_by);
CREATE INDEX slave_requester18 ON slave18 (requester_id);
CREATE INDEX slave_reference18 ON slave18 (reference);
CREATE INDEX usage_computer18 ON usage18 (computer_reference, time);
"#;

/// Whoever reads a table a part at a time, in the order in which the rows came, must not pass over all
/// others each time.
const ORDERS: &str = "
CREATE INDEX IF NOT EXISTS software_order18 ON software18 (rowid);
CREATE INDEX IF NOT EXISTS computer_order18 ON computer18 (rowid);
CREATE INDEX IF NOT EXISTS partition_order18 ON partition18 (rowid);
CREATE INDEX IF NOT EXISTS slave_order18 ON slave18 (rowid);
CREATE INDEX IF NOT EXISTS network_order18 ON partition_network18 (rowid);
CREATE INDEX IF NOT EXISTS forwarded_order18 ON forwarded_partition_request18 (rowid);
CREATE INDEX IF NOT EXISTS usage_order18 ON usage18 (rowid);
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_server_is_named() {
        assert!(suffices(130_000, "13.0".to_owned()).is_ok());
        let refused = suffices(120_022, "12.22".to_owned()).unwrap_err();
        assert!(
            refused.to_string().contains("PostgreSQL 12.22"),
            "{refused}"
        );
        assert!(!refused.is_passing());
    }
}
