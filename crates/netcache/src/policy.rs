//! Which signatures are accepted.

use std::fmt;
use std::str::FromStr;

/// How an entry is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA (PKCS #1 v1.5) over SHA-1, the only one that nodes in Python know.
    RsaSha1,
    /// RSA (PKCS #1 v1.5) over SHA-256.
    RsaSha256,
    /// Ed25519.
    Ed25519,
}

impl Algorithm {
    const ALL: [Self; 3] = [Self::RsaSha1, Self::RsaSha256, Self::Ed25519];
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RsaSha1 => "rsa-sha1",
            Self::RsaSha256 => "rsa-sha256",
            Self::Ed25519 => "ed25519",
        })
    }
}

/// A word that names no algorithm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of rsa-sha1, rsa-sha256, ed25519")]
pub struct UnknownAlgorithm(String);

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        let named = Self::ALL.iter().find(|one| one.to_string() == text);
        named
            .copied()
            .ok_or_else(|| UnknownAlgorithm(text.to_owned()))
    }
}

/// The algorithms that are accepted; all of them by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignaturePolicy(Vec<Algorithm>);

impl SignaturePolicy {
    /// Whether signatures of this kind count.
    pub fn accepts(&self, algorithm: Algorithm) -> bool {
        self.0.contains(&algorithm)
    }
}

impl Default for SignaturePolicy {
    fn default() -> Self {
        Self(Algorithm::ALL.to_vec())
    }
}

impl FromStr for SignaturePolicy {
    type Err = UnknownAlgorithm;

    /// Reads names of algorithms, between white space or commas.
    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        let words = text.split([' ', '\t', '\n', ',']);
        let words = words.filter(|word| !word.is_empty());
        words.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_a_list_of_names() {
        let policy: SignaturePolicy = "rsa-sha256, ed25519".parse().unwrap();
        assert!(!policy.accepts(Algorithm::RsaSha1));
        assert!(policy.accepts(Algorithm::RsaSha256));
        assert!(policy.accepts(Algorithm::Ed25519));
        let error = "rsa-sha256 md5".parse::<SignaturePolicy>().unwrap_err();
        assert!(error.to_string().starts_with("\"md5\" is none of"));
    }
}
