//! The key that signs what is uploaded.

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use sha1::Sha1;
use sha2::Sha256;
use slapos_fs::{ReadError, read_bounded};
use x509_cert::der::pem;

use crate::trust::PublicKey;

/// Largest key file that is read, in bytes.
const LARGEST: u64 = 64 << 10;

/// The digest under an RSA signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignatureHash {
    /// For readers in Python, which know no other.
    #[default]
    Sha1,
    /// For newer readers.
    Sha256,
}

/// A private key.
pub struct PrivateKey(Kind);

enum Kind {
    Rsa(Box<rsa::PrivateKey>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

/// A private key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateKeyError {
    /// Its file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file holds something else.
    #[error("{path} holds no RSA or Ed25519 private key in PEM format without a password")]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// Signing failed.
    #[error("cannot sign")]
    Sign(#[source] rsa::signature::Error),
}

/// What a key says about a text.
#[derive(Debug)]
pub(crate) enum Signature {
    Rsa(String),
    Ed25519(String),
}

impl PrivateKey {
    /// Reads a PEM file: PKCS #8, or PKCS #1 as older programs write it.
    ///
    /// # Errors
    /// The file cannot be read or holds no such key.
    pub fn read(path: &Path) -> Result<Self, PrivateKeyError> {
        // The file may be a link, as configuration often is.
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let contents = read_bounded(&real, LARGEST)?;
        let parsed = std::str::from_utf8(&contents).ok().and_then(Self::parse);
        parsed.ok_or_else(|| PrivateKeyError::Format {
            path: path.to_owned(),
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let rsa = rsa::PrivateKey::from_pkcs8_pem(text).ok();
        let rsa = rsa.or_else(|| rsa::PrivateKey::from_pkcs1_pem(text).ok());
        if let Some(key) = rsa {
            return Some(Self(Kind::Rsa(Box::new(key))));
        }
        let (_, der) = pem::decode_vec(text.trim().as_bytes()).ok()?;
        // The public half is optional there, and openssl leaves it out.
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).ok()?;
        Some(Self(Kind::Ed25519(Box::new(key))))
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        match &self.0 {
            Kind::Rsa(key) => PublicKey::Rsa(key.to_public_key()),
            Kind::Ed25519(key) => PublicKey::Ed25519(key.public_key().as_ref().to_vec()),
        }
    }

    /// Whether it is an RSA key, whose signatures nodes in Python can read.
    pub fn is_rsa(&self) -> bool {
        matches!(self.0, Kind::Rsa(_))
    }

    pub(crate) fn sign(
        &self,
        text: &[u8],
        hash: SignatureHash,
    ) -> Result<Signature, PrivateKeyError> {
        let key = match &self.0 {
            Kind::Ed25519(key) => {
                let signature = BASE64_STANDARD.encode(key.sign(text));
                return Ok(Signature::Ed25519(signature));
            }
            Kind::Rsa(key) => rsa::PrivateKey::clone(key),
        };
        let signature = match hash {
            SignatureHash::Sha1 => SigningKey::<Sha1>::new(key).try_sign(text),
            SignatureHash::Sha256 => SigningKey::<Sha256>::new(key).try_sign(text),
        };
        let signature = signature.map_err(PrivateKeyError::Sign)?.to_vec();
        Ok(Signature::Rsa(BASE64_STANDARD.encode(signature)))
    }
}
