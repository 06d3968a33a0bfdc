//! A database as SQL text, from which `sqlite3` makes it again.

use std::fmt::Write;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

/// All tables with their rows, then the indexes, triggers and views.
pub(super) fn dump(connection: &Connection) -> rusqlite::Result<String> {
    let mut text = "BEGIN TRANSACTION;\n".to_owned();
    let tables = "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name";
    for (name, definition) in definitions(connection, tables)? {
        text = text + &definition + ";\n";
        append_rows(connection, &name, &mut text)?;
    }
    let others = "SELECT name, sql FROM sqlite_master WHERE type <> 'table' AND sql IS NOT NULL";
    for (_, definition) in definitions(connection, others)? {
        text = text + &definition + ";\n";
    }
    Ok(text + "COMMIT;\n")
}

fn definitions(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let mut statement = connection.prepare(sql)?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    found.collect()
}

fn append_rows(connection: &Connection, table: &str, text: &mut String) -> rusqlite::Result<()> {
    let table = table.replace('"', "\"\"");
    let mut statement = connection.prepare(&format!("SELECT * FROM \"{table}\""))?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let values: rusqlite::Result<Vec<_>> = (0..columns)
            .map(|column| row.get_ref(column).map(literal))
            .collect();
        *text += &format!("INSERT INTO \"{table}\" VALUES({});\n", values?.join(","));
    }
    Ok(())
}

/// A value as SQL writes it.
fn literal(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        // SQL has no word for infinity; a number too large for a double is one.
        ValueRef::Real(number) if number.is_infinite() => {
            if number > 0.0 { "9e999" } else { "-9e999" }.to_owned()
        }
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            // A text literal would end at a NUL.
            Ok(text) if !text.contains('\0') => format!("'{}'", text.replace('\'', "''")),
            _ => format!("CAST({} AS TEXT)", hexadecimal(bytes)),
        },
        ValueRef::Blob(bytes) => hexadecimal(bytes),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = "X'".to_owned();
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02X}");
    }
    text + "'"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_makes_the_same_database_again() {
        let first = Connection::open_in_memory().unwrap();
        first
            .execute_batch(
                "CREATE TABLE \"odd \"\"name\" (a TEXT DEFAULT 'x''y', b REAL, -- a remark\n c);
                 CREATE TABLE keyed (k TEXT PRIMARY KEY, v) WITHOUT ROWID;
                 CREATE INDEX by_a ON \"odd \"\"name\" (a);
                 INSERT INTO \"odd \"\"name\" VALUES
                   ('it''s\n\"é\"', 1795531810.2162418, NULL), ('', -0.1, X'00FF'), (NULL, 9e999, 5),
                   (CAST(X'610062' AS TEXT), -9e999, CAST(X'FF' AS TEXT)), ('1', 1e300, '1');
                 INSERT INTO keyed VALUES ('b', 1), ('a', -9223372036854775808);",
            )
            .unwrap();
        let text = dump(&first).unwrap();
        let second = Connection::open_in_memory().unwrap();
        second.execute_batch(&text).unwrap();
        assert_eq!(dump(&second).unwrap(), text);
        let odd: (i64, i64) = second
            .query_row(
                "SELECT count(*), max(length(CAST(a AS BLOB))) FROM \"odd \"\"name\"",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        assert_eq!(odd, (5, 9));
        let types: String = second
            .query_row(
                "SELECT group_concat(typeof(a) || typeof(b) || typeof(c)) FROM \"odd \"\"name\"",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(
            types,
            "textrealnull,textrealblob,nullrealinteger,textrealtext,textrealtext"
        );
    }
}
