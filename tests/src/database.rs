//! The databases of masters of ours: files, or those of PostgreSQL.
//!
//! `SLAPOS_TEST_DATABASE=postgresql` has the same tests run on PostgreSQL.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;

use crate::postgres::Postgres;
use crate::{Outcome, places};

/// The file that a database is, or is shown as.
const FILE: &str = "proxy.db";
/// The file that tells the URI of a database of PostgreSQL.
const NOTE: &str = "database_uri";

/// What `database_uri` of the master of a directory is; the same each time.
pub fn uri(directory: &Path) -> String {
    match std::env::var("SLAPOS_TEST_DATABASE").as_deref() {
        Err(_) | Ok("sqlite") => directory.join(FILE).display().to_string(),
        Ok("postgresql") => postgres_uri(directory),
        Ok(other) => panic!("SLAPOS_TEST_DATABASE is neither sqlite nor postgresql: {other}"),
    }
}

/// Whether it is one of PostgreSQL.
pub fn is_postgres(uri: &str) -> bool {
    uri.starts_with("postgresql:")
}

/// A database made when it is asked for first; a note in the directory tells which.
fn postgres_uri(directory: &Path) -> String {
    let note = directory.join(NOTE);
    fs::read_to_string(&note).unwrap_or_else(|_| {
        let uri = Postgres::shared().database();
        fs::write(&note, &uri).expect("the directory is ours");
        uri
    })
}

/// What the database of a directory holds now, as a file: the database itself if it is one.
pub fn file(directory: &Path) -> PathBuf {
    let file = directory.join(FILE);
    if let Ok(uri) = fs::read_to_string(directory.join(NOTE)) {
        // It may be there from before.
        let _ = fs::remove_file(&file);
        migrate(&uri, &file.display().to_string());
    }
    file
}

/// Runs a statement over the database of a directory.
pub fn execute(directory: &Path, sql: &str) {
    match fs::read_to_string(directory.join(NOTE)) {
        Ok(uri) => drop(Postgres::shared().sql(Postgres::name(&uri), sql)),
        Err(_) => {
            let database = Connection::open(directory.join(FILE)).expect("it is a database");
            database.execute_batch(sql).expect("the statement is right");
        }
    }
}

/// Gives an empty database everything that another one holds.
pub fn migrate(from: &str, to: &str) {
    let mut command = Command::new(places::tool("slapproxy"));
    command.args(["migrate", "--from", from, "--to", to]);
    Outcome::of(&mut command).expect(0);
}
