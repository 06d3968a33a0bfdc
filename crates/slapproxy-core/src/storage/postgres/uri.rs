//! Where a database is and how it is reached: `postgresql://` URIs, as libpq reads them.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::{Client, Config, NoTls};

use super::hosts::Answered;
use super::password::Passwords;
use super::tls::{Tls, Trust};
use super::{PostgresError, hosts};

/// Connections that a server has at most, unless it is told otherwise.
const CONNECTIONS: usize = 16;
/// How long one of the addresses may take, unless the URI has a `connect_timeout`.
const CONNECTING: Duration = Duration::from_secs(3);
/// No URI has more time for all addresses.
const CONNECTING_AT_MOST: Duration = Duration::from_secs(600);
/// The parameters of URIs that say who may be at the other end, and who we are.
const OURS: [&str; 5] = ["sslmode", "sslrootcert", "sslcert", "sslkey", "passfile"];

/// A database, and how it is reached.
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    /// Connections at most.
    pub connections: usize,
    config: Config,
    /// Whether the URI says which of several servers will do.
    has_target: bool,
    /// None over Unix sockets, and where it is unwanted.
    tls: Option<Tls>,
    passfile: Option<PathBuf>,
}

/// The text is no URI of a database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// It cannot be read.
    #[error("the URI of the database cannot be read")]
    Malformed(#[source] tokio_postgres::Error),
    /// A way of TLS that nobody knows.
    #[error("sslmode={0} is none of disable, allow, prefer, require, verify-ca, verify-full")]
    SslMode(String),
    /// Nothing tells whom to trust.
    #[error("sslmode={0} needs sslrootcert=FILE beside it")]
    NoAuthority(String),
    /// Authorities that nobody would ask.
    #[error("sslmode={0} makes no use of sslrootcert: it needs verify-full, verify-ca or require")]
    Unverified(String),
    /// Half of a client's certificate.
    #[error("sslcert and sslkey belong together")]
    HalfCertificate,
}

/// The parameters of a URI that this module reads itself.
#[derive(Debug, Default)]
struct Parameters {
    /// Whether there is a `target_session_attrs`, which is libpq's and stays in the URI.
    has_target: bool,
    mode: Option<String>,
    authorities: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    passfile: Option<PathBuf>,
}

impl PostgresSettings {
    /// Reads a URI.
    ///
    /// # Errors
    /// It is malformed, or asks for something impossible.
    pub fn parse(uri: &str) -> Result<Self, UriError> {
        let (uri, parameters) = Parameters::split(uri);
        let mut config: Config = uri.parse().map_err(UriError::Malformed)?;
        if config.get_application_name().is_none() {
            config.application_name("slapproxy");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECTING);
        }
        if !parameters.has_target {
            // A standby, or one that was the primary, would refuse to write.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        name_addresses(&mut config);
        let tls = match hosts::is_local(&config) {
            true => None,
            false => parameters.tls(&mut config)?,
        };
        if tls.is_none() {
            config.ssl_mode(SslMode::Disable);
        }
        Ok(Self {
            connections: CONNECTIONS,
            config,
            has_target: parameters.has_target,
            tls,
            passfile: parameters.passfile,
        })
    }

    /// For those who only look: a standby will do, which may lack what was written last, unless the
    /// URI says otherwise.
    pub(in crate::storage) fn for_looking(mut self) -> Self {
        if !self.has_target {
            self.config.target_session_attrs(TargetSessionAttrs::Any);
        }
        self
    }

    /// Whether a server that takes no writes will do.
    pub(super) fn may_be_standby(&self) -> bool {
        self.config.get_target_session_attrs() != TargetSessionAttrs::ReadWrite
    }

    /// How long each address may take.
    pub(super) fn patience_for_each(&self) -> Duration {
        let told = *self.config.get_connect_timeout().unwrap_or(&CONNECTING);
        told.min(CONNECTING_AT_MOST)
    }

    /// Connects to the first host that will do, beginning with the one that answered last; which one
    /// did. Whatever is read of files is read anew, and names are looked up again.
    pub(super) async fn connect(
        &self,
        last: &Answered,
    ) -> Result<(Client, Answered), PostgresError> {
        let deadline = Instant::now() + CONNECTING_AT_MOST;
        let connected = timeout_at(deadline, self.connect_to_any(last)).await;
        connected.unwrap_or(Err(PostgresError::Late))
    }

