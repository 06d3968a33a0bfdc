//! Bringing the tables of an older slapproxy to our version.
//!
//! All of it is one transaction: killed at any moment, the file has the old tables or the new ones.
//! Before anything changes, the old ones are written down as SQL text beside the file.

mod lineage;

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::backup::back_up;
use super::schema::{self, SchemaError, VERSION};
use super::versions;
use lineage::{Instance, lineages};

/// The last version in which `requested_by` is the requester itself, not the root of its tree.
const LAST_OF_REQUESTERS: u32 = 16;
/// The table of the one setting that was kept before there was a table `config`.
const ROOT_TABLE: &str = "local_software_release_root";
/// Every table of every version, without the version.
const TABLES: [&str; 8] = [
    "software",
    "computer",
    "partition",
    "slave",
    "partition_network",
    "forwarded_partition_request",
    "config",
    ROOT_TABLE,
];

/// A table of an older version.
struct OldTable {
    /// Its name without the version.
    kind: &'static str,
    /// Its name.
    name: String,
}

/// Makes the tables of our version, and moves into them what those of an older one hold.
///
/// # Errors
/// The tables are of a version that cannot be migrated, or the file cannot be written. Nothing is
/// changed then.
pub(super) fn ensure_tables(
    connection: &mut Connection,
    path: &Path,
    computer_id: &str,
) -> Result<(), SchemaError> {
    if schema::version(connection)? == Some(VERSION) {
        // Writes nothing where nothing is missing, so that a file which cannot be written is read.
        schema::create(connection, computer_id)?;
        return Ok(versions::ensure(connection)?);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another slapproxy may have been quicker.
    let old = schema::version(&transaction)?.filter(|version| *version < VERSION);
    match old {
        Some(version) => migrate(&transaction, path, computer_id, version)?,
        None => schema::create(&transaction, computer_id)?,
    }
    versions::keep(&transaction)?;
    Ok(transaction.commit()?)
}

fn migrate(
    transaction: &Transaction<'_>,
    path: &Path,
    computer_id: &str,
    version: u32,
) -> Result<(), SchemaError> {
    let old = old_tables(transaction, version)?;
    let backup = back_up(transaction, path, &format!("{version}to{VERSION}-"))
        .map_err(|source| SchemaError::Backup { version, source })?;
    let (database, backup) = (path.display(), backup.display());
    log::info!("{database}: migrating from version {version} to {VERSION}, backed up to {backup}");
    schema::create(transaction, computer_id)?;
    for table in &old {
        copy(transaction, table)?;
    }
    if version <= LAST_OF_REQUESTERS {
        set_lineages(transaction)?;
        set_requesters_of_slaves(transaction, &old)?;
    }
    for OldTable { name, .. } in old {
        transaction.execute(&format!("DROP TABLE {name}"), [])?;
    }
    Ok(())
}

fn old_tables(connection: &Connection, version: u32) -> Result<Vec<OldTable>, SchemaError> {
    let suffix = version.to_string();
    let table = |name: String| {
        let stem = name.strip_suffix(&suffix);
        let kind = TABLES.into_iter().find(|kind| stem == Some(*kind));
        match kind {
            Some(kind) => Ok(OldTable { kind, name }),
            None => Err(SchemaError::ForeignTable(name)),
        }
    };
    schema::tables(connection)?.into_iter().map(table).collect()
}

/// Copies the columns that both versions have; the others get their defaults.
fn copy(connection: &Connection, old: &OldTable) -> rusqlite::Result<()> {
    let OldTable { kind, name } = old;
    if *kind == ROOT_TABLE {
        let sql = format!(
            "INSERT OR REPLACE INTO config{VERSION} (name, value) \
             SELECT '{ROOT_TABLE}', path FROM {name} WHERE path IS NOT NULL"
        );
        return connection.execute(&sql, []).map(drop);
    }
    let new = format!("{kind}{VERSION}");
    let kept = columns(connection, &new)?;
    let mut columns = columns(connection, name)?;
    columns.retain(|column| kept.contains(column));
    let columns = columns.join(", ");
    // OR REPLACE: NULL becomes the default where NULL is not allowed, and of rows that older
    // versions allowed to be there twice the last one stays.
    let sql = format!("INSERT OR REPLACE INTO {new} ({columns}) SELECT {columns} FROM {name}");
    connection.execute(&sql, []).map(drop)
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?)")?;
    let names = statement.query_map([table], |row| row.get(0))?;
    names.collect()
}

/// Puts the root's title where the copied rows have their requester, and notes that one, too.
fn set_lineages(connection: &Connection) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT computer_reference, reference, \
         iif(slap_state = 'busy', coalesce(partition_reference, ''), ''), requested_by \
         FROM partition{VERSION}"
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| {
        Ok(Instance {
            computer: row.get(0)?,
            partition: row.get(1)?,
            title: row.get(2)?,
            requested_by: row.get(3)?,
        })
    })?;
    let instances = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let sql = format!(
        "UPDATE partition{VERSION} SET requested_by = ?, requester_id = ? \
         WHERE computer_reference = ? AND reference = ?"
    );
    let mut update = connection.prepare(&sql)?;
    for (instance, lineage) in instances.iter().zip(lineages(&instances)) {
        let names = [&lineage.root, &lineage.requester];
        update.execute([names[0], names[1], &instance.computer, &instance.partition])?;
    }
    Ok(())
}

/// Notes who asked for each slave.
fn set_requesters_of_slaves(connection: &Connection, old: &[OldTable]) -> rusqlite::Result<()> {
    let Some(OldTable { name, .. }) = old.iter().find(|table| table.kind == "slave") else {
        return Ok(());
    };
    let sql = format!(
        "UPDATE slave{VERSION} SET requester_id = coalesce(\
         (SELECT asked_by FROM {name} AS old WHERE old.reference = slave{VERSION}.reference), '')"
    );
    connection.execute(&sql, []).map(drop)
}
