//! What tells of parts that are used.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use slapos_config::ConfigFile;
use slapos_fs::{open_regular, read_bounded};

use super::PruneError;
use super::signatures::Signatures;

/// Largest slapos.cfg of an instance, in bytes.
const CONFIGURATION_LIMIT: u64 = 1 << 20;

/// The directories of the parts in a directory of shared parts; none if that does not exist.
pub(super) fn parts(shared: &Path) -> Result<Vec<PathBuf>, PruneError> {
    let mut parts = Vec::new();
    for name in directories(shared)? {
        parts.extend(directories(&name)?);
    }
    parts.sort();
    Ok(parts)
}

/// What the releases in a directory use: what buildout has recorded, and what their programs name.
pub(super) fn of_releases(
    root: &Path,
    signatures: &Signatures<'_>,
    found: &mut BTreeSet<usize>,
) -> Result<(), PruneError> {
    for release in directories(root)? {
        of_file(&release.join(".installed.cfg"), signatures, found)?;
        for program in list(&release.join("bin"))? {
            of_file(&program.path(), signatures, found)?;
        }
    }
    Ok(())
}

/// What a part uses, by the records that it was built with.
pub(super) fn of_part(
    part: &Path,
    signatures: &Signatures<'_>,
    found: &mut BTreeSet<usize>,
) -> Result<(), PruneError> {
    for file in list(part)? {
        let name = file.file_name();
        let name = name.as_encoded_bytes();
        if name == b".buildout-shared.json"
            || (name.starts_with(b".") && name.ends_with(b"signature"))
        {
            of_file(&file.path(), signatures, found)?;
        }
    }
    Ok(())
}

/// What nodes use that are instances: each has a slapos.cfg that tells of its directories. What
/// instances have put there and cannot be used holds nobody up.
pub(super) fn of_instances(root: &Path, signatures: &Signatures<'_>, found: &mut BTreeSet<usize>) {
    let (mut seen, mut waiting) = (BTreeSet::new(), vec![root.to_owned()]);
    while let Some(directory) = waiting.pop() {
        if !seen.insert(directory.clone()) {
            continue;
        }
        for entry in list(&directory).unwrap_or_default() {
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() {
                waiting.push(entry.path());
            } else if kind.is_file() && entry.file_name() == "slapos.cfg" {
                let node = InnerNode::read(&entry.path());
                node.use_of_parts(signatures, found);
                waiting.extend(node.instance_root);
            }
        }
    }
}

/// The directories of a node that is an instance.
#[derive(Default)]
struct InnerNode {
    software_root: Option<PathBuf>,
    instance_root: Option<PathBuf>,
    shared: Option<PathBuf>,
}

impl InnerNode {
    fn read(path: &Path) -> Self {
        // No waiting for a pipe, no following of a link that took its place meanwhile.
        let text = read_bounded(path, CONFIGURATION_LIMIT).ok();
        let file = text.and_then(|text| ConfigFile::parse(path, &text).ok());
        let (Some(file), Ok(metadata)) = (file, path.symlink_metadata()) else {
            return Self::default();
        };
        let section = file.section("slapos");
        // Nobody can have us look through the directories of others.
        let own = |path: &PathBuf| {
            path.is_absolute()
                && path
                    .metadata()
                    .is_ok_and(|found| found.uid() == metadata.uid())
        };
        let directory = |key| section.get_path(key).ok().flatten().filter(own);
        let shared = section.get_lines("shared_part_list").unwrap_or_default();
        Self {
            software_root: directory("software_root"),
            instance_root: directory("instance_root"),
            shared: shared.last().map(PathBuf::from).filter(own),
        }
    }

    fn use_of_parts(&self, signatures: &Signatures<'_>, found: &mut BTreeSet<usize>) {
        let software = self.software_root.iter();
        let of_software = software.map(|root| of_releases(root, signatures, found));
        let mut results: Vec<_> = of_software.collect();
        let shared = self.shared.iter();
        for part in shared.flat_map(|shared| parts(shared).unwrap_or_default()) {
            results.push(of_part(&part, signatures, found));
        }
        for error in results.into_iter().filter_map(Result::err) {
            log::warn!(
                "a node within an instance: {}",
                crate::outcome::error_chain(&error)
            );
        }
    }
}

/// The signatures in a file, and in where a link leads. One that is not there names nothing.
fn of_file(
    path: &Path,
    signatures: &Signatures<'_>,
    found: &mut BTreeSet<usize>,
) -> Result<(), PruneError> {
    if let Ok(target) = fs::read_link(path) {
        signatures.find(target.as_os_str().as_encoded_bytes(), found);
    }
    if !path.is_file() {
        return Ok(());
    }
    let read = open_regular(path).and_then(|file| signatures.find_in(file, found));
    read.map_err(|source| unreadable(path, source))
}

fn directories(path: &Path) -> Result<Vec<PathBuf>, PruneError> {
    let entries = list(path)?.into_iter();
    let entries = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    Ok(entries.map(|entry| entry.path()).collect())
}

/// What is in a directory; nothing if that does not exist.
fn list(path: &Path) -> Result<Vec<DirEntry>, PruneError> {
    let listed = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.and_then(Iterator::collect),
    };
    listed.map_err(|source| unreadable(path, source))
}

fn unreadable(path: &Path, source: io::Error) -> PruneError {
    PruneError::Read {
        path: path.to_owned(),
        source,
    }
}

/// Whether a name begins so.
pub(super) fn has_prefix(path: &Path, prefix: &str) -> bool {
    let name = path.file_name().map_or(&[][..], OsStr::as_encoded_bytes);
    name.starts_with(prefix.as_bytes())
}
