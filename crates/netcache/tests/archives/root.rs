//! Where archives are packed and unpacked.

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use netcache::{Limits, UnpackError, unpack};

pub(crate) const NAME: &str = "0123456789abcdef";
pub(crate) const LIMITS: Limits = Limits {
    bytes: 64 << 20,
    entries: 1000,
};

/// A software root, with a file beside it that nothing must change.
pub(crate) struct Root {
    pub(crate) directory: tempfile::TempDir,
}

impl Root {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("soft")).unwrap();
        fs::write(directory.path().join("precious"), "precious").unwrap();
        Self { directory }
    }

    pub(crate) fn soft(&self) -> PathBuf {
        self.directory.path().join("soft")
    }

    pub(crate) fn release(&self) -> PathBuf {
        self.soft().join(NAME)
    }

    pub(crate) fn unpack(&self, archive: &[u8]) -> Result<(), UnpackError> {
        unpack(archive, &self.release(), LIMITS, None, &|| false)
    }

    /// Everything below, with contents and targets.
    pub(crate) fn listing(&self) -> Vec<String> {
        let mut lines = Vec::new();
        list(self.directory.path(), Path::new(""), &mut lines);
        lines
    }
}

fn list(root: &Path, below: &Path, lines: &mut Vec<String>) {
    let mut names: Vec<_> = fs::read_dir(root.join(below))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    for name in names {
        let path = below.join(name);
        let full = root.join(&path);
        let metadata = full.symlink_metadata().unwrap();
        let what = if metadata.is_symlink() {
            format!("-> {}", fs::read_link(&full).unwrap().display())
        } else if metadata.is_dir() {
            "/".to_owned()
        } else {
            format!("{:?}", fs::read(&full).unwrap().len())
        };
        let (mode, time) = (metadata.mode() & 0o7777, metadata.mtime());
        lines.push(format!("{} {what} {mode:o} {time}", path.display()));
        if metadata.is_dir() {
            list(root, &path, lines);
        }
    }
}

pub(crate) fn without_times(listing: &[String]) -> Vec<String> {
    let lines = listing.iter().filter_map(|line| line.rsplit_once(' '));
    lines.map(|(line, _)| line.to_owned()).collect()
}

pub(crate) fn contents(mut file: File) -> Vec<u8> {
    file.rewind().unwrap();
    let mut contents = Vec::new();
    file.read_to_end(&mut contents).unwrap();
    contents
}
