//! Whom we trust, and who we are.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use crate::connection::OpenError;

/// Trusting the authorities of a PEM file, or else the system's; presenting a certificate with its
/// key, if there are files of both.
pub(crate) fn config(
    authority: Option<&Path>,
    client: Option<&(PathBuf, PathBuf)>,
) -> Result<TlsConfig, OpenError> {
    let roots = match authority {
        Some(path) => RootCerts::Specific(Arc::new(certificates(path)?)),
        None => RootCerts::PlatformVerifier,
    };
    let client = match client {
        Some((certificate, key)) => Some(ClientCert::new_with_certs(
            &certificates(certificate)?,
            private_key(key)?,
        )),
        None => None,
    };
    Ok(TlsConfig::builder()
        .root_certs(roots)
        .client_cert(client)
        .build())
}

fn read(path: &Path) -> Result<Vec<u8>, OpenError> {
    fs::read(path).map_err(|source| OpenError::Read {
        path: path.to_owned(),
        source,
    })
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, OpenError> {
    let pem = read(path)?;
    let found: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        return Err(OpenError::Pem {
            path: path.to_owned(),
            expected: "certificate",
        });
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKey<'static>, OpenError> {
    let pem = read(path)?;
    PrivateKey::from_pem(&pem).map_err(|_| OpenError::Pem {
        path: path.to_owned(),
        expected: "private key",
    })
}
