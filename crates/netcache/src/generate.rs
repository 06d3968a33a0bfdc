//! New keys for signatures.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ED25519, PKCS_RSA_SHA256, date_time_ymd};
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
use sha2::Sha256;
use slapos_fs::{FileAttributes, WriteError, write_new_file};

/// What keeps for as long as the signatures are of use.
const RSA_BITS: usize = 3072;

/// The kind of a new key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyKind {
    /// RSA of 3072 bits, whose signatures all nodes can read.
    #[default]
    Rsa,
    /// Ed25519, which only this software reads.
    Ed25519,
}

/// A key could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// There is a file already, which may be of use to somebody.
    #[error("{path} exists, and is not overwritten")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// No random numbers, or too few.
    #[error("cannot make a key")]
    Key(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The name cannot be that of a certificate.
    #[error("cannot make a certificate of {name:?}")]
    Certificate {
        /// The name.
        name: String,
        /// Why.
        source: rcgen::Error,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Makes a key and a certificate of it, which says `name`; returns the certificate in PEM format. The key
/// file is readable for its owner only.
///
/// # Errors
/// One of the files exists or cannot be written.
pub fn generate_key(
    kind: KeyKind,
    name: &str,
    key_file: &Path,
    certificate_file: Option<&Path>,
) -> Result<String, GenerateError> {
    let files = [Some(key_file), certificate_file].into_iter().flatten();
    if let Some(path) = files.clone().find(|path| path.symlink_metadata().is_ok()) {
        let path = path.to_owned();
        return Err(GenerateError::Exists { path });
    }
    let key = match kind {
        KeyKind::Rsa => rsa_key()?,
        KeyKind::Ed25519 => KeyPair::generate_for(&PKCS_ED25519)
            .map_err(|error| GenerateError::Key(error.into()))?,
    };
    let certificate = certificate(name, &key).map_err(|source| GenerateError::Certificate {
        name: name.to_owned(),
        source,
    })?;
    write_new_file(key_file, key.serialize_pem().as_bytes(), mode(0o600))?;
    if let Some(path) = certificate_file
        && let Err(error) = write_new_file(path, certificate.as_bytes(), mode(0o644))
    {
        // A key without its certificate would only be in the way of the next attempt.
        let _ = fs::remove_file(key_file);
        return Err(error.into());
    }
    Ok(certificate)
}

fn mode(mode: u32) -> FileAttributes {
    FileAttributes { mode, owner: None }
}

fn rsa_key() -> Result<KeyPair, GenerateError> {
    let key = SigningKey::<Sha256>::random(&mut getrandom::SysRng, RSA_BITS);
    let key = key.map_err(|error| GenerateError::Key(error.into()))?;
    let pem = key.to_pkcs8_pem(LineEnding::LF);
    let pem = pem.map_err(|error| GenerateError::Key(error.into()))?;
    KeyPair::from_pkcs8_pem_and_sign_algo(&pem, &PKCS_RSA_SHA256)
        .map_err(|error| GenerateError::Key(error.into()))
}

fn certificate(name: &str, key: &KeyPair) -> Result<String, rcgen::Error> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    // Nobody looks at the time: a certificate is trusted for as long as it is in the list.
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(2120, 1, 1);
    Ok(parameters.self_signed(key)?.pem())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_key_without_its_certificate() {
        let directory = tempfile::tempdir().unwrap();
        let (key, nowhere) = (
            directory.path().join("key"),
            Path::new("missing/certificate"),
        );
        let made = generate_key(KeyKind::Ed25519, "me", &key, Some(nowhere));
        assert!(matches!(made, Err(GenerateError::Write(_))), "{made:?}");
        assert!(!key.exists());
        generate_key(KeyKind::Ed25519, "me", &key, None).unwrap();
    }
}
