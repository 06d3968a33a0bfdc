//! `packages/NAME/tree/`: what packages hold beside the programs, as it will lie on disk.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The directory of the packages.
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packages")
}

/// The names of all packages, sorted.
///
/// # Errors
/// The directory cannot be listed.
pub fn packages() -> Result<Vec<String>> {
    let directory = directory();
    let cannot = || format!("cannot list {}", directory.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&directory).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The files of all trees, sorted, relative to the directory of the packages.
///
/// # Errors
/// A directory cannot be listed.
pub fn files() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for package in packages()? {
        let tree = Path::new(&package).join("tree");
        // A package of programs alone has none.
        if directory().join(&tree).is_dir() {
            collect(&directory(), &tree, &mut found)?;
        }
    }
    found.sort();
    Ok(found)
}

/// All files below a directory, sorted, relative to it.
///
/// # Errors
/// A directory cannot be listed.
pub fn below(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(directory, Path::new(""), &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(root: &Path, below: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let directory = root.join(below);
    let cannot = || format!("cannot list {}", directory.display());
    for entry in fs::read_dir(&directory).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        let path = below.join(entry.file_name());
        if entry.file_type().with_context(cannot)?.is_dir() {
            collect(root, &path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}