    async fn connect_to_any(&self, last: &Answered) -> Result<(Client, Answered), PostgresError> {
        let passwords = match self.config.get_password() {
            Some(_) => Passwords::default(),
            None => Passwords::read(self.passfile.as_deref())?,
        };
        let mut failures = Vec::new();
        for mut host in last.first_of_hosts(hosts::each(&self.config)) {
            if let Some(password) = passwords.of(&host) {
                host.password(password);
            }
            let addresses = match self.within_patience(looked_up(&host)).await {
                Ok(addresses) => last.first_of_addresses(addresses),
                Err(error) => {
                    failures.push((place_of(&host), error));
                    continue;
                }
            };
            for one in addresses {
                match self.within_patience(self.connect_to(&one)).await {
                    Ok(client) => return Ok((client, Answered::of(&one))),
                    Err(error) => failures.push((place_of(&one), error)),
                }
            }
        }
        Err(PostgresError::of_places(failures))
    }

    async fn connect_to(&self, config: &Config) -> Result<Client, PostgresError> {
        match &self.tls {
            Some(tls) if config.get_ssl_mode() != SslMode::Disable => {
                start(config.connect(tls.connector()?).await)
            }
            _ => start(config.connect(NoTls).await),
        }
    }

    async fn within_patience<T>(
        &self,
        asked: impl Future<Output = Result<T, PostgresError>>,
    ) -> Result<T, PostgresError> {
        let answered = timeout(self.patience_for_each(), asked).await;
        answered.unwrap_or(Err(PostgresError::Late))
    }
}

async fn looked_up(host: &Config) -> Result<Vec<Config>, PostgresError> {
    let found = hosts::addresses(host).await;
    found.map_err(PostgresError::Lookup)
}

/// Where one host is.
fn place_of(config: &Config) -> String {
    let address = config.get_hostaddrs().first();
    let host = config.get_hosts().first();
    host.map_or_else(String::new, |host| hosts::place(host, address))
}

/// Where no host is named, addresses are the names that certificates and passwords are looked for by.
fn name_addresses(config: &mut Config) {
    if config.get_hosts().is_empty() {
        for address in config.get_hostaddrs().to_vec() {
            config.host(address.to_string());
        }
    }
}

/// Has a connection driven by a task of its own.
fn start<S, T>(
    connected: Result<(Client, tokio_postgres::Connection<S, T>), tokio_postgres::Error>,
) -> Result<Client, PostgresError>
where
    tokio_postgres::Connection<S, T>: Future<Output = Result<(), tokio_postgres::Error>> + Send,
    S: 'static,
    T: 'static,
{
    let (client, connection) = connected.map_err(PostgresError::of_connecting)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            log::debug!("a connection to the database has ended: {error}");
        }
    });
    Ok(client)
}

/// A parameter; one that lists hosts, once for each of them, as who reads it next takes no lists.
fn one_host_each(pair: &str) -> Vec<String> {
    match pair.strip_prefix("host=") {
        Some(hosts) => {
            let hosts = hosts.replace("%2C", ",").replace("%2c", ",");
            hosts
                .split(',')
                .map(|host| format!("host={host}"))
                .collect()
        }
        None => vec![pair.to_owned()],
    }
}

