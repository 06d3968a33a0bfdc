//! The signatures of parts, and texts in which they stand.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::PathBuf;

/// Bytes that are looked at at once.
const BLOCK: u64 = 1 << 20;

/// The signatures of parts, which are the names of their directories.
pub(super) struct Signatures<'a> {
    /// The numbers of the parts by signature, by the length of the signature.
    by_length: HashMap<usize, HashMap<&'a [u8], Vec<usize>>>,
}

impl<'a> Signatures<'a> {
    /// Parts are told by their places in the list.
    pub(super) fn of(parts: &'a [PathBuf]) -> Self {
        let mut by_length: HashMap<usize, HashMap<_, Vec<_>>> = HashMap::new();
        for (number, part) in parts.iter().enumerate() {
            let name = part.file_name().map_or(&[][..], OsStr::as_encoded_bytes);
            let same_length = by_length.entry(name.len()).or_default();
            same_length.entry(name).or_default().push(number);
        }
        Self { by_length }
    }

    /// Adds the parts whose signatures stand in a text.
    pub(super) fn find(&self, text: &[u8], found: &mut BTreeSet<usize>) {
        for (length, signatures) in &self.by_length {
            let windows = text.windows((*length).max(1));
            found.extend(
                windows
                    .filter_map(|window| signatures.get(window))
                    .flatten(),
            );
        }
    }

    /// As [`Signatures::find`], however long the text is.
    pub(super) fn find_in(
        &self,
        mut text: impl Read,
        found: &mut BTreeSet<usize>,
    ) -> io::Result<()> {
        let longest = self.by_length.keys().max();
        let overlap = longest.map_or(0, |longest| longest.saturating_sub(1));
        let mut block = Vec::new();
        loop {
            if text.by_ref().take(BLOCK).read_to_end(&mut block)? == 0 {
                return Ok(());
            }
            self.find(&block, found);
            block.drain(..block.len().saturating_sub(overlap));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_found_wherever_they_stand() {
        let parts = ["zlib/aaaa", "curl/bb", "other/aaaa", "last/cccc"].map(PathBuf::from);
        let signatures = Signatures::of(&parts);
        let found = |text: &[u8]| {
            let mut found = BTreeSet::new();
            signatures.find_in(text, &mut found).unwrap();
            found.into_iter().collect::<Vec<_>>()
        };
        assert!(found(b"").is_empty());
        assert_eq!(found(b"\xff/shared/zlib/aaaa/lib"), [0, 2]);
        assert_eq!(found(b"bbaaa cccc"), [1, 3]);
        // Across the end of a block.
        let mut long = vec![b' '; (1 << 20) - 2];
        long.extend(b"cccc");
        assert_eq!(found(&long), [3]);
    }
}
