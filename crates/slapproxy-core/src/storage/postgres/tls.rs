//! Who may be at the other end of a connection, and who we are.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::TlsError;
use crate::server::tls::{certificates, private_key, provider};

/// How TLS is spoken with a server.
#[derive(Debug, Clone)]
pub(super) struct Tls {
    pub(super) trust: Trust,
    /// Our certificate and its key.
    pub(super) certificate: Option<(PathBuf, PathBuf)>,
}

/// Which servers are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trust {
    /// Whoever answers: nobody listens, but anyone may be there.
    Anyone,
    /// Servers with a certificate of these authorities.
    Authorities(PathBuf),
    /// And with the name that was asked for.
    Named(PathBuf),
}

/// Verifies the server's certificate as far as it shall be trusted.
#[derive(Debug)]
struct Verifier {
    authorities: Option<Arc<WebPkiServerVerifier>>,
    checks_name: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Tls {
    /// What makes connections; the files are read.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, TlsError> {
        let verifier = Arc::new(Verifier::of(&self.trust)?);
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|source| unusable(self.trust.path(), source))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let config = match &self.certificate {
            None => builder.with_no_client_auth(),
            Some((path, key)) => builder
                .with_client_auth_cert(certificates(path)?, private_key(key)?)
                .map_err(|source| unusable(path.clone(), source))?,
        };
        Ok(MakeRustlsConnect::new(config))
    }
}

fn unusable(path: PathBuf, source: Error) -> TlsError {
    TlsError::Certificate { path, source }
}

impl Trust {
    fn path(&self) -> PathBuf {
        match self {
            Self::Anyone => PathBuf::new(),
            Self::Authorities(path) | Self::Named(path) => path.clone(),
        }
    }
}

impl Verifier {
    fn of(trust: &Trust) -> Result<Self, TlsError> {
        let authorities = match trust {
            Trust::Anyone => None,
            Trust::Authorities(path) | Trust::Named(path) => {
                let refused =
                    |source: Box<dyn std::error::Error + Send + Sync>| TlsError::Authority {
                        path: path.clone(),
                        source,
                    };
                let mut store = RootCertStore::empty();
                for certificate in certificates(path)? {
                    store
                        .add(certificate)
                        .map_err(|error| refused(error.into()))?;
                }
                let builder = WebPkiServerVerifier::builder_with_provider(store.into(), provider());
                Some(builder.build().map_err(|error| refused(error.into()))?)
            }
        };
        Ok(Self {
            authorities,
            checks_name: matches!(trust, Trust::Named(_)),
            algorithms: provider().signature_verification_algorithms,
        })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(authorities) = &self.authorities else {
            return Ok(ServerCertVerified::assertion());
        };
        let verified = authorities.verify_server_cert(certificate, intermediates, name, ocsp, now);
        match verified {
            // The name is looked at last.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.checks_name => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
