//! The certificates whose owners are believed.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};
use rsa::pkcs1v15::VerifyingKey;
use rsa::signature::Verifier as _;
use rsa::traits::PublicKeyParts as _;
use sha1::Sha1;
use sha2::Sha256;
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{DecodePem as _, Encode as _};

use crate::policy::{Algorithm, SignaturePolicy};
use crate::private_key::PrivateKey;

const MARKER: &str = "-----BEGIN CERTIFICATE-----";
const ED25519_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// RSA keys of fewer bits are warned of.
const SHORT_RSA: u32 = 2048;
/// Longest signature in base64 that is looked at: that of a 16384-bit key is shorter.
const LONGEST_SIGNATURE: usize = 4096;

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum PublicKey {
    Rsa(rsa::PublicKey),
    Ed25519(Vec<u8>),
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa(_) => "RSA",
            Self::Ed25519(_) => "Ed25519",
        })
    }
}

/// The certificates of `signature-certificate-list`, and which of their signatures count.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    keys: Vec<PublicKey>,
    policy: SignaturePolicy,
}

/// Why a signature does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Untrusted {
    /// There is none.
    #[error("it is not signed")]
    Unsigned,
    /// No certificate of the list verifies it.
    #[error("no certificate of signature-certificate-list verifies its signature")]
    Signature,
    /// It is right, but of a kind that is not accepted.
    #[error("it is signed with {0}, which signature-policy does not accept")]
    Policy(Algorithm),
}

impl Trust {
    /// Reads PEM certificates in a row. One that cannot be read is warned of and left out, so that
    /// it does not take the others with it.
    pub fn parse(certificates: &str, policy: SignaturePolicy) -> Self {
        let parts = certificates.split(MARKER).skip(1);
        let keys = parts.filter_map(|part| match public_key(part) {
            Some(key) => Some(key),
            None => {
                log::warn!("signature-certificate-list: a certificate is ignored: it cannot be read, or has another key than RSA or Ed25519");
                None
            }
        });
        let keys: Vec<_> = keys.collect();
        Self { keys, policy }
    }

    /// What an administrator should know: weak keys and digests that are accepted.
    pub fn warnings(&self) -> Vec<String> {
        let rsa = self.keys.iter().filter_map(|key| match key {
            PublicKey::Rsa(key) => Some(key.n().bit_width()),
            PublicKey::Ed25519(_) => None,
        });
        let mut warnings: Vec<_> = rsa
            .clone()
            .filter(|bits| *bits < SHORT_RSA)
            .map(|bits| {
                format!("signature-certificate-list has an RSA key of {bits} bits only; generate-signature-key makes longer ones")
            })
            .collect();
        if rsa.count() > 0 && self.policy.accepts(Algorithm::RsaSha1) {
            let warning = "signatures over SHA-1 are accepted; signature-policy can exclude them";
            warnings.push(warning.to_owned());
        }
        warnings
    }

    /// Whether there is no certificate, so that nothing can be trusted.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether the list has the certificate of this key.
    pub fn knows(&self, key: &PrivateKey) -> bool {
        self.keys.contains(&key.public_key())
    }

    /// Checks an RSA signature in base64.
    pub(crate) fn check_rsa(&self, text: &[u8], signature: &str) -> Result<Algorithm, Untrusted> {
        let signature = decode(signature)?;
        let signature = signature.as_slice();
        let signature = rsa::pkcs1v15::Signature::try_from(signature);
        let signature = signature.map_err(|_| Untrusted::Signature)?;
        let mut found = None;
        for key in &self.keys {
            let PublicKey::Rsa(key) = key else { continue };
            let sha1 = VerifyingKey::<Sha1>::new(key.clone());
            let sha256 = VerifyingKey::<Sha256>::new(key.clone());
            if sha1.verify(text, &signature).is_ok() {
                found = Some(Algorithm::RsaSha1);
            } else if sha256.verify(text, &signature).is_ok() {
                found = Some(Algorithm::RsaSha256);
            }
        }
        self.accept(found)
    }

    /// Checks an Ed25519 signature in base64.
    pub(crate) fn check_ed25519(
        &self,
        text: &[u8],
        signature: &str,
    ) -> Result<Algorithm, Untrusted> {
        let signature = decode(signature)?;
        let found = self.keys.iter().any(|key| match key {
            PublicKey::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key)
                .verify(text, &signature)
                .is_ok(),
            PublicKey::Rsa(_) => false,
        });
        self.accept(found.then_some(Algorithm::Ed25519))
    }

    fn accept(&self, found: Option<Algorithm>) -> Result<Algorithm, Untrusted> {
        let algorithm = found.ok_or(Untrusted::Signature)?;
        if self.policy.accepts(algorithm) {
            Ok(algorithm)
        } else {
            Err(Untrusted::Policy(algorithm))
        }
    }
}

fn decode(signature: &str) -> Result<Vec<u8>, Untrusted> {
    let signature = signature.trim();
    match signature.len() {
        0 => Err(Untrusted::Unsigned),
        length if length > LONGEST_SIGNATURE => Err(Untrusted::Signature),
        _ => BASE64_STANDARD
            .decode(signature)
            .map_err(|_| Untrusted::Signature),
    }
}

/// The key of a certificate, given what follows its first line. Lines may be indented, as they are
/// in configuration files.
fn public_key(part: &str) -> Option<PublicKey> {
    let lines = part.lines().map(str::trim).filter(|line| !line.is_empty());
    let end = "-----END CERTIFICATE-----";
    let mut pem = MARKER.to_owned();
    for line in lines {
        pem = pem + "\n" + line;
        if line == end {
            break;
        }
    }
    let certificate = Certificate::from_pem(pem + "\n").ok()?;
    let info = certificate.tbs_certificate().subject_public_key_info();
    if info.algorithm.oid == ED25519_OID {
        let key = info.subject_public_key.as_bytes()?;
        return Some(PublicKey::Ed25519(key.to_vec()));
    }
    let der = info.to_der().ok()?;
    let key = rsa::pkcs8::DecodePublicKey::from_public_key_der(&der).ok()?;
    Some(PublicKey::Rsa(key))
}
