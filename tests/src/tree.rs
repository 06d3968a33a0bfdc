//! What a directory holds, to see that nothing was touched.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Inode, times of contents and of attributes, size and mode.
type State = (u64, [i64; 4], u64, u32);

/// Every file of a directory with what changes when it is touched: inode, times, size, mode.
#[derive(Debug, PartialEq, Eq)]
pub struct Tree(BTreeMap<PathBuf, State>);

impl Tree {
    /// Reads the directory, without the files whose path ends in one of `except`.
    pub fn read(directory: &Path, except: &[&str]) -> Self {
        let mut files = BTreeMap::new();
        collect(directory, except, &mut files);
        Self(files)
    }

    /// The paths that differ between two moments.
    pub fn differences(&self, later: &Self) -> Vec<PathBuf> {
        let paths: std::collections::BTreeSet<_> = self.0.keys().chain(later.0.keys()).collect();
        paths
            .into_iter()
            .filter(|path| self.0.get(*path) != later.0.get(*path))
            .cloned()
            .collect()
    }
}

fn collect(directory: &Path, except: &[&str], files: &mut BTreeMap<PathBuf, State>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let Ok(metadata) = path.symlink_metadata() else {
            continue;
        };
        if metadata.is_dir() {
            collect(&path, except, files);
        }
        if except
            .iter()
            .any(|end| path.to_string_lossy().ends_with(end))
        {
            continue;
        }
        let state = (
            metadata.ino(),
            [
                metadata.mtime(),
                metadata.mtime_nsec(),
                metadata.ctime(),
                metadata.ctime_nsec(),
            ],
            metadata.size(),
            metadata.mode(),
        );
        files.insert(path, state);
    }
}
