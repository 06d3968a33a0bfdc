//! Whatever a bundle holds, only what a key has signed is trusted, and reading ends.

use std::io::Cursor;

use netcache::{BundleReader, Settings, SignaturePolicy, Trust};

/// Holds the keys that have signed what the corpus has of signed entries.
const CERTIFICATES: &str = include_str!("../certificates.pem");
/// All texts that these keys have signed.
const SIGNED: &str = include_str!("../signed.txt");

/// Reads a bundle to its end, and verifies what it offers.
pub(crate) fn check(data: &[u8]) {
    let Ok(mut reader) = BundleReader::open(Cursor::new(data), &|| false) else {
        return;
    };
    let settings = Settings {
        trust: Trust::parse(CERTIFICATES, SignaturePolicy::default()),
        ..Settings::default()
    };
    // Each file of a bundle takes a block of 512 bytes at least.
    for _ in 0..=data.len() / 512 {
        match reader.next_release() {
            Ok(Some(offer)) => {
                let verified = offer.verify(&settings, "/opt/slapgrid");
                if let Ok(verified) = verified {
                    assert!(SIGNED.contains(verified.url()), "nobody has signed that");
                }
            }
            Ok(None) | Err(_) => return,
        }
    }
    panic!("the bundle has no end");
}
