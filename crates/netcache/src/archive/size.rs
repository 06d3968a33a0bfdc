//! How much an archive may need.

use std::fs;
use std::io;
use std::path::Path;

/// Bytes of the files below a directory, and something for each name.
pub(crate) fn size_of(directory: &Path) -> io::Result<u64> {
    const NAME: u64 = 1024;
    let mut total = NAME;
    let mut left = vec![directory.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            // Without following a link.
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                left.push(entry.path());
            }
            total = total.saturating_add(metadata.len()).saturating_add(NAME);
        }
    }
    Ok(total)
}
