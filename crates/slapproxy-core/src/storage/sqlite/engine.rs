//! Statements over a connection of SQLite.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use crate::storage::engine::{Engine, EngineError, Parameter, Result, Row};

impl Engine for Connection {
    const UNCLAIMED: &'static str = "";
    const CLAIMED: &'static str = "";

    fn query(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
        read: &mut dyn FnMut(&dyn Row) -> Result<()>,
    ) -> Result<()> {
        let mut statement = self.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(parameters))?;
        while let Some(row) = rows.next()? {
            read(row)?;
        }
        Ok(())
    }

    fn execute(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64> {
        let mut statement = self.prepare_cached(sql)?;
        let written = statement.execute(params_from_iter(parameters))?;
        Ok(u64::try_from(written).unwrap_or(u64::MAX))
    }
}

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => ValueRef::Null,
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Integer(number) => ValueRef::Integer(number),
            Self::Real(number) => ValueRef::Real(number),
        }))
    }
}

impl Row for rusqlite::Row<'_> {
    fn text(&self, column: usize) -> Result<Option<String>> {
        self.get(column).map_err(EngineError::from)
    }

    fn integer(&self, column: usize) -> Result<Option<i64>> {
        self.get(column).map_err(EngineError::from)
    }

    fn real(&self, column: usize) -> Result<Option<f64>> {
        self.get(column).map_err(EngineError::from)
    }
}

/// Runs a statement without parameters, such as one that begins or ends a transaction.
pub(in crate::storage) fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
