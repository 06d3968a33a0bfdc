//! TLS: the server's certificate, and the names on those of clients.

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;
use x509_cert::Certificate;
use x509_cert::certificate::Rfc5280;
use x509_cert::crl::CertificateList;
use x509_cert::der::asn1::{ObjectIdentifier, PrintableStringRef, Utf8StringRef};
use x509_cert::der::{Any, Decode};

use crate::master::now;
use crate::settings::TlsSettings;

/// The attribute commonName.
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds nothing of what it should.
    #[error("{path} holds no {expected} in PEM format")]
    Pem {
        /// The file.
        path: PathBuf,
        /// "certificate", "private key" or "revocation list".
        expected: &'static str,
    },
    /// Certificate and key do not belong together, or are of a kind that is not known.
    #[error("cannot use the certificate {path}")]
    Certificate {
        /// The certificate.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// An authority, or its revocation list, cannot be used.
    #[error("cannot use {path} to verify others")]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Certificate and key of the server, and what clients' are verified by, as they were read last.
pub(super) struct Certificates {
    settings: TlsSettings,
    acceptor: RwLock<TlsAcceptor>,
}

impl Certificates {
    pub(super) fn read(settings: &TlsSettings) -> Result<Self, TlsError> {
        Ok(Self {
            settings: settings.clone(),
            acceptor: acceptor(settings)?.into(),
        })
    }

    /// Reads the files again; if one cannot be used, all stay as they are.
    pub(super) fn reload(&self) -> Result<(), TlsError> {
        let fresh = acceptor(&self.settings)?;
        *self
            .acceptor
            .write()
            .unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// What accepts the next connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let acceptor = self.acceptor.read();
        acceptor.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What accepts TLS connections by these settings.
fn acceptor(settings: &TlsSettings) -> Result<TlsAcceptor, TlsError> {
    let chain = certificates(&settings.certificate)?;
    let key = private_key(&settings.key)?;
    let unusable = |source| TlsError::Certificate {
        path: settings.certificate.clone(),
        source,
    };
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    let builder = match &settings.client_ca {
        Some(authorities) => {
            let revoked = settings.client_crl.as_deref();
            builder.with_client_cert_verifier(verifier(authorities, revoked)?)
        }
        None => builder.with_no_client_auth(),
    };
    let config = builder.with_single_cert(chain, key);
    let mut config = config.map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The cryptography, named here because other crates of a program may bring another.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Verifies that a certificate is of one of the authorities, and not revoked; without one, no
/// connection is made.
fn verifier(path: &Path, revoked: Option<&Path>) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut authorities = RootCertStore::empty();
    for certificate in certificates(path)? {
        let added = authorities.add(certificate);
        added.map_err(|error| authority_error(path, error))?;
    }
    let mut builder = WebPkiClientVerifier::builder_with_provider(authorities.into(), provider());
    if let Some(path) = revoked {
        let lists: Vec<CertificateRevocationListDer<'_>> = pem_items(path, "revocation list")?;
        if lists.iter().any(is_out_of_date) {
            // What it revokes stays revoked: better than to let nobody in.
            log::warn!(
                "{} is out of date: later revocations are not known",
                path.display()
            );
        }
        builder = builder.with_crls(lists);
    }
    builder.build().map_err(|error| match (&error, revoked) {
        (VerifierBuilderError::InvalidCrl(_), Some(list)) => authority_error(list, error),
        _ => authority_error(path, error),
    })
}

/// Whether the next list should be there already.
fn is_out_of_date(list: &CertificateRevocationListDer<'_>) -> bool {
    let list = CertificateList::<Rfc5280>::from_der(list);
    let next = list.ok().and_then(|list| list.tbs_cert_list.next_update);
    next.is_some_and(|next| next.to_unix_duration().as_secs_f64() < now())
}

fn authority_error(path: &Path, source: impl Error + Send + Sync + 'static) -> TlsError {
    TlsError::Authority {
        path: path.to_owned(),
        source: Box::new(source),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })
}

pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    pem_items(path, "certificate")
}

/// What a file holds of a kind, which must be at least one.
fn pem_items<T: PemObject>(path: &Path, expected: &'static str) -> Result<Vec<T>, TlsError> {
    let pem = read(path)?;
    let found: Result<Vec<_>, _> = T::pem_slice_iter(&pem).collect();
    let found = found.ok().filter(|found| !found.is_empty());
    found.ok_or_else(|| TlsError::Pem {
        path: path.to_owned(),
        expected,
    })
}

pub(crate) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|_| TlsError::Pem {
        path: path.to_owned(),
        expected: "private key",
    })
}

/// The name (CN) on a certificate that was verified; `None` if there is none, several, or one that
/// could not be shown.
pub(super) fn common_name(certificate: &CertificateDer<'_>) -> Option<String> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let subject = certificate.tbs_certificate().subject();
    let attributes = subject.iter();
    let mut names = attributes.filter(|attribute| attribute.oid == COMMON_NAME);
    let name = names.next()?;
    let name = text(&name.value).filter(|_| names.next().is_none())?;
    let shown = !name.is_empty() && !name.contains(char::is_control);
    shown.then_some(name)
}

fn text(value: &Any) -> Option<String> {
    let utf8 = value.decode_as::<Utf8StringRef<'_>>();
    let text = utf8.map(|text| text.as_str().to_owned());
    text.or_else(|_| {
        let printable = value.decode_as::<PrintableStringRef<'_>>();
        printable.map(|text| text.as_str().to_owned())
    })
    .ok()
}
