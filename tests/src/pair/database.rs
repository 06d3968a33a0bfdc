//! What a master's database holds, as one value.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::Value as Cell;
use rusqlite::{Connection, OpenFlags};
use slap_proto::instance_xml;
use slap_proto::marshal::{Dict, Value, decode};

use super::clock::Clock;

/// How long to wait for the master to end a write.
const PATIENCE: Duration = Duration::from_secs(10);

/// The tables that both masters have, and the columns that name a row of each.
const TABLES: &[(&str, &[&str])] = &[
    ("software", &["computer_reference", "url"]),
    ("computer", &["reference"]),
    ("partition", &["computer_reference", "reference"]),
    ("slave", &["reference"]),
    (
        "partition_network",
        &[
            "computer_reference",
            "partition_reference",
            "reference",
            "address",
        ],
    ),
    (
        "forwarded_partition_request",
        &["partition_reference", "master_url"],
    ),
];

/// Opens the database of a running master for reading.
pub fn open(path: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).expect("the database opens");
    connection
        .busy_timeout(PATIENCE)
        .expect("a timeout can be set");
    connection
}

/// Every row of the tables that both masters have: documents as what they stand for, timestamps
/// as whether they moved.
pub(super) fn contents(path: &Path, clock: &mut Clock) -> Value {
    let connection = open(path);
    let tables = TABLES.iter().map(|(table, key)| {
        let rows = rows(&connection, &format!("{table}18"));
        let named = rows.into_iter().map(|row| {
            let name = name(&row, key);
            let cells = row.into_iter().map(|(column, cell)| {
                let value = match column.as_str() {
                    "timestamp" => clock.look(&name, &text(&cell)).into(),
                    "xml" | "connection_xml" => instance(&cell),
                    "slave_instance_list" => list(&cell),
                    _ => plain(&cell),
                };
                (column, value)
            });
            (name.clone(), Value::dict(cells.collect::<Vec<_>>()))
        });
        (*table, Value::dict(named.collect::<Vec<_>>()))
    });
    Value::dict(tables.collect::<Vec<_>>())
}

/// Gives a database the rows of another one's, in all tables that both masters have.
pub(super) fn copy(from: &Path, to: &Path) {
    let mut connection = Connection::open(to).expect("the database opens");
    connection
        .busy_timeout(PATIENCE)
        .expect("a timeout can be set");
    let from = from.to_str().expect("the path of a test is text");
    connection
        .execute("ATTACH ? AS other", [from])
        .expect("the other database opens");
    let transaction = connection.transaction().expect("the database is ours");
    for (table, _) in TABLES {
        let sql = format!("SELECT * FROM main.{table}18");
        let statement = transaction.prepare(&sql).expect("the table is there");
        let columns: Vec<_> = statement.column_names().collect();
        let columns = columns.join(", ");
        let sql = format!(
            "DELETE FROM main.{table}18; INSERT INTO main.{table}18 ({columns}) \
             SELECT {columns} FROM other.{table}18"
        );
        transaction
            .execute_batch(&sql)
            .unwrap_or_else(|error| panic!("{table}: {error}"));
    }
    transaction.commit().expect("the database is ours");
}

/// Every row of every table, as it is stored, but for the versions of documents: each database
/// draws its own.
pub fn dump(path: &Path) -> Vec<String> {
    let connection = open(path);
    let sql = "SELECT name FROM sqlite_master \
        WHERE type = 'table' AND name <> 'computer_version18' ORDER BY name";
    let mut statement = connection.prepare(sql).expect("the schema is readable");
    let names = statement.query_map([], |row| row.get::<_, String>(0));
    let names: Vec<_> = names
        .and_then(Iterator::collect)
        .expect("the schema is readable");
    let tables = names.iter().flat_map(|table| {
        let rows = rows(&connection, table).into_iter();
        rows.map(move |row| format!("{table} {row:?}"))
    });
    tables.collect()
}

fn rows(connection: &Connection, table: &str) -> Vec<Vec<(String, Cell)>> {
    let mut statement = connection
        .prepare(&format!("SELECT * FROM {table}"))
        .unwrap_or_else(|error| panic!("{table}: {error}"));
    let columns: Vec<_> = statement.column_names().map(str::to_owned).collect();
    let rows = statement.query_map([], |row| {
        let cells = columns.iter().enumerate();
        cells
            .map(|(index, column)| Ok((column.clone(), row.get(index)?)))
            .collect()
    });
    rows.and_then(Iterator::collect)
        .unwrap_or_else(|error| panic!("{table}: {error}"))
}

/// The row's key as one text.
fn name(row: &[(String, Cell)], key: &[&str]) -> String {
    let part = |column: &&str| {
        let cell = row.iter().find(|(name, _)| name == column);
        cell.map(|(_, cell)| text(cell)).unwrap_or_default()
    };
    key.iter().map(part).collect::<Vec<_>>().join("/")
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Integer(number) => number.to_string(),
        Cell::Real(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn plain(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::None,
        _ => text(cell).into(),
    }
}

fn instance(cell: &Cell) -> Value {
    let Cell::Text(xml) = cell else {
        return plain(cell);
    };
    let parameters = instance_xml::from_xml(xml).expect("an instance document is stored");
    let entries = parameters.into_iter().map(|(id, value)| (id, value.into()));
    Value::Dict(entries.collect::<Dict>().into())
}

fn list(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::None,
        _ => decode(text(cell).as_bytes()).expect("a marshal document is stored"),
    }
}
