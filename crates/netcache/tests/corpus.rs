//! What the fuzz targets have found of interest, checked anew; and each of it cut off, or with something
//! changed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails loudly"
)]

use std::fs;
use std::path::Path;

#[path = "../../../fuzz/checks/archive.rs"]
mod archive;
#[path = "../../../fuzz/checks/bundle.rs"]
mod bundle;
#[path = "../../../fuzz/checks/entries.rs"]
mod entries;

/// Checks every file of a corpus, and so many variants of each.
fn replay(target: &str, variants: usize, check: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut count = 0;
    for entry in fs::read_dir(corpus.join(target)).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        let data = fs::read(path).unwrap();
        check(&data);
        for number in 0..variants {
            check(&variant(&data, number));
        }
        count += 1;
    }
    assert!(count > 10, "the corpus of {target} is there");
}

/// Cut off, or one byte changed; spread over the whole.
fn variant(data: &[u8], number: usize) -> Vec<u8> {
    let spread = number.wrapping_mul(2_654_435_761) >> 7;
    let at = spread.checked_rem(data.len()).unwrap_or(0);
    let mut variant = data.to_vec();
    match (number % 2, variant.get_mut(at)) {
        (0, _) => variant.truncate(at),
        (_, Some(byte)) => *byte ^= 1 << (number / 2 % 8),
        (_, None) => {}
    }
    variant
}

#[test]
fn archives_of_the_corpus_stay_in_their_place() {
    replay("archive", 10, archive::check);
}

#[test]
fn entries_of_the_corpus_are_trusted_only_if_they_are_signed() {
    replay("entries", 10, entries::check);
}

#[test]
fn bundles_of_the_corpus_are_trusted_only_if_they_are_signed() {
    replay("bundle", 10, bundle::check);
}
