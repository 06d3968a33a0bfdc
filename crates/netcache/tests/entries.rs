//! Entries: whose signatures count, and what fits.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use std::path::Path;

use netcache::{
    Algorithm, Digest, Entry, KeyKind, Platform, PrivateKey, ReleaseKey, SignatureHash,
    SignaturePolicy, Signer, Trust, Unusable, generate_key, parse_list,
};
use proptest::prelude::*;

const RELEASE: ReleaseKey<'_> = ReleaseKey {
    url: "http://releases.invalid/software.cfg",
    name: "0123456789abcdef0123456789abcdef",
    software_root: "/opt/slapgrid",
};

/// Keys are dear to make: one of each kind for all tests of a run.
struct Keys {
    directory: tempfile::TempDir,
    rsa: String,
    ed25519: String,
}

fn keys() -> &'static Keys {
    static KEYS: std::sync::OnceLock<Keys> = std::sync::OnceLock::new();
    KEYS.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let make = |kind, name: &str| generate_key(kind, "C", &directory.path().join(name), None);
        let rsa = make(KeyKind::Rsa, "rsa").unwrap();
        let ed25519 = make(KeyKind::Ed25519, "ed25519").unwrap();
        Keys {
            directory,
            rsa,
            ed25519,
        }
    })
}

fn key(name: &str) -> PrivateKey {
    PrivateKey::read(&keys().directory.path().join(name)).unwrap()
}

fn trust(certificates: &str) -> Trust {
    Trust::parse(certificates, SignaturePolicy::default())
}

fn digest() -> Digest {
    Digest::of(&b"archive"[..]).unwrap()
}

fn signed(signer: &Signer) -> Entry {
    Entry::of_release(&digest(), &Platform::detect(), &RELEASE, signer).unwrap()
}

fn rsa(hash: SignatureHash) -> Signer {
    Signer {
        key: Some(key("rsa")),
        hash,
        additional: None,
    }
}

/// The text and the signature.
fn parts(entry: &Entry) -> (String, String) {
    serde_json::from_value(serde_json::to_value(entry).unwrap()).unwrap()
}

fn entry(text: &str, signature: &str) -> Entry {
    serde_json::from_value(serde_json::json!([text, signature])).unwrap()
}

fn select(entry: &Entry, trust: &Trust) -> Result<Algorithm, Unusable> {
    let selected = entry.select(trust, &Platform::detect(), &RELEASE);
    selected.map(|(found, algorithm)| {
        assert_eq!(found, digest());
        algorithm
    })
}

#[test]
fn each_kind_of_signature_counts_if_the_policy_says_so() {
    let keys = keys();
    let both = format!("{}{}", keys.rsa, keys.ed25519);
    let ed25519 = Signer {
        key: Some(key("ed25519")),
        ..Signer::default()
    };
    let additional = Signer {
        additional: Some(key("ed25519")),
        ..rsa(SignatureHash::Sha1)
    };
    for (signer, expected) in [
        (rsa(SignatureHash::Sha1), Algorithm::RsaSha1),
        (rsa(SignatureHash::Sha256), Algorithm::RsaSha256),
        (ed25519, Algorithm::Ed25519),
    ] {
        let entry = signed(&signer);
        assert_eq!(select(&entry, &trust(&both)), Ok(expected));
        let policy = expected.to_string().parse().unwrap();
        assert_eq!(select(&entry, &Trust::parse(&both, policy)), Ok(expected));
        let others = ["rsa-sha1", "rsa-sha256", "ed25519"].map(str::to_owned);
        let others = others.iter().filter(|name| **name != expected.to_string());
        let policy = others
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
            .parse()
            .unwrap();
        let refused = select(&entry, &Trust::parse(&both, policy)).unwrap_err();
        assert!(refused.to_string().contains("does not accept"), "{refused}");
    }
    let entry = signed(&additional);
    assert_eq!(select(&entry, &trust(&keys.rsa)), Ok(Algorithm::RsaSha1));
    assert_eq!(
        select(&entry, &trust(&keys.ed25519)),
        Ok(Algorithm::Ed25519)
    );
}