impl Parameters {
    /// The URI without what is ours, and that.
    fn split(uri: &str) -> (String, Self) {
        let (base, query) = uri.split_once('?').unwrap_or((uri, ""));
        let mut found = Self::default();
        let mut others = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !OURS.contains(&name) {
                found.has_target |= name == "target_session_attrs";
                others.extend(one_host_each(pair));
                continue;
            }
            let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
            found.set(name, value.into_owned());
        }
        (format!("{base}?{}", others.join("&")), found)
    }

    fn set(&mut self, name: &str, value: String) {
        match name {
            "sslmode" => self.mode = Some(value),
            "sslrootcert" => self.authorities = Some(value.into()),
            "sslcert" => self.certificate = Some(value.into()),
            "sslkey" => self.key = Some(value.into()),
            _ => self.passfile = Some(value.into()),
        }
    }

    /// How TLS is spoken, if at all.
    fn tls(&self, config: &mut Config) -> Result<Option<Tls>, UriError> {
        let authorities = self.authorities.clone();
        // libpq does so where the authorities are those of the system.
        let default = match &authorities {
            Some(_) => "verify-full",
            None => "prefer",
        };
        let mode = self.mode.as_deref().unwrap_or(default);
        let needed = || {
            let authorities = authorities.clone();
            authorities.ok_or_else(|| UriError::NoAuthority(mode.to_owned()))
        };
        let (ssl_mode, trust) = match mode {
            "disable" | "allow" | "prefer" if authorities.is_some() => {
                return Err(UriError::Unverified(mode.to_owned()));
            }
            "disable" => return Ok(None),
            "allow" | "prefer" => (SslMode::Prefer, Trust::Anyone),
            // As libpq does, so that a file that is given is never ignored.
            "require" => match authorities {
                Some(authorities) => (SslMode::Require, Trust::Authorities(authorities)),
                None => (SslMode::Require, Trust::Anyone),
            },
            "verify-ca" => (SslMode::Require, Trust::Authorities(needed()?)),
            "verify-full" => (SslMode::Require, Trust::Named(needed()?)),
            other => return Err(UriError::SslMode(other.to_owned())),
        };
        let certificate = match (self.certificate.clone(), self.key.clone()) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err(UriError::HalfCertificate),
        };
        config.ssl_mode(ssl_mode);
        Ok(Some(Tls { trust, certificate }))
    }
}

