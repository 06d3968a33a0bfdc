//! What statements need of an engine: to be run with parameters, and rows to be read.
//!
//! All statements are written once, for every engine: in SQL that each understands, with parameters
//! `$1`, `$2`, … whose first mentions are in this order, and rows that `rowid` puts in the order in
//! which they came.

use super::StorageError;

/// A statement failed, or a row is not what it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// SQLite failed.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL failed.
    #[cfg(feature = "postgresql")]
    #[error(transparent)]
    Postgres(#[from] super::postgres::PostgresError),
    /// There is nothing where something must be.
    #[error("column {0} holds nothing")]
    Null(usize),
}

pub(super) type Result<T> = std::result::Result<T, EngineError>;

/// Runs statements, each prepared once, within one transaction.
pub(super) trait Engine {
    /// What is added to a query for a row that nobody else is about to write; the engine passes
    /// over those that somebody is. Empty where there is one writer.
    const UNCLAIMED: &'static str;
    /// What is added to a query for a row that the transaction is about to write; the engine waits
    /// for whoever else is. Empty where there is one writer.
    const CLAIMED: &'static str;

    /// Calls `read` with every row.
    fn query(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
        read: &mut dyn FnMut(&dyn Row) -> Result<()>,
    ) -> Result<()>;

    /// Tells how many rows were written.
    fn execute(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64>;
}

/// A value of a statement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Parameter<'a> {
    Null,
    Text(&'a str),
    Integer(i64),
    Real(f64),
}

/// A row that was found.
pub(super) trait Row {
    fn text(&self, column: usize) -> Result<Option<String>>;
    fn integer(&self, column: usize) -> Result<Option<i64>>;
    fn real(&self, column: usize) -> Result<Option<f64>>;
}

impl dyn Row + '_ {
    /// The value of a column, the first of which is 0.
    pub(super) fn get<T: Column>(&self, column: usize) -> Result<T> {
        T::of(self, column)
    }
}

/// What a column can be read as.
pub(super) trait Column: Sized {
    fn of(row: &dyn Row, column: usize) -> Result<Self>;
}

macro_rules! columns {
    ($($type:ty, $read:ident;)*) => {$(
        impl Column for Option<$type> {
            fn of(row: &dyn Row, column: usize) -> Result<Self> {
                row.$read(column)
            }
        }

        impl Column for $type {
            fn of(row: &dyn Row, column: usize) -> Result<Self> {
                row.$read(column)?.ok_or(EngineError::Null(column))
            }
        }
    )*};
}

columns! {
    String, text;
    i64, integer;
    f64, real;
}

/// What a parameter can be made of.
pub(super) trait AsParameter {
    fn as_parameter(&self) -> Parameter<'_>;
}

impl AsParameter for str {
    fn as_parameter(&self) -> Parameter<'_> {
        Parameter::Text(self)
    }
}

impl AsParameter for String {
    fn as_parameter(&self) -> Parameter<'_> {
        Parameter::Text(self)
    }
}

impl AsParameter for f64 {
    fn as_parameter(&self) -> Parameter<'_> {
        Parameter::Real(*self)
    }
}

impl AsParameter for u32 {
    fn as_parameter(&self) -> Parameter<'_> {
        Parameter::Integer((*self).into())
    }
}

impl<T: AsParameter + ?Sized> AsParameter for &T {
    fn as_parameter(&self) -> Parameter<'_> {
        (**self).as_parameter()
    }
}

impl<T: AsParameter> AsParameter for Option<T> {
    fn as_parameter(&self) -> Parameter<'_> {
        let value = self.as_ref();
        value.map_or(Parameter::Null, AsParameter::as_parameter)
    }
}

/// The parameters of a statement.
macro_rules! parameters {
    ($($value:expr),* $(,)?) => {
        &[$($crate::storage::engine::AsParameter::as_parameter(&$value)),*]
    };
}
pub(super) use parameters;

impl EngineError {
    /// As an error of what was tried.
    pub(super) fn at(self, action: &'static str) -> StorageError {
        StorageError {
            action,
            source: self,
        }
    }
}
