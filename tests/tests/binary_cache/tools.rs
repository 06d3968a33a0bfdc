//! The tools for keys and look-ups.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use slapos_tests::Outcome;
use slapos_tests::Side::Ours;

use crate::cached::{BUILD, Cached, URL};

#[test]
fn keys_are_private_from_the_start_and_never_overwritten() {
    let cached = Cached::new(Ours);
    let here = cached.node.path();
    let (key, certificate) = (here.join("own.key"), here.join("own.crt"));
    let text = format!(
        "[slapos]\ncomputer_id = COMP-7\n[networkcache]\nsignature_private_key_file = {}\n\
         signature_certificate_file = {}\n",
        key.display(),
        certificate.display()
    );
    cached.node.write("key.cfg", &text);
    let generate = |arguments: &[&str]| {
        let mut command = cached.node.ours("generate-signature-key");
        Outcome::of(command.args(arguments))
    };
    generate(&["key.cfg"]).expect(0);
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::read(&key).unwrap();
    let outcome = generate(&["key.cfg"]).expect(1);
    assert!(
        outcome.stderr.contains("exists, and is not overwritten"),
        "{}",
        outcome.stderr
    );
    generate(&[
        "--cert-file",
        certificate.to_str().unwrap(),
        "fresh.key",
        "x",
    ])
    .expect(1);
    assert!(!here.join("fresh.key").exists());
    assert_eq!(fs::read(&key).unwrap(), before);
    let mut openssl = Command::new("openssl");
    openssl
        .args(["x509", "-noout", "-subject", "-text", "-in"])
        .arg(&certificate);
    let shown = Outcome::of(&mut openssl).expect(0).stdout;
    assert!(shown.contains("CN = COMP-7"), "{shown}");
    assert!(shown.contains("3072 bit"), "{shown}");
}

#[test]
fn lookups_show_what_fits_and_why_not() {
    let cached = Cached::new(Ours);
    let (key, certificate) = cached.key("signer.key", &[]);
    let settings = cached.settings(&key, &certificate);
    cached.configure(&settings);
    let look_up = |arguments: &[&str]| {
        let mut command = cached.node.ours("slapcache-lookup");
        command
            .arg(arguments[0])
            .arg(cached.node.configuration())
            .args(&arguments[1..]);
        Outcome::of(&mut command)
    };
    let outcome = look_up(&["binary-sr", URL]).expect(1);
    assert!(
        outcome
            .stderr
            .contains(&format!("the cache has nothing of {URL}")),
        "{}",
        outcome.stderr
    );
    cached.run(Ours, BUILD).expect(0);
    let shown = look_up(&["binary-sr", URL]).expect(0).stdout;
    assert!(shown.contains(&format!("Software URL: {URL}")), "{shown}");
    assert!(shown.contains("yes (rsa-sha1)"), "{shown}");
    let name = cached
        .release()
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(look_up(&["binary-sr", &name]).expect(0).stdout, shown);
    let (_, other) = cached.key("other.key", &["--kind", "ed25519"]);
    cached.configure(&cached.settings(&key, &other));
    let shown = look_up(&["binary-sr", URL]).expect(0).stdout;
    assert!(
        shown.contains("no: no certificate of signature-certificate-list"),
        "{shown}"
    );
    let text = fs::read_to_string(cached.node.configuration()).unwrap();
    let root = cached.node.software_root().display().to_string();
    let moved = text.replace(
        &format!("software_root = {root}"),
        "software_root = /elsewhere",
    );
    assert_ne!(moved, text);
    cached.node.write("slapos.cfg", &moved);
    let shown = look_up(&["binary-sr", URL]).expect(0).stdout;
    let expected = format!("no: it is for the software root {root}");
    assert!(shown.contains(&expected), "{shown}");
    let outcome = look_up(&["url", "http://example.org/x.tar.gz"]).expect(1);
    assert!(outcome.stderr.contains("are not set"), "{}", outcome.stderr);
}