#[test]
fn changed_unsigned_and_foreign_entries_do_not_count() {
    let keys = keys();
    let other = tempfile::tempdir().unwrap();
    let other = generate_key(KeyKind::Ed25519, "C", &other.path().join("key"), None).unwrap();
    let entry_rsa = signed(&rsa(SignatureHash::Sha1));
    let (text, signature) = parts(&entry_rsa);
    let changed = text.replace("x86_64", "aarch64").replace("/opt", "/srv");
    for (what, entry, certificates) in [
        ("another key", entry_rsa.clone(), &other),
        ("no certificates", entry_rsa.clone(), &String::new()),
        ("a changed text", entry(&changed, &signature), &keys.rsa),
        (
            "one space more",
            entry(&format!("{text} "), &signature),
            &keys.rsa,
        ),
        ("no signature", entry(&text, ""), &keys.rsa),
        (
            "a signature that is no base64",
            entry(&text, "§"),
            &keys.rsa,
        ),
        ("a short signature", entry(&text, "AAAA"), &keys.rsa),
        (
            "a long signature",
            entry(&text, &"A".repeat(1 << 20)),
            &keys.rsa,
        ),
    ] {
        let refused = select(&entry, &trust(certificates)).expect_err(what);
        assert!(
            matches!(refused, Unusable::Untrusted(_)),
            "{what}: {refused}"
        );
    }
    let ed25519 = signed(&Signer {
        key: Some(key("ed25519")),
        ..Signer::default()
    });
    let (text, _) = parts(&ed25519);
    for changed in [
        text.replace("/opt", "/srv"),
        text.replace("\"ed25519\"", "\"sha512\":\"\",\"ed25519\""),
        text.replacen('{', "{\"sha512\":\"\",", 1),
        format!("{text} "),
    ] {
        assert_ne!(changed, text);
        assert!(
            select(&entry(&changed, ""), &trust(&keys.ed25519)).is_err(),
            "{changed}"
        );
    }
}

#[test]
fn signed_entries_must_fit() {
    let keys = keys();
    let platform = Platform::detect();
    let list = |os: &[&str]| serde_json::json!(os);
    let ours = &platform.distribution;
    let (name, version, codename) = (&ours.name, &ours.version, &ours.codename);
    let text = format!("('{name}', '{version}', '{codename}')");
    let right = serde_json::json!({
        "sha512": digest().as_str(), "software_url": RELEASE.url, "software_root": RELEASE.software_root,
        "multiarch": platform.multiarch, "os": list(&[name, version, codename]), "unknown": {"field": [1]},
    });
    let with = |field: &str, value: serde_json::Value| {
        let mut object = right.clone();
        object[field] = value;
        object
    };
    let mut older = with("os", text.into());
    older.as_object_mut().unwrap().remove("multiarch");
    older["machine"] = platform.machine.as_str().into();
    let mut without = right.clone();
    without.as_object_mut().unwrap().remove("sha512");
    for (object, expected) in [
        (right.clone(), None),
        (older, None),
        (without, Some("no valid sha512")),
        (with("sha512", "00".into()), Some("no valid sha512")),
        (with("sha512", 7.into()), Some("no valid sha512")),
        (
            with("multiarch", "sparc64-linux-gnu".into()),
            Some("for the machine sparc64-linux-gnu"),
        ),
        (
            with("os", list(&["plan9", "4", ""])),
            Some("for the distribution ('plan9', '4', '')"),
        ),
        (
            with("os", list(&["debian"])),
            Some("for the distribution unknown"),
        ),
        (with("os", 7.into()), Some("for the distribution unknown")),
        (
            with("software_url", "http://other/".into()),
            Some("it is about http://other/"),
        ),
        (
            with("software_root", "/srv".into()),
            Some("for the software root /srv"),
        ),
        ("text".into(), Some("no JSON object")),
        (list(&["a"]), Some("no JSON object")),
    ] {
        let entry = signed_text(&object.to_string());
        let selected = select(&entry, &trust(&keys.rsa));
        match expected {
            None => assert_eq!(selected, Ok(Algorithm::RsaSha256), "{object}"),
            Some(reason) => {
                let refused = selected.unwrap_err().to_string();
                assert!(refused.contains(reason), "{refused}");
            }
        }
    }
}

