//! SHA-512, by which the cache knows files.

use std::fmt;
use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha512};

/// Hexadecimal digits of a SHA-512.
const LENGTH: usize = 128;

/// The SHA-512 of a file, in lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Digest(String);

impl Digest {
    /// Accepts 128 hexadecimal digits, of either case.
    pub fn parse(text: &str) -> Option<Self> {
        let valid = text.len() == LENGTH && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        valid.then(|| Self(text.to_ascii_lowercase()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// What reading says.
    pub fn of(mut reader: impl Read) -> io::Result<Self> {
        let mut hasher = Hasher::default();
        io::copy(&mut reader, &mut hasher)?;
        Ok(hasher.finish())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Takes bytes as a writer, and says their digest.
#[derive(Default)]
pub(crate) struct Hasher(Sha512);

impl Hasher {
    pub(crate) fn finish(self) -> Digest {
        let digest = self.0.finalize();
        Digest(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_are_a_digest() {
        let digest = Digest::of(&b"abc"[..]).unwrap();
        assert!(digest.as_str().starts_with("ddaf35a193617aba"));
        let upper = digest.as_str().to_uppercase();
        assert_eq!(Digest::parse(&upper), Some(digest));
        for text in [
            "",
            "abc",
            &"g".repeat(128),
            &"0".repeat(127),
            &"é".repeat(64),
        ] {
            assert_eq!(Digest::parse(text), None, "{text}");
        }
    }
}
