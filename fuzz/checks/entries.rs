//! Whatever a directory server answers, only what a key has signed is trusted.

use netcache::{Entry, SignaturePolicy, Trust, parse_list};

/// Holds the keys that have signed what the corpus has of signed entries.
const CERTIFICATES: &str = include_str!("../certificates.pem");
/// All texts that these keys have signed.
const SIGNED: &str = include_str!("../signed.txt");

/// Reads the answer of a directory server, and verifies the entries.
pub(crate) fn check(data: &[u8]) {
    let Ok(entries) = parse_list(data) else {
        return;
    };
    let trust = Trust::parse(CERTIFICATES, SignaturePolicy::default());
    for entry in entries.iter().flatten() {
        check_trust(entry, &trust);
    }
}

fn check_trust(entry: &Entry, trust: &Trust) {
    let Ok((description, _)) = entry.verify(trust) else {
        return;
    };
    let said = |name| description.text(name).unwrap_or_default();
    let signed = SIGNED
        .lines()
        .any(|text| text.contains(said("software_url")) && text.contains(said("sha512")));
    assert!(signed, "nobody has signed that: {description:?}");
}
