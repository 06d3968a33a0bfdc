//! SHA-512 in hexadecimal.

use std::fmt::{self, Write};

use sha2::Sha512;
use sha2::digest::Output;

/// Digits of a SHA-512.
const LENGTH: usize = 128;

/// A SHA-512 in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Digest(String);

impl Digest {
    /// `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let valid = text.len() == LENGTH && text.bytes().all(is_digit);
        valid.then(|| Self(text.to_owned()))
    }

    pub(super) fn of(output: &Output<Sha512>) -> Self {
        let mut text = String::with_capacity(LENGTH);
        for byte in output {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lower_case_hexadecimal_of_the_right_length_is_a_digest() {
        assert!(Digest::parse(&"0a".repeat(64)).is_some());
        for text in [
            "",
            "0a",
            &"0A".repeat(64),
            &"0g".repeat(64),
            &"0a".repeat(65),
            &"é".repeat(64),
        ] {
            assert_eq!(Digest::parse(text), None, "{text}");
        }
    }
}
