//! The tables: the peer's, version 18, and ours beside them.
//!
//! The peer reads the version off the last digits of every table, so ours end in it too, and
//! SQLite's own tables (of AUTOINCREMENT and ANALYZE) must not appear.

use rusqlite::Connection;

use super::backup::BackupError;

/// Version of the tables, part of each name.
pub(super) const VERSION: u32 = 18;
/// The oldest version that was ever released with tables of this kind (slapos.core 0.27).
const OLDEST: u32 = 7;

/// The database cannot be used by this version.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// It cannot be read or written.
    #[error("the tables cannot be made")]
    Sqlite(#[from] rusqlite::Error),
    /// A version wrote it that is newer than this one, or older than all that can be migrated.
    #[error(
        "its tables are of version {found}, this slapproxy knows versions {OLDEST} to {VERSION}"
    )]
    Version {
        /// The version found.
        found: u32,
    },
    /// It has no tables, and none may be made.
    #[error("it holds nothing yet")]
    Empty,
    /// Its server must migrate it first.
    #[error("its tables are of version {found}: the next start of slapproxy migrates them")]
    Older {
        /// The version found.
        found: u32,
    },
    /// Nobody can tell which of them hold what is true.
    #[error(
        "it has tables of versions {older} and {newer}: an older slapproxy wrote to it, or its \
         migration was interrupted; restore one of the backups beside it, or remove the tables \
         of one version"
    )]
    Mixed {
        /// The lowest version found.
        older: u32,
        /// The highest version found.
        newer: u32,
    },
    /// Its tables are of no version.
    #[error("{0} is no table of a slapproxy")]
    ForeignTable(String),
    /// Nothing is migrated without a backup.
    #[error("it must be migrated from version {version}, and cannot be backed up")]
    Backup {
        /// The version found.
        version: u32,
        /// Why.
        source: BackupError,
    },
}

/// Makes the tables of our version that are missing.
pub(super) fn create(connection: &Connection, computer_id: &str) -> rusqlite::Result<()> {
    // The default of the peer's tables; a text literal doubles its quotes.
    let default = computer_id.replace('\'', "''");
    connection.execute_batch(&TABLES.replace("{computer}", &default))
}

/// The version of the tables; `None` where there are none yet.
pub(super) fn version(connection: &Connection) -> Result<Option<u32>, SchemaError> {
    let mut versions = Vec::new();
    for name in tables(connection)? {
        let digits = name.trim_start_matches(|character: char| !character.is_ascii_digit());
        let version = digits.parse::<u32>();
        versions.push(version.map_err(|_| SchemaError::ForeignTable(name))?);
    }
    match (versions.iter().min(), versions.iter().max()) {
        (Some(&older), Some(&newer)) if older != newer => Err(SchemaError::Mixed { older, newer }),
        (Some(&found), _) if !(OLDEST..=VERSION).contains(&found) => {
            Err(SchemaError::Version { found })
        }
        (found, _) => Ok(found.copied()),
    }
}

/// The names of all tables.
pub(super) fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
    let mut statement = connection.prepare(sql)?;
    let names = statement.query_map([], |row| row.get(0))?;
    names.collect()
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
CREATE TABLE IF NOT EXISTS unrequested18 (
  computer_reference TEXT NOT NULL,
  reference TEXT NOT NULL,
  time REAL NOT NULL,
  PRIMARY KEY (computer_reference, reference)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS computer_version18 (
  computer_reference TEXT NOT NULL PRIMARY KEY,
  version INTEGER NOT NULL,
  stamp INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS computer_version_order18 ON computer_version18 (version);
CREATE INDEX IF NOT EXISTS partition_instance18 ON partition18 (partition_reference, requested_by);
CREATE INDEX IF NOT EXISTS partition_order18 ON partition18 (computer_reference);
CREATE INDEX IF NOT EXISTS partition_computer18 ON partition18 (computer_reference, slap_state);
CREATE INDEX IF NOT EXISTS partition_root18 ON partition18 (requested_by);
CREATE INDEX IF NOT EXISTS network_partition18 ON partition_network18 (computer_reference, partition_reference);
CREATE INDEX IF NOT EXISTS slave_requester18 ON slave18 (requester_id);
CREATE INDEX IF NOT EXISTS usage_computer18 ON usage18 (computer_reference, time);
CREATE INDEX IF NOT EXISTS slave_reference18 ON slave18 (reference);
";

#[cfg(test)]
mod tests {
    use super::*;

    fn database(sql: &str) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(sql).unwrap();
        connection
    }

    #[test]
    fn every_table_tells_the_version_and_making_them_twice_is_fine() {
        let connection = database("");
        assert_eq!(version(&connection).unwrap(), None);
        create(&connection, "it's").unwrap();
        create(&connection, "it's").unwrap();
        assert_eq!(version(&connection).unwrap(), Some(VERSION));
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
    fn what_no_slapproxy_or_another_one_wrote_is_refused() {
        let table = [
            ("CREATE TABLE software19 (a)", "version 19"),
            ("CREATE TABLE software6 (a)", "version 6"),
            ("CREATE TABLE photos (a)", "photos"),
            ("CREATE TABLE photos17b (a)", "photos17b"),
            (
                "CREATE TABLE software7 (a); CREATE TABLE software18 (a)",
                "versions 7 and 18",
            ),
        ];
        for (sql, message) in table {
            let error = version(&database(sql)).unwrap_err().to_string();
            assert!(error.contains(message), "{sql}: {error}");
        }
    }
}
