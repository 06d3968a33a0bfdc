//! What slapproxy is told by slapos.cfg and its options.

mod http_proxy;
mod ignored;
mod listen;
mod multimaster;
mod server;
mod shacache;
mod tls;

pub use http_proxy::AllowedHost;
pub use ignored::ignored_parameters;
pub use listen::ListenAddress;
pub use multimaster::MultimasterSettings;
pub use server::ServerSettings;
pub use shacache::ShacacheSettings;
pub use tls::TlsSettings;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use slap_client::UrlError;
use slapos_config::{ConfigFile, MissingParameters, Section, ValueError};

use crate::storage::{Database, DatabaseError};

/// What slapproxy needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How requests come in.
    pub server: ServerSettings,
    /// Where it keeps what it knows.
    pub database: Database,
    /// The computer that is known from the start.
    pub computer_id: String,
    /// Releases of products, by reference.
    pub software_products: BTreeMap<String, String>,
    /// The network cache, if it is served.
    pub shacache: Option<ShacacheSettings>,
    /// Directory whose files anyone may read.
    pub public_directory: Option<PathBuf>,
    /// Where local releases are, if they may move.
    pub local_software_release_root: Option<String>,
    /// The masters that requests are forwarded to.
    pub multimaster: Vec<MultimasterSettings>,
    /// The hosts that `/http_proxy/` leads to; if there are none, it is off.
    pub http_proxy_allow: Vec<AllowedHost>,
}

