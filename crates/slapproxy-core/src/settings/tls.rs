//! TLS: who the server is, and who clients are.

use std::path::PathBuf;

use slapos_config::{MissingParameters, Section};

use super::SettingsError;

/// TLS on TCP addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// The server's certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// The authorities whose certificates clients must have, PEM.
    pub client_ca: Option<PathBuf>,
    /// Lists of certificates that the authorities revoked, PEM.
    pub client_crl: Option<PathBuf>,
    /// Names (CN) of the certificates that are of users. Every other one is of a computer or
    /// partition.
    pub users: Vec<String>,
}

impl TlsSettings {
    pub(super) fn from_section(section: &Section<'_>) -> Result<Option<Self>, SettingsError> {
        let certificate = section.get_path("ssl_cert")?;
        let key = section.get_path("ssl_key")?;
        let client_ca = section.get_path("client_ca")?;
        let client_crl = section.get_path("client_crl")?;
        let users = section.get_lines("user_certificate_list")?;
        let has_ca = client_ca.is_some();
        let needs_ca = !users.is_empty() || client_crl.is_some();
        match (certificate, key) {
            (None, None) if !has_ca && !needs_ca => Ok(None),
            (Some(certificate), Some(key)) if has_ca || !needs_ca => Ok(Some(Self {
                certificate,
                key,
                client_ca,
                client_crl,
                users,
            })),
            (certificate, key) => {
                let missing = [
                    certificate.is_none().then_some("ssl_cert of [slapproxy]"),
                    key.is_none().then_some("ssl_key of [slapproxy]"),
                    (needs_ca && !has_ca).then_some("client_ca of [slapproxy]"),
                ];
                Err(MissingParameters(missing.into_iter().flatten().collect()).into())
            }
        }
    }
}
