//! Bundles: releases with their signed entries in one file, for nodes without network.
//!
//! A bundle is a tar file of plain files, in this order:
//!
//! - `slapos-bundle`, the version of the format: `1` and the end of the line;
//! - for each release `shadir/KEY`, the entries of the release as a directory server answers them
//!   (a JSON array of pairs of a text and a signature), where `KEY` is the MD5 of its URL;
//! - right behind it `shacache/DIGEST`, the archive that these entries describe, where `DIGEST` is its
//!   SHA-512.
//!
//! The paths are those of the two services. Whoever reads it trusts it no more than these: only the
//! signatures count.

mod read;
mod write;

pub use read::{BundleError, BundleReader, ImportError, Offer, Verified};
pub use write::{BundleWriter, ExportError};

/// The first file.
const HEAD: &str = "slapos-bundle";
/// What it holds.
const VERSION: &[u8] = b"1\n";
/// Where entries are.
const ENTRIES: &str = "shadir";
/// Where archives are.
const ARCHIVES: &str = "shacache";
