//! How large packages are.

use std::path::Path;

use anyhow::{Context, Result};
use packaging::tree;

/// Prints what was made, each with its size and what its programs and other files take.
pub(super) fn tell(staged: &Path, output: &Path) -> Result<()> {
    for package in tree::packages()? {
        let bytes = tree::below(&staged.join(&package))?
            .iter()
            .map(|path| size(&staged.join(&package).join(path)))
            .sum::<Result<u64>>()?;
        println!("{package}: {} KiB installed", bytes.div_ceil(1024));
    }
    for file in tree::below(output)? {
        let file = output.join(file);
        println!("{}: {} KiB", file.display(), size(&file)?.div_ceil(1024));
    }
    Ok(())
}

fn size(file: &Path) -> Result<u64> {
    let metadata = file.metadata();
    let metadata = metadata.with_context(|| format!("cannot look at {}", file.display()))?;
    Ok(metadata.len())
}
