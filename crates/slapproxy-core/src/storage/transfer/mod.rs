//! Taking a database from one engine to another.
//!
//! All of it is one transaction on either side. The rows keep their order, and before anything
//! counts, each is read back and compared.

mod tables;

use super::engine::{self, Engine, EngineError, Parameter, Row};
use super::{Database, OpenError, SqliteReader, SqliteStorage, StorageError};
#[cfg(feature = "postgresql")]
use super::{PostgresStorage, postgres::Access};
use tables::{Cell, Record, TABLES, Table};

/// Rows that are held in memory at a time.
const CHUNK: u32 = 256;

/// A database was not taken over. The one that was to take it is as before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// One of the two cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The one to write to is not empty.
    #[error("there are rows in {table} of the database to migrate to, which must be empty")]
    NotEmpty {
        /// The first table that has some.
        table: &'static str,
    },
    /// Rows cannot be read.
    #[error("cannot read {table} of the database to migrate {side}")]
    Read {
        /// The table.
        table: &'static str,
        /// `from` or `to`.
        side: &'static str,
        /// Why.
        source: EngineError,
    },
    /// Rows cannot be written.
    #[error("cannot write rows of {table}, from row {row}")]
    Write {
        /// The table.
        table: &'static str,
        /// The first of these rows, from 1.
        row: u64,
        /// Why.
        source: EngineError,
    },
    /// What was written reads differently.
    #[error("row {row} of {table} is not the same in both databases")]
    Differs {
        /// The table.
        table: &'static str,
        /// Which of its rows, from 1.
        row: u64,
    },
    /// A transaction failed.
    #[error("the database failed")]
    Storage(#[from] StorageError),
}

/// How many rows of a table were taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The table.
    pub table: &'static str,
    /// Its rows, each of which was compared.
    pub rows: u64,
}

/// Gives an empty database everything that another one holds.
///
/// # Errors
/// One of the two cannot be opened, read or written, or the second is not empty.
pub fn migrate(from: &Database, to: &Database) -> Result<Vec<Migrated>, MigrateError> {
    match from {
        Database::Sqlite(path) => SqliteReader::open(path)?.with(|source| write_to(to, source)),
        #[cfg(feature = "postgresql")]
        Database::Postgres(settings) => {
            // A standby may lack what was written last, unless the URI says that one will do.
            let storage = PostgresStorage::open_existing((**settings).clone())?;
            storage.at_leisure(Access::Read, |source| write_to(to, source))
        }
    }
}

fn write_to(to: &Database, source: &impl Engine) -> Result<Vec<Migrated>, MigrateError> {
    match to {
        Database::Sqlite(path) => {
            SqliteStorage::open(path, "")?.with_writer(|target| take_over(source, target))
        }
        #[cfg(feature = "postgresql")]
        Database::Postgres(settings) => {
            let storage = PostgresStorage::open((**settings).clone())?;
            storage.at_leisure(Access::Write, |target| take_over(source, target))
        }
    }
}

fn take_over(source: &impl Engine, target: &impl Engine) -> Result<Vec<Migrated>, MigrateError> {
    for table in &TABLES {
        check_empty(target, table)?;
    }
    let mut migrated = Vec::new();
    for table in &TABLES {
        copy(source, target, table)?;
        let rows = compare(source, target, table)?;
        let table = table.name;
        migrated.push(Migrated { table, rows });
    }
    Ok(migrated)
}

fn check_empty(target: &impl Engine, table: &Table) -> Result<(), MigrateError> {
    let first = Reader::new(target, table, "to").chunk(1)?;
    match first.is_empty() {
        true => Ok(()),
        false => Err(MigrateError::NotEmpty { table: table.name }),
    }
}

fn copy(source: &impl Engine, target: &impl Engine, table: &Table) -> Result<(), MigrateError> {
    let mut reader = Reader::new(source, table, "from");
    let mut row = 1;
    loop {
        let records = reader.chunk(CHUNK)?;
        if records.is_empty() {
            return Ok(());
        }
        let parameters: Vec<_> = records.iter().flatten().map(Cell::as_parameter).collect();
        let written = target.execute(&table.insert(records.len()), &parameters);
        row += written.map_err(|source| MigrateError::Write {
            table: table.name,
            row,
            source,
        })?;
    }
}

/// Compares all rows, in their order; how many there are.
fn compare(source: &impl Engine, target: &impl Engine, table: &Table) -> Result<u64, MigrateError> {
    let mut source = Reader::new(source, table, "from");
    let mut target = Reader::new(target, table, "to");
    let mut row = 0;
    loop {
        let (here, there) = (source.chunk(CHUNK)?, target.chunk(CHUNK)?);
        let same = here
            .iter()
            .zip(&there)
            .take_while(|(here, there)| here == there);
        row += u64::try_from(same.count()).unwrap_or(u64::MAX);
        if here != there {
            let (table, row) = (table.name, row + 1);
            return Err(MigrateError::Differs { table, row });
        }
        if here.is_empty() {
            return Ok(row);
        }
    }
}

/// Reads a table in its order, some rows at a time.
struct Reader<'a, E> {
    engine: &'a E,
    table: &'a Table,
    side: &'static str,
    query: String,
    /// What puts the last row that was read in its place.
    last: Vec<Cell>,
}

impl<'a, E: Engine> Reader<'a, E> {
    fn new(engine: &'a E, table: &'a Table, side: &'static str) -> Self {
        Self {
            engine,
            table,
            side,
            query: table.query(),
            last: table.beginning(),
        }
    }

    /// The next rows; none at the end.
    fn chunk(&mut self, rows: u32) -> Result<Vec<Record>, MigrateError> {
        let mut parameters: Vec<_> = self.last.iter().map(Cell::as_parameter).collect();
        parameters.push(Parameter::Integer(rows.into()));
        let (mut records, mut last) = (Vec::new(), None);
        let read = self
            .engine
            .query(&self.query, &parameters, &mut |row: &dyn Row| {
                let (record, place) = self.table.read(row)?;
                records.push(record);
                last = Some(place);
                engine::Result::Ok(())
            });
        read.map_err(|source| MigrateError::Read {
            table: self.table.name,
            side: self.side,
            source,
        })?;
        if let Some(last) = last {
            self.last = last;
        }
        Ok(records)
    }
}
