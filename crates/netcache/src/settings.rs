//! What slapos.cfg says of the binary cache, in its section networkcache or, as older ones do, in slapos.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use slapos_config::{ConfigFile, Section, ValueError};

use crate::archive::Format;
use crate::entry::Signer;
use crate::policy::SignaturePolicy;
use crate::private_key::{PrivateKey, PrivateKeyError, SignatureHash};
use crate::server::Server;
use crate::trust::Trust;

/// How many times larger than its archive a release may be, by default.
const EXPANSION: u64 = 100;

/// The services of one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Servers {
    /// The one of files, shacache.
    pub cache: Server,
    /// The one of entries, shadir.
    pub directory: Server,
}

/// The binary cache, as slapos.cfg describes it.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// From where releases are downloaded.
    pub download: Option<Servers>,
    /// From where buildout downloads source archives.
    pub download_files: Option<Servers>,
    /// To where releases are uploaded.
    pub upload: Option<Servers>,
    /// Who is believed.
    pub trust: Trust,
    /// Signs what is uploaded.
    pub signer: Arc<Signer>,
    /// Beginnings of URLs that are never downloaded.
    pub never_download: Vec<String>,
    /// Beginnings of URLs that are never uploaded.
    pub never_upload: Vec<String>,
    /// Beginnings of URLs that are never built from source.
    pub only_download: Vec<String>,
    /// Of archives that are uploaded.
    pub format: Format,
    /// How many times larger than its archive a release may be.
    pub expansion: u64,
}

/// The configuration of the binary cache cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A parameter cannot be read.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// A key cannot be used.
    #[error("{parameter}")]
    Key {
        /// The parameter that names its file.
        parameter: &'static str,
        /// Why.
        source: PrivateKeyError,
    },
    /// A file that a parameter names is not there.
    #[error("{parameter}: {} does not exist", path.display())]
    NoSuchFile {
        /// The parameter.
        parameter: &'static str,
        /// Its value.
        path: PathBuf,
    },
    /// Nobody who believes only the list would use what is uploaded.
    #[error(
        "{parameter}: its certificate is not in signature-certificate-list, so this node would never use what it uploads"
    )]
    UnknownKey {
        /// The parameter that names the key.
        parameter: &'static str,
    },
}

const KEY: &str = "signature-private-key-file";
const ADDITIONAL_KEY: &str = "signature-ed25519-private-key-file";

impl Settings {
    /// Reads them; `key` is the file of a signature key that an option names.
    ///
    /// # Errors
    /// A parameter is wrong, or a file that it names does not exist or holds something else.
    pub fn from_config(file: &ConfigFile, key: Option<&Path>) -> Result<Self, SettingsError> {
        let settings = Self::for_reading(file)?;
        match &settings.upload {
            Some(_) => settings.with_signer(file, key),
            None => Ok(settings),
        }
    }

    /// The same with keys for signatures, though nothing is uploaded.
    ///
    /// # Errors
    /// As [`Settings::from_config`].
    pub fn for_signing(file: &ConfigFile, key: Option<&Path>) -> Result<Self, SettingsError> {
        Self::for_reading(file)?.with_signer(file, key)
    }

    fn with_signer(mut self, file: &ConfigFile, key: Option<&Path>) -> Result<Self, SettingsError> {
        let signer = Lookup::new(file).signer(key, &self.trust)?;
        self.signer = Arc::new(signer);
        Ok(self)
    }

    /// The same without keys for signatures, which not everybody may read.
    ///
    /// # Errors
    /// As [`Settings::from_config`].
    pub fn for_reading(file: &ConfigFile) -> Result<Self, SettingsError> {
        let lookup = Lookup::new(file);
        let download = lookup.servers("download-binary-cache-url", "download-binary-dir-url")?;
        let upload = lookup.servers("upload-binary-cache-url", "upload-binary-dir-url")?;
        let certificates = lookup
            .text("signature-certificate-list")?
            .unwrap_or_default();
        let trust = Trust::parse(&certificates, lookup.policy()?);
        let mut never_download = lookup.lines("download-from-binary-cache-url-blacklist")?;
        never_download.extend(lookup.lines("binary-cache-url-blacklist")?);
        Ok(Self {
            download,
            download_files: lookup.servers("download-cache-url", "download-dir-url")?,
            upload,
            trust,
            signer: Arc::default(),
            never_download,
            never_upload: lookup.lines("upload-to-binary-cache-url-blacklist")?,
            only_download: lookup.lines("download-from-binary-cache-force-url-list")?,
            format: lookup
                .parsed("archive-format", "tar.gz or tar.zst")?
                .unwrap_or_default(),
            expansion: lookup
                .parsed("archive-maximum-expansion", "a whole number")?
                .unwrap_or(EXPANSION),
        })
    }

