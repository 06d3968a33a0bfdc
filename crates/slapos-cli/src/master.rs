//! The master of the user's tools: from options and `[slapconsole]`.

use std::path::{Path, PathBuf};

use slap_client::{Connection, OpenError, Slap, UrlError, without_user};
use slapos_config::{ConfigFile, MissingParameters, ValueError};

/// Options of every tool of a user.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct MasterOptions {
    /// URL of the master, instead of master_url of section slapos
    #[arg(short = 'u', long, value_name = "URL")]
    pub master_url: Option<String>,
    /// Private key of the user, instead of key_file of section slapconsole
    #[arg(short = 'k', long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Certificate of the user, instead of cert_file of section slapconsole
    #[arg(short = 'c', long, value_name = "FILE")]
    pub cert_file: Option<PathBuf>,
}

/// The master cannot be told from options and configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// A parameter cannot be read.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// Something must be given and is not.
    #[error(transparent)]
    Missing(#[from] MissingParameters),
    /// `master_url` is no URL.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// A certificate cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A user's certificate is needed and not given.
    #[error("master_url {url} needs cert_file and key_file of [{section}]")]
    NoCertificate {
        /// The master's URL, without a user and password.
        url: String,
        /// The section of slapos.cfg whose certificate it is.
        section: String,
    },
}

impl MasterOptions {
    /// The connection of a user, with the certificate of `section`, else that of `[slapos]`.
    ///
    /// # Errors
    /// A parameter is missing or wrong, or a certificate cannot be read.
    pub fn connect(&self, file: &ConfigFile, section: &str) -> Result<Slap, ConnectError> {
        Ok(self.connection(file, section)?.open()?)
    }

    /// As [`MasterOptions::connect`], for those who have more to say of the connection.
    ///
    /// # Errors
    /// A parameter is missing or wrong.
    pub fn connection(&self, file: &ConfigFile, section: &str) -> Result<Connection, ConnectError> {
        let slapos = file.section("slapos");
        let url = self
            .master_url
            .clone()
            .map_or_else(|| slapos.get_text("master_url"), |url| Ok(Some(url)))?;
        let url = url.ok_or_else(|| MissingParameters(vec!["master_url"]))?;
        let mut connection = Connection::to(&url)?;
        connection = match self.certificate_and_key(file, section)? {
            (Some(certificate), Some(key)) => connection.client_certificate(certificate, key),
            (None, Some(_)) => return Err(MissingParameters(vec!["cert_file"]).into()),
            (Some(_), None) => return Err(MissingParameters(vec!["key_file"]).into()),
            (None, None) if is_https(&url) => {
                return Err(ConnectError::NoCertificate {
                    url: without_user(&url),
                    section: section.to_owned(),
                });
            }
            (None, None) => connection,
        };
        if let Some(authority) = slapos.get_path("master_ca_file")? {
            connection = connection.master_ca_file(with_home(authority));
        }
        Ok(connection)
    }

    /// Of the options, of the section, or, if neither names any, of `[slapos]`.
    fn certificate_and_key(
        &self,
        file: &ConfigFile,
        section: &str,
    ) -> Result<(Option<PathBuf>, Option<PathBuf>), ValueError> {
        let own = file.section(section);
        let certificate = pick(self.cert_file.as_deref(), || own.get_path("cert_file"))?;
        let key = pick(self.key_file.as_deref(), || own.get_path("key_file"))?;
        let (certificate, key) = match (certificate, key) {
            (None, None) => {
                let slapos = file.section("slapos");
                (slapos.get_path("cert_file")?, slapos.get_path("key_file")?)
            }
            named => named,
        };
        Ok((certificate.map(with_home), key.map(with_home)))
    }
}

fn is_https(url: &str) -> bool {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.trim());
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
}

/// A path with the home directory of the user for a `~` at its beginning.
pub fn with_home(path: PathBuf) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path,
    }
}

/// An option, else the configuration.
fn pick(
    option: Option<&Path>,
    configured: impl FnOnce() -> Result<Option<PathBuf>, ValueError>,
) -> Result<Option<PathBuf>, ValueError> {
    option.map_or_else(configured, |path| Ok(Some(path.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connect(options: &MasterOptions, text: &str) -> Result<Slap, ConnectError> {
        let file = ConfigFile::parse(Path::new("slapos.cfg"), text.as_bytes()).unwrap();
        options.connect(&file, "slapconsole")
    }

    #[test]
    fn the_option_wins_over_the_file() {
        let options = MasterOptions {
            master_url: Some("http://b/".to_owned()),
            ..MasterOptions::default()
        };
        let slap = connect(&options, "[slapos]\nmaster_url = http://a/").unwrap();
        assert_eq!(slap.master_url(), "http://b/");
    }

    #[test]
    fn the_home_directory_is_that_of_the_user() {
        let home = std::env::home_dir().unwrap();
        assert_eq!(with_home(PathBuf::from("~/a/b")), home.join("a/b"));
        for path in ["/a/~", "~other/a", "a"] {
            assert_eq!(with_home(PathBuf::from(path)), Path::new(path));
        }
    }

    #[test]
    fn a_missing_certificate_is_named_with_its_section_and_no_password() {
        let text = b"[slapos]\nmaster_url = HTTPS://admin:s3cret@m";
        let file = ConfigFile::parse(Path::new("slapos.cfg"), text).unwrap();
        for section in ["slapos", "slapconsole"] {
            let connected = MasterOptions::default().connection(&file, section);
            let expected =
                format!("master_url HTTPS://m needs cert_file and key_file of [{section}]");
            assert_eq!(connected.unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let table = [
            ("[slapos]\n", "master_url"),
            ("[slapos]\nmaster_url = nonsense", "nonsense"),
            ("[slapos]\nmaster_url = https://m/", "cert_file"),
            (
                "[slapos]\nmaster_url = http://m/\n[slapconsole]\nkey_file = k",
                "cert_file",
            ),
            (
                "[slapos]\nmaster_url = http://m/\n[slapconsole]\ncert_file = c",
                "key_file",
            ),
            (
                "[slapos]\nmaster_url = https://m/\ncert_file = /no/c\nkey_file = /no/k",
                "/no/c",
            ),
            (
                "[slapos]\nmaster_url = https://m/\ncert_file = /no/c\nkey_file = /no/k\n\
                 [slapconsole]\ncert_file = c",
                "key_file",
            ),
            (
                "[slapos]\nmaster_url = https://m/\n[slapconsole]\ncert_file = /no/c\nkey_file = /no/k",
                "/no/c",
            ),
        ];
        for (text, part) in table {
            let error = connect(&MasterOptions::default(), text)
                .unwrap_err()
                .to_string();
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }
}
