//! The tables: the peer's, version 18, and ours beside them.
//!
//! The peer reads the version off the last digits of every table, so ours end in it too, and
//! SQLite's own tables (of AUTOINCREMENT and ANALYZE) must not appear.

use rusqlite::Connection;

/// Version of the tables, part of each name.
const VERSION: u32 = 18;

/// The database cannot be used by this version.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// It cannot be read or written.
    #[error("the tables cannot be made")]
    Sqlite(#[from] rusqlite::Error),
    /// Another version wrote it.
    #[error("its tables are of version {found}, this slapproxy knows only {VERSION}")]
    Version {
        /// The version found.
        found: u32,
    },
    /// It has no tables, and none may be made.
    #[error("it holds nothing yet")]
    Empty,
    /// Its tables are of no version, or of several.
    #[error("{0} is no table of a slapproxy")]
    ForeignTable(String),
}

/// Makes the tables that are missing.
pub(super) fn ensure(connection: &Connection, computer_id: &str) -> Result<(), SchemaError> {
    check_version(connection)?;
    // The default of the peer's tables; a text literal doubles its quotes.
    let default = computer_id.replace('\'', "''");
    connection.execute_batch(&TABLES.replace("{computer}", &default))?;
    Ok(())
}

pub(super) fn check_version(connection: &Connection) -> Result<(), SchemaError> {
    let mut statement =
        connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
    for name in statement.query_map([], |row| row.get::<_, String>(0))? {
        let name = name?;
        let digits = name.trim_start_matches(|character: char| !character.is_ascii_digit());
        match digits.parse() {
            Ok(VERSION) => {}
            Ok(found) => return Err(SchemaError::Version { found }),
            Err(_) => return Err(SchemaError::ForeignTable(name)),
        }
    }
    Ok(())
}

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS config18 (
  name TEXT PRIMARY KEY,
  value TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS software18 (
  url VARCHAR(255),
  computer_reference VARCHAR(255) DEFAULT '{computer}',
  requested_state VARCHAR(255) DEFAULT 'available',
  PRIMARY KEY (url, computer_reference)
);
CREATE TABLE IF NOT EXISTS computer18 (
  reference VARCHAR(255) DEFAULT '{computer}',
  address VARCHAR(255),
  netmask VARCHAR(255),
  PRIMARY KEY (reference)
);
CREATE TABLE IF NOT EXISTS partition18 (
  reference VARCHAR(255),
  computer_reference VARCHAR(255) DEFAULT '{computer}',
  slap_state VARCHAR(255) DEFAULT 'free',
  software_release VARCHAR(255),
  xml TEXT,
  connection_xml TEXT,
  slave_instance_list TEXT,
  software_type VARCHAR(255),
  partition_reference VARCHAR(255),
  requested_by VARCHAR(255) NOT NULL DEFAULT '',
  requester_id VARCHAR(255) NOT NULL DEFAULT '',
  requested_state VARCHAR(255) NOT NULL DEFAULT 'started',
  timestamp REAL,
  PRIMARY KEY (reference, computer_reference)
);
CREATE TABLE IF NOT EXISTS slave18 (
  reference VARCHAR(255),
  computer_reference VARCHAR(255) DEFAULT '{computer}',
  connection_xml TEXT,
  hosted_by VARCHAR(255),
  requester_id VARCHAR(255) NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS partition_network18 (
  partition_reference VARCHAR(255),
  computer_reference VARCHAR(255) DEFAULT '{computer}',
  reference VARCHAR(255),
  address VARCHAR(255),
  netmask VARCHAR(255)
);
CREATE TABLE IF NOT EXISTS forwarded_partition_request18 (
  partition_reference VARCHAR(255),
  master_url VARCHAR(255),
  PRIMARY KEY (partition_reference, master_url)
);
CREATE TABLE IF NOT EXISTS report18 (
  kind TEXT NOT NULL,
  computer_reference TEXT NOT NULL,
  subject TEXT NOT NULL,
  state TEXT NOT NULL,
  message TEXT NOT NULL,
  time REAL NOT NULL,
  PRIMARY KEY (kind, computer_reference, subject)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS usage18 (
  computer_reference TEXT NOT NULL,
  time REAL NOT NULL,
  journal TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS partition_instance18 ON partition18 (partition_reference, requested_by);
CREATE INDEX IF NOT EXISTS partition_computer18 ON partition18 (computer_reference, slap_state);
CREATE INDEX IF NOT EXISTS partition_root18 ON partition18 (requested_by);
CREATE INDEX IF NOT EXISTS network_partition18 ON partition_network18 (computer_reference, partition_reference);
CREATE INDEX IF NOT EXISTS slave_reference18 ON slave18 (reference);
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_tells_the_version_and_making_them_twice_is_fine() {
        let connection = Connection::open_in_memory().unwrap();
        ensure(&connection, "it's").unwrap();
        ensure(&connection, "it's").unwrap();
        connection
            .execute("INSERT INTO software18 (url) VALUES ('u')", [])
            .unwrap();
        let computer: String = connection
            .query_row("SELECT computer_reference FROM software18", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(computer, "it's");
    }

    #[test]
    fn other_versions_and_other_databases_are_refused() {
        for (table, message) in [
            ("software17", "version 17"),
            ("software19", "version 19"),
            ("photos", "photos"),
        ] {
            let connection = Connection::open_in_memory().unwrap();
            connection
                .execute(&format!("CREATE TABLE {table} (a)"), [])
                .unwrap();
            let error = ensure(&connection, "C").unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}