/// What the command line says instead of the file.
#[derive(Debug, Clone, Default)]
pub struct SettingsOverrides {
    /// Where to listen; empty: where the file says.
    pub listen: Vec<ListenAddress>,
    /// Instead of `host`, and of `listen`.
    pub host: Option<IpAddr>,
    /// Instead of `port`, and of `listen`.
    pub port: Option<u16>,
    /// Where it keeps what it knows, as `database_uri` says it.
    pub database: Option<PathBuf>,
    /// Whether other machines may connect although nothing tells who they are.
    pub insecure_listen: bool,
    /// Where local releases are, if they may move.
    pub local_software_release_root: Option<PathBuf>,
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A parameter cannot be read.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// Something must be given and is not.
    #[error(transparent)]
    Missing(#[from] MissingParameters),
    /// Anyone who reaches that address could command the nodes.
    #[error(
        "{0} is not a loopback address: without client_ca or --insecure-listen, slapproxy serves this machine only"
    )]
    NotLoopback(SocketAddr),
    /// The URL of a section `[multimaster/URL]` is none.
    #[error("section [multimaster/URL]: {0}")]
    MasterUrl(#[from] UrlError),
    /// The database is none.
    #[error("parameter database_uri of [slapproxy]")]
    Database(#[from] DatabaseError),
    /// One of two keys that belong together.
    #[error("parameter {present} of [{section}] needs {missing} beside it")]
    Half {
        /// The section.
        section: String,
        /// The key that is there.
        present: &'static str,
        /// The key that is not.
        missing: &'static str,
    },
}

impl Settings {
    /// The two that must be known, and the defaults of everything else.
    pub fn new(database: impl Into<Database>, computer_id: impl Into<String>) -> Self {
        Self {
            server: ServerSettings::default(),
            database: database.into(),
            computer_id: computer_id.into(),
            software_products: BTreeMap::new(),
            shacache: None,
            public_directory: None,
            local_software_release_root: None,
            multimaster: Vec::new(),
            http_proxy_allow: Vec::new(),
        }
    }

    /// From `[slapproxy]` and `[slapos]`.
    ///
    /// # Errors
    /// A parameter is missing or wrong.
    pub fn from_config(
        file: &ConfigFile,
        overrides: &SettingsOverrides,
    ) -> Result<Self, SettingsError> {
        let section = file.section("slapproxy");
        let (computer_id, database) = required(file, overrides)?;
        Ok(Self {
            server: ServerSettings::from_section(&section, overrides)?,
            software_products: software_products(&section)?,
            shacache: ShacacheSettings::from_section(&section)?,
            public_directory: section.get_path("public_directory_path")?,
            local_software_release_root: local_software_release_root(&section, overrides)?,
            multimaster: multimaster::from_config(file)?,
            http_proxy_allow: http_proxy::from_section(&section)?,
            ..Self::new(database, computer_id)
        })
    }
}

/// Where the database is: the option says, else `database_uri` of `[slapproxy]`.
///
/// # Errors
/// Neither is given, or the parameter cannot be read.
pub fn database(file: &ConfigFile, option: Option<PathBuf>) -> Result<Database, SettingsError> {
    let configured = file.section("slapproxy").get_path("database_uri")?;
    let given = option.or(configured);
    let given = given.ok_or_else(|| MissingParameters(vec!["database_uri of [slapproxy]"]))?;
    Ok(Database::parse(&given)?)
}

/// The two that have no default: reference of the computer, and the database.
fn required(
    file: &ConfigFile,
    overrides: &SettingsOverrides,
) -> Result<(String, Database), SettingsError> {
    let computer_id = file.section("slapos").get_text("computer_id")?;
    let configured = file.section("slapproxy").get_path("database_uri")?;
    let database = overrides.database.clone().or(configured);
    match (computer_id, database) {
        (Some(computer_id), Some(given)) => {
            let mut database = Database::parse(&given)?;
            if let Some(connections) = database_connections(&file.section("slapproxy"))? {
                database.limit(connections);
            }
            Ok((computer_id, database))
        }
        (computer_id, database) => {
            let missing = [
                computer_id.is_none().then_some("computer_id of [slapos]"),
                database.is_none().then_some("database_uri of [slapproxy]"),
            ];
            Err(MissingParameters(missing.into_iter().flatten().collect()).into())
        }
    }
}

fn database_connections(section: &Section<'_>) -> Result<Option<usize>, ValueError> {
    let (key, expected) = (
        "database_connections",
        "a number of connections from 1 to 1000",
    );
    match section.get_parsed::<usize>(key, expected)? {
        Some(number) if !(1..=1000).contains(&number) => {
            Err(section.wrong(key, number.to_string(), expected))
        }
        number => Ok(number),
    }
}

fn local_software_release_root(
    section: &Section<'_>,
    overrides: &SettingsOverrides,
) -> Result<Option<String>, ValueError> {
    let key = "local_software_release_root";
    let given = overrides.local_software_release_root.as_deref();
    let given = given.map(|root| root.to_string_lossy().into_owned());
    match given.map_or_else(|| section.get_text(key), |root| Ok(Some(root)))? {
        Some(root) if !root.starts_with('/') => Err(section.wrong(key, root, "an absolute path")),
        root => Ok(root),
    }
}

fn software_products(section: &Section<'_>) -> Result<BTreeMap<String, String>, ValueError> {
    let key = "software_product_list";
    let mut products = BTreeMap::new();
    for line in section.get_lines(key)? {
        let words: Vec<_> = line.split_whitespace().collect();
        let [reference, url] = words[..] else {
            return Err(section.wrong(key, line, "a line REFERENCE URL"));
        };
        products.insert(reference.to_owned(), url.to_owned());
    }
    Ok(products)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn settings(text: &str) -> Result<Settings, SettingsError> {
        let file = ConfigFile::parse(Path::new("slapos.cfg"), text.as_bytes()).unwrap();
        Settings::from_config(&file, &SettingsOverrides::default())
    }

    #[test]
    fn a_host_or_a_port_of_the_command_line_wins_over_all_of_the_file() {
        let text =
            "[slapos]\ncomputer_id = C\n[slapproxy]\ndatabase_uri = db\nport = 1\nlisten = [::1]:2";
        let file = ConfigFile::parse(Path::new("slapos.cfg"), text.as_bytes()).unwrap();
        for (host, port, expected) in [
            (None, None, "[::1]:2"),
            (ListenAddress::host("::1"), None, "[::1]:1"),
            (None, Some(3), "127.0.0.1:3"),
        ] {
            let overrides = SettingsOverrides {
                host,
                port,
                ..SettingsOverrides::default()
            };
            let settings = Settings::from_config(&file, &overrides).unwrap();
            assert_eq!(settings.server.listen, [expected.parse().unwrap()]);
        }
    }

    #[test]
    fn defaults_and_values() {
        let minimal =
            settings("[slapos]\ncomputer_id = C\n[slapproxy]\ndatabase_uri = db").unwrap();
        assert_eq!(minimal.server.listen, ["127.0.0.1:5000".parse().unwrap()]);
        let text = "[slapos]\ncomputer_id = C\n[slapproxy]\ndatabase_uri = db\nhost = ::1\nport = 0\nserver-names = A.example.org.\n b\nsoftware_product_list =\n kvm http://k/";
        let full = settings(text).unwrap();
        assert_eq!(full.server.listen, ["[::1]:0".parse().unwrap()]);
        assert_eq!(full.server.server_names, ["a.example.org", "b"]);
        assert_eq!(full.software_products["kvm"], "http://k/");
    }

    #[test]
    fn mistakes_are_named() {
        let base = "[slapos]\ncomputer_id = C\n[slapproxy]\ndatabase_uri = db\n";
        let table = [
            (
                "[x]\n".to_owned(),
                "computer_id of [slapos], database_uri of [slapproxy]",
            ),
            (format!("{base}host = nowhere"), "host"),
            (format!("{base}host = 0.0.0.0"), "0.0.0.0"),
            (format!("{base}port = 70000"), "70000"),
            (format!("{base}max_connections = 0"), "from 1 to 65536"),
            (
                format!("{base}max_connections = 18446744073709551615"),
                "from 1 to 65536",
            ),
            (format!("{base}database_connections = 0"), "from 1 to 1000"),
            (format!("{base}request_timeout = 1e18"), "a day at most"),
            (format!("{base}request_timeout = 0"), "above zero"),
            (format!("{base}max_wait = -1"), "a day at most"),
            (format!("{base}max_queue = 0"), "above zero"),
            (format!("{base}rate_limit = 1.5"), "requests a second"),
            (format!("{base}server_names = a b:80"), "\"b:80\""),
            (
                format!("{base}local-software-release-root = srv"),
                "absolute path",
            ),
            (format!("{base}http_proxy_allow = http://x/"), "HOST:PORT"),
            (format!("{base}[multimaster/x]"), "no URL of a master"),
            (
                format!("{base}software_product_list = kvm"),
                "REFERENCE URL",
            ),
        ];
        for (text, part) in table {
            let error = settings(&text).unwrap_err().to_string();
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }
}
