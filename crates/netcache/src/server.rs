//! Where a service is, and how both sides prove who they are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use slapos_fs::{ReadError, read_bounded};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use crate::client::ClientError;

/// Largest certificate file that is read, in bytes: those with all authorities are smaller.
const LARGEST: u64 = 4 << 20;

/// A service, as slapos.cfg describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its URL, with `user:password@` if it wants them.
    pub url: String,
    /// Checks its certificate, in place of the system's authorities.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate, as a PEM file.
    pub certificate: Option<PathBuf>,
    /// The key of that.
    pub key: Option<PathBuf>,
}

impl Server {
    /// Files are of no use without TLS, so they may be missing there.
    pub(crate) fn tls(&self, address: &Address) -> Result<TlsConfig, ClientError> {
        let mut config = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier);
        if !address.is_https() {
            return Ok(config.build());
        }
        if let Some(path) = &self.ca_file {
            config = config.root_certs(RootCerts::Specific(Arc::new(certificates(path)?)));
        }
        if let Some(path) = &self.certificate {
            // Both may be in one file.
            let key = private_key(self.key.as_ref().unwrap_or(path))?;
            config =
                config.client_cert(Some(ClientCert::new_with_certs(&certificates(path)?, key)));
        }
        Ok(config.build())
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, ClientError> {
    let contents = read(path)?;
    let certificates = parse_pem(&contents).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let certificates: Vec<_> = certificates.collect();
    if certificates.is_empty() {
        return Err(missing(path, "certificate"));
    }
    Ok(certificates)
}

fn private_key(path: &Path) -> Result<PrivateKey<'static>, ClientError> {
    let contents = read(path)?;
    let key = parse_pem(&contents).find_map(|item| match item {
        Ok(PemItem::PrivateKey(key)) => Some(key),
        _ => None,
    });
    key.ok_or_else(|| missing(path, "private key"))
}

/// Files of a configuration may be links.
fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    read_bounded(&real, LARGEST)
}

fn missing(path: &Path, expected: &'static str) -> ClientError {
    ClientError::Pem {
        path: path.to_owned(),
        expected,
    }
}

/// The URL of a service, without a slash at its end.
#[derive(Debug, Clone)]
pub(crate) struct Address(String);

impl Address {
    pub(crate) fn parse(url: &str) -> Self {
        Self(url.trim_end_matches('/').to_owned())
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0
            .get(..8)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
    }

    /// The service itself.
    pub(crate) fn whole(&self) -> String {
        self.0.clone()
    }

    /// What it has under a name, which needs no escapes.
    pub(crate) fn with(&self, name: &str) -> String {
        format!("{}/{name}", self.0)
    }

    /// The same without user and password, for messages.
    pub(crate) fn shown(&self, name: &str) -> String {
        let url = if name.is_empty() {
            self.whole()
        } else {
            self.with(name)
        };
        let Some((scheme, rest)) = url.split_once("://") else {
            return url;
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority.rsplit('@').next().unwrap_or(authority);
        format!("{scheme}://{host}{path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_path_and_passwords_are_not_shown() {
        let address = Address::parse("HTTPS://me:secret@cache.example.org/shadir/");
        assert!(address.is_https());
        assert_eq!(
            address.with("key"),
            "HTTPS://me:secret@cache.example.org/shadir/key"
        );
        assert_eq!(address.shown("key"), "HTTPS://cache.example.org/shadir/key");
        let address = Address::parse("http://h:80");
        assert!(!address.is_https());
        assert_eq!(address.shown(""), "http://h:80");
    }
}