    /// What an administrator should know when something is downloaded.
    pub fn download_warnings(&self) -> Vec<String> {
        let mut warnings = self.trust.warnings();
        if self.trust.is_empty() {
            warnings.push(
                "signature-certificate-list is empty: nothing of the binary cache can be trusted"
                    .to_owned(),
            );
        }
        warnings
    }

    /// What an administrator should know when something is uploaded.
    pub fn upload_warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        match &self.signer.key {
            Some(key) if key.is_rsa() && self.signer.hash == SignatureHash::Sha1 => {
                let warning = "uploads are signed over SHA-1, as nodes in Python demand; \
                               signature-hash = sha256 is safer";
                warnings.push(warning.to_owned());
            }
            None if self.signer.is_empty() => warnings.push(format!(
                "{KEY} is not set: nobody will trust what is uploaded to the binary cache"
            )),
            _ => {}
        }
        warnings
    }
}

struct Lookup<'a> {
    section: Section<'a>,
    fallback: Section<'a>,
}

impl<'a> Lookup<'a> {
    fn new(file: &'a ConfigFile) -> Self {
        Self {
            section: file.section("networkcache"),
            fallback: file.section("slapos"),
        }
    }

    fn text(&self, key: &str) -> Result<Option<String>, ValueError> {
        match self.section.get_text(key)? {
            Some(text) => Ok(Some(text)),
            None => self.fallback.get_text(key),
        }
    }

    fn lines(&self, key: &str) -> Result<Vec<String>, ValueError> {
        match self.section.get_lines(key)? {
            lines if lines.is_empty() => self.fallback.get_lines(key),
            lines => Ok(lines),
        }
    }

    fn parsed<T: std::str::FromStr>(
        &self,
        key: &str,
        expected: &'static str,
    ) -> Result<Option<T>, ValueError> {
        match self.section.get_parsed(key, expected)? {
            Some(value) => Ok(Some(value)),
            None => self.fallback.get_parsed(key, expected),
        }
    }

    fn file(&self, parameter: &'static str) -> Result<Option<PathBuf>, SettingsError> {
        match self.text(parameter)?.map(PathBuf::from) {
            Some(path) if !path.exists() => Err(SettingsError::NoSuchFile { parameter, path }),
            path => Ok(path),
        }
    }

    /// Both services, or none: one is of no use without the other.
    fn servers(&self, cache: &str, directory: &str) -> Result<Option<Servers>, SettingsError> {
        let (Some(cache), Some(directory)) = (self.text(cache)?, self.text(directory)?) else {
            return Ok(None);
        };
        let cache = Server {
            url: cache,
            ca_file: self.file("shacache-ca-file")?,
            certificate: self.file("shacache-cert-file")?,
            key: self.file("shacache-key-file")?,
        };
        let directory = Server {
            url: directory,
            ca_file: self.file("shadir-ca-file")?,
            certificate: self.file("shadir-cert-file")?,
            key: self.file("shadir-key-file")?,
        };
        Ok(Some(Servers { cache, directory }))
    }

    fn policy(&self) -> Result<SignaturePolicy, ValueError> {
        let names = "a list of rsa-sha1, rsa-sha256, ed25519";
        Ok(self.parsed("signature-policy", names)?.unwrap_or_default())
    }

    fn signer(&self, key: Option<&Path>, trust: &Trust) -> Result<Signer, SettingsError> {
        let hash = match self.text("signature-hash")?.as_deref() {
            None | Some("sha1") => SignatureHash::Sha1,
            Some("sha256") => SignatureHash::Sha256,
            Some(other) => {
                let wrong =
                    self.section
                        .wrong("signature-hash", other.to_owned(), "sha1 or sha256");
                return Err(wrong.into());
            }
        };
        let key = match key {
            Some(path) => Some(path.to_owned()),
            None => self.file(KEY)?,
        };
        Ok(Signer {
            key: read_key(KEY, key, trust)?,
            hash,
            additional: read_key(ADDITIONAL_KEY, self.file(ADDITIONAL_KEY)?, trust)?,
        })
    }
}

fn read_key(
    parameter: &'static str,
    path: Option<PathBuf>,
    trust: &Trust,
) -> Result<Option<PrivateKey>, SettingsError> {
    let Some(path) = path else { return Ok(None) };
    let key = PrivateKey::read(&path);
    let key = key.map_err(|source| SettingsError::Key { parameter, source })?;
    if !trust.knows(&key) {
        return Err(SettingsError::UnknownKey { parameter });
    }
    Ok(Some(key))
}