/// Its name and hosts, with their addresses where they are given, and without a password.
impl fmt::Display for PostgresSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.config.get_dbname().unwrap_or_default();
        let addresses = self.config.get_hostaddrs();
        let hosts = self.config.get_hosts().iter().enumerate();
        let hosts = hosts.map(|(index, host)| hosts::place(host, addresses.get(index)));
        let hosts = hosts.collect::<Vec<_>>().join(",");
        write!(formatter, "{database} of PostgreSQL on {hosts}")
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use slapos_tests::postgres::Postgres;

    use super::*;

    fn settings(uri: &str) -> Result<PostgresSettings, UriError> {
        PostgresSettings::parse(uri)
    }

    #[test]
    fn a_uri_tells_where_and_how() {
        let full = "postgresql://u:secret@db.example:5433/proxy?sslmode=verify-full\
            &sslrootcert=/a%20b/ca.pem&sslcert=/c&sslkey=/k&passfile=/p&connect_timeout=7";
        let full = settings(full).unwrap();
        let tls = full.tls.clone().unwrap();
        assert_eq!(tls.trust, Trust::Named("/a b/ca.pem".into()));
        assert_eq!(tls.certificate, Some(("/c".into(), "/k".into())));
        assert_eq!(full.config.get_ports(), [5433]);
        assert_eq!(full.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(full.to_string(), "proxy of PostgreSQL on db.example");
        assert!(!format!("{full} {full:?}").contains("secret"));
        let local = settings("postgresql:///proxy?host=/run/postgresql&sslmode=require").unwrap();
        assert!(local.tls.is_none());
        assert_eq!(local.config.get_ssl_mode(), SslMode::Disable);
    }

    #[test]
    fn an_address_is_none_of_this_machine() {
        for (parameters, place) in [
            ("hostaddr=192.0.2.1", "192.0.2.1"),
            ("host=/run/x&hostaddr=192.0.2.1", "/run/x (192.0.2.1)"),
            ("host=db&hostaddr=192.0.2.1", "db (192.0.2.1)"),
        ] {
            let uri = format!("postgresql:///proxy?{parameters}&sslmode=require");
            let remote = settings(&uri).unwrap();
            assert!(remote.tls.is_some(), "{parameters}");
            assert_eq!(remote.config.get_ssl_mode(), SslMode::Require);
            assert_eq!(
                remote.to_string(),
                format!("proxy of PostgreSQL on {place}")
            );
        }
    }

    #[test]
    fn a_server_must_take_writes_unless_it_is_only_read_or_another_is_wanted() {
        use TargetSessionAttrs::{Any, ReadOnly, ReadWrite};
        for (parameters, serving, reading) in [
            ("", ReadWrite, Any),
            ("target_session_attrs=any", Any, Any),
            ("target_session_attrs=read-write", ReadWrite, ReadWrite),
            ("target_session_attrs=read-only", ReadOnly, ReadOnly),
        ] {
            let settings = settings(&format!("postgresql://a,b/proxy?{parameters}")).unwrap();
            let target = settings.config.get_target_session_attrs();
            assert_eq!(target, serving, "{parameters}");
            let target = settings.for_looking().config.get_target_session_attrs();
            assert_eq!(target, reading, "{parameters}");
        }
    }

    #[test]
    fn each_address_has_its_time() {
        for (place, seconds) in [
            ("db/proxy", 3),
            ("one,two/proxy?connect_timeout=5", 5),
            // That is none.
            ("db/proxy?connect_timeout=0", 3),
            ("db/proxy?connect_timeout=9223372036854775807", 600),
        ] {
            let patience = settings(&format!("postgresql://{place}")).unwrap();
            assert_eq!(patience.patience_for_each().as_secs(), seconds, "{place}");
        }
    }

    /// A host that takes connections and never says a word is passed over, and not begun with again.
    #[tokio::test]
    async fn who_never_answers_is_passed_over_once() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        let server = Postgres::shared();
        let uri = server.database();
        let uri = format!(
            "postgresql:///{}?host=127.0.0.1,{}&port={port},5432&user=slapos&connect_timeout=4",
            Postgres::name(&uri),
            server.path().display()
        );
        let settings = settings(&uri).unwrap();
        let begun = Instant::now();
        let (_client, answered) = settings.connect(&Answered::default()).await.unwrap();
        assert!(begun.elapsed() >= Duration::from_secs(4));
        let begun = Instant::now();
        settings.connect(&answered).await.unwrap();
        assert!(
            begun.elapsed() < Duration::from_secs(4),
            "{:?}",
            begun.elapsed()
        );
    }

    #[tokio::test]
    async fn what_each_host_says_is_told() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        let uri = format!(
            "postgresql:///proxy?host=127.0.0.1,/nowhere&port={port},5432&user=slapos\
             &connect_timeout=1"
        );
        let failed = settings(&uri).unwrap().connect(&Answered::default()).await;
        let error = failed.unwrap_err();
        assert!(error.is_passing(), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("127.0.0.1: it does not answer"), "{text}");
        assert!(text.contains("/nowhere: it cannot be reached"), "{text}");
    }

    #[test]
    fn how_far_a_server_is_trusted() {
        let trust = |parameters: &str| {
            let uri = format!("postgresql://db/proxy?{parameters}");
            settings(&uri).map(|settings| settings.tls.map(|tls| tls.trust))
        };
        assert_eq!(trust("").unwrap(), Some(Trust::Anyone));
        assert_eq!(trust("sslmode=disable").unwrap(), None);
        assert_eq!(trust("sslmode=require").unwrap(), Some(Trust::Anyone));
        let authorities = Some(Trust::Authorities("/ca".into()));
        for mode in ["require", "verify-ca"] {
            let told = trust(&format!("sslmode={mode}&sslrootcert=/ca"));
            assert_eq!(told.unwrap(), authorities, "{mode}");
        }
        let named = Some(Trust::Named("/ca".into()));
        assert_eq!(trust("sslrootcert=/ca").unwrap(), named);
    }

    #[test]
    fn mistakes_are_named() {
        for (uri, part) in [
            ("postgresql://db:port/x", "cannot be read"),
            ("postgresql://db/x?colour=red", "cannot be read"),
            (
                "postgresql://db/x?target_session_attrs=fast",
                "cannot be read",
            ),
            ("postgresql://db/x?sslmode=maybe", "sslmode=maybe"),
            ("postgresql://db/x?sslmode=verify-full", "needs sslrootcert"),
            (
                "postgresql://db/x?sslmode=disable&sslrootcert=/ca",
                "no use of sslrootcert",
            ),
            (
                "postgresql://db/x?sslrootcert=/ca&sslmode=prefer",
                "no use of sslrootcert",
            ),
            ("postgresql://db/x?sslcert=/c", "belong together"),
        ] {
            let error = settings(uri).unwrap_err().to_string();
            assert!(error.contains(part), "{uri}: {error}");
        }
    }
}
