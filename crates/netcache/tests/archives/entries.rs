//! Archives that are made entry by entry, as no library would make them.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};

use crate::root::NAME;

/// One entry as bytes, with names that the library would refuse to write.
pub(crate) fn entry(
    kind: EntryType,
    path: &str,
    link: &str,
    mode: u32,
    contents: &[u8],
) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(1_000_000_000);
    header.set_size(contents.len() as u64);
    let fields = header.as_gnu_mut().unwrap();
    fields.name[..path.len()].copy_from_slice(path.as_bytes());
    fields.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(contents);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

pub(crate) fn file(path: &str) -> Vec<u8> {
    entry(EntryType::Regular, path, "", 0o644, b"contents")
}

pub(crate) fn directory(path: &str) -> Vec<u8> {
    entry(EntryType::Directory, path, "", 0o755, b"")
}

pub(crate) fn link(path: &str, target: &str) -> Vec<u8> {
    entry(EntryType::Symlink, path, target, 0o777, b"")
}

pub(crate) fn hard_link(path: &str, target: &str) -> Vec<u8> {
    entry(EntryType::Link, path, target, 0o644, b"")
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn archive(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut tar = directory(NAME);
    tar.extend(entries.concat());
    tar.extend([0; 1024]);
    gzip(&tar)
}

pub(crate) fn below(path: &str) -> String {
    format!("{NAME}/{path}")
}

pub(crate) fn noise(length: u32) -> Vec<u8> {
    let numbers = (0..length).map(|n| n.wrapping_mul(2_654_435_761).rotate_left(n % 31));
    numbers.map(|n| (n >> 13) as u8).collect()
}
