//! Where a database is and how it is reached: `postgresql://` URIs, as libpq reads them.

use std::fmt;

use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};

use super::PostgresError;

/// Connections that a server has at most, unless it is told otherwise.
pub(crate) const CONNECTIONS: usize = 16;

/// A database, and how it is reached.
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    /// Connections at most.
    pub connections: usize,
    config: Config,
}

/// The text is no URI of a database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// It cannot be read.
    #[error("the URI of the database cannot be read")]
    Malformed(#[source] tokio_postgres::Error),
}

impl PostgresSettings {
    /// Whether a text names a database of PostgreSQL.
    pub fn is_meant(text: &str) -> bool {
        ["postgresql://", "postgres://"]
            .iter()
            .any(|scheme| text.starts_with(scheme))
    }

    /// Reads a URI.
    ///
    /// # Errors
    /// It is malformed.
    pub fn parse(uri: &str) -> Result<Self, UriError> {
        let mut config: Config = uri.parse().map_err(UriError::Malformed)?;
        if config.get_application_name().is_none() {
            config.application_name("slapproxy");
        }
        Ok(Self {
            connections: CONNECTIONS,
            config,
        })
    }

    pub(super) async fn connect(&self) -> Result<Client, PostgresError> {
        let connected = self.config.connect(NoTls).await;
        let (client, connection) = connected.map_err(PostgresError::Unreachable)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                log::debug!("a connection to the database has ended: {error}");
            }
        });
        Ok(client)
    }
}

/// Without a password.
impl fmt::Display for PostgresSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.config.get_dbname().unwrap_or_default();
        let hosts = self.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        });
        let hosts = hosts.collect::<Vec<_>>().join(",");
        write!(formatter, "{database} of PostgreSQL on {hosts}")
    }
}
