//! The engine that the configuration names.

use std::path::{Path, PathBuf};

use super::{Listener, OpenError, RebaseError, Records, SqliteReader, SqliteStorage, Storage};
#[cfg(feature = "postgresql")]
use super::{PostgresSettings, PostgresStorage, UriError};
use crate::MasterError;

/// Where a master keeps what it knows.
#[derive(Debug, Clone)]
pub enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A database that other servers may use, too.
    #[cfg(feature = "postgresql")]
    Postgres(Box<PostgresSettings>),
}

/// `database_uri` names no database that this slapproxy can use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// It names a database of PostgreSQL, wrongly.
    #[cfg(feature = "postgresql")]
    #[error(transparent)]
    Uri(#[from] UriError),
    /// It names a database of PostgreSQL.
    #[cfg(not(feature = "postgresql"))]
    #[error("this slapproxy was built without PostgreSQL")]
    NoPostgres,
}

impl Database {
    /// Reads a value of `database_uri`: a URI `postgresql://…`, else the path of a file.
    ///
    /// # Errors
    /// The URI is malformed.
    pub fn parse(path: &Path) -> Result<Self, DatabaseError> {
        let text = path.to_str().unwrap_or_default();
        let schemes = ["postgresql://", "postgres://"];
        if schemes.iter().any(|scheme| text.starts_with(scheme)) {
            #[cfg(feature = "postgresql")]
            return Ok(Self::Postgres(PostgresSettings::parse(text)?.into()));
            #[cfg(not(feature = "postgresql"))]
            return Err(DatabaseError::NoPostgres);
        }
        Ok(Self::Sqlite(path.to_owned()))
    }
}

impl Database {
    /// Sets how many connections a server has at most; a file needs no limit.
    #[cfg_attr(
        not(feature = "postgresql"),
        expect(unused_variables, reason = "there are files only")
    )]
    pub(crate) fn limit(&mut self, connections: usize) {
        match self {
            Self::Sqlite(_) => {}
            #[cfg(feature = "postgresql")]
            Self::Postgres(settings) => settings.connections = connections,
        }
    }
}

impl<P: AsRef<Path> + ?Sized> From<&P> for Database {
    fn from(path: &P) -> Self {
        Self::Sqlite(path.as_ref().to_owned())
    }
}

/// A database of any kind.
#[derive(Debug)]
pub enum AnyStorage {
    /// A file.
    Sqlite(SqliteStorage),
    /// A database that other servers may use, too.
    #[cfg(feature = "postgresql")]
    Postgres(Box<PostgresStorage>),
}

impl AnyStorage {
    /// Opens a database, and makes its tables where they are missing. Not within a task.
    ///
    /// # Errors
    /// It cannot be reached, or a newer version or another program wrote it.
    pub fn open(database: &Database, computer_id: &str) -> Result<Self, OpenError> {
        match database {
            Database::Sqlite(path) => SqliteStorage::open(path, computer_id).map(Self::Sqlite),
            #[cfg(feature = "postgresql")]
            Database::Postgres(settings) => {
                let opened = PostgresStorage::open((**settings).clone());
                opened.map(|storage| Self::Postgres(storage.into()))
            }
        }
    }

    /// By which the servers of one database recognise that they are one master; none of a file,
    /// which has one server.
    pub fn run_id(&self) -> Option<&str> {
        match self {
            Self::Sqlite(_) => None,
            #[cfg(feature = "postgresql")]
            Self::Postgres(storage) => Some(storage.run_id()),
        }
    }

    /// Tells local releases below this root, if they were below another one before. Nothing moves
    /// when one root is below the other: then no path is wrong. A file is backed up before.
    ///
    /// # Errors
    /// The database cannot be backed up or written.
    pub fn rebase_local_releases(&self, root: Option<&str>) -> Result<(), RebaseError> {
        match self {
            Self::Sqlite(storage) => storage.rebase_local_releases(root),
            #[cfg(feature = "postgresql")]
            Self::Postgres(storage) => storage.rebase_local_releases(root),
        }
    }
}

/// Calls the storage that it is.
macro_rules! delegate {
    ($self:ident, $storage:ident => $call:expr) => {
        match $self {
            AnyStorage::Sqlite($storage) => $call,
            #[cfg(feature = "postgresql")]
            AnyStorage::Postgres($storage) => $call,
        }
    };
}

impl Storage for AnyStorage {
    fn read<T>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        delegate!(self, storage => storage.read(function))
    }

    fn write<T>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError>,
    ) -> Result<T, MasterError> {
        delegate!(self, storage => storage.write(function))
    }

    async fn read_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError> + Send,
    ) -> Result<T, MasterError> {
        delegate!(self, storage => storage.read_async(function).await)
    }

    async fn glance_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError> + Send,
    ) -> Result<T, MasterError> {
        delegate!(self, storage => storage.glance_async(function).await)
    }

    async fn write_async<T: Send>(
        &self,
        function: impl Fn(&dyn Records) -> Result<T, MasterError> + Send,
    ) -> Result<T, MasterError> {
        delegate!(self, storage => storage.write_async(function).await)
    }

    fn tell_changes(&self, listener: Listener) {
        delegate!(self, storage => storage.tell_changes(listener));
    }
}

/// Reads a database as of one moment; nothing of it is changed, and its servers may run. Not within
/// a task.
///
/// # Errors
/// It does not exist or cannot be reached, another version or program wrote it; those of the
/// function.
pub(crate) fn look_at<T, E: From<OpenError> + From<MasterError>>(
    database: &Database,
    function: impl Fn(&dyn Records) -> Result<T, MasterError>,
) -> Result<T, E> {
    Ok(match database {
        Database::Sqlite(path) => SqliteReader::open(path)?.read(function)?,
        #[cfg(feature = "postgresql")]
        Database::Postgres(settings) => {
            let settings = (**settings).clone().for_looking();
            PostgresStorage::open_existing(settings)?.read(function)?
        }
    })
}