/// Signs any text, with openssl.
fn signed_text(text: &str) -> Entry {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut openssl = Command::new("openssl");
    openssl.args(["dgst", "-sha256", "-sign"]);
    openssl.arg(keys().directory.path().join("rsa"));
    let openssl = openssl.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = openssl.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let signature = child.wait_with_output().unwrap().stdout;
    use base64::Engine as _;
    entry(text, &base64::prelude::BASE64_STANDARD.encode(signature))
}

#[test]
fn keys_and_certificates_of_openssl_are_read() {
    let directory = tempfile::tempdir().unwrap();
    for (algorithm, kind) in [("rsa:1024", "rsa"), ("ed25519", "ed25519")] {
        let (key, certificate) = (directory.path().join(kind), directory.path().join("crt"));
        let mut openssl = std::process::Command::new("openssl");
        openssl.args([
            "req", "-x509", "-nodes", "-subj", "/CN=C", "-newkey", algorithm,
        ]);
        let made = openssl
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output();
        assert!(made.unwrap().status.success());
        let certificate = std::fs::read_to_string(&certificate).unwrap();
        // As a value of several lines in slapos.cfg.
        let indented = certificate.replace('\n', "\n  ");
        let trust = trust(&format!("\n  {indented}\n  {}", keys().rsa));
        let key = PrivateKey::read(&key).unwrap();
        assert!(trust.knows(&key), "{algorithm}");
        assert!(!trust.warnings().is_empty());
        let weak = trust
            .warnings()
            .iter()
            .any(|warning| warning.contains("1024 bits"));
        assert_eq!(weak, kind == "rsa");
        let signer = Signer {
            key: Some(key),
            ..Signer::default()
        };
        select(&signed(&signer), &trust).unwrap();
    }
    for wrong in [
        "",
        "nonsense",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ] {
        let path = directory.path().join("wrong");
        std::fs::write(&path, wrong).unwrap();
        let error = PrivateKey::read(&path).unwrap_err().to_string();
        assert!(
            error.contains("holds no RSA or Ed25519 private key"),
            "{error}"
        );
    }
    assert!(PrivateKey::read(Path::new("/no/such")).is_err());
}

#[test]
fn a_certificate_that_cannot_be_read_does_not_take_the_others_with_it() {
    let keys = keys();
    let broken = keys.ed25519.replacen("MI", "!!", 1);
    let cut = &keys.ed25519[..60];
    let trust = trust(&format!("{broken}{}\n{cut}", keys.rsa));
    assert!(trust.knows(&key("rsa")));
    assert!(!trust.knows(&key("ed25519")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_a_server_sends_is_refused_and_not_fatal(
        json in prop_oneof![
            any::<Vec<u8>>(),
            "[\\[\\]{}\",:a-z0-9\\\\ ]{0,80}".prop_map(String::into_bytes),
            ("\\PC{0,60}", "[A-Za-z0-9+/=]{0,40}")
                .prop_map(|(text, signature)| serde_json::json!([[text, signature]]).to_string().into_bytes()),
            ("[{}\",:a-z0-9 ]{0,40}", "[A-Za-z0-9+/=]{0,40}").prop_map(|(text, signature)| {
                let text = format!("{{{text},\"ed25519\":\"{signature}\"}}");
                serde_json::json!([[text, signature]]).to_string().into_bytes()
            }),
        ]
    ) {
        let trust = trust(&keys().ed25519);
        for entry in parse_list(&json).into_iter().flatten().flatten() {
            prop_assert!(entry.select(&trust, &Platform::detect(), &RELEASE).is_err());
        }
    }
}
