//! Bundles: releases for nodes without network.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use slapos_tests::Side::Ours;
use slapos_tests::{Outcome, poll};

use crate::cached::{BUILD, Cached, FAIL, URL};

/// A node whose release is built; its key, and the certificate of that.
struct Exporter {
    cached: Cached,
    key: String,
    certificate: String,
}

impl Exporter {
    fn new(script: &str) -> Self {
        let cached = Cached::new(Ours);
        let (key, certificate) = cached.key("signer.key", &["--kind", "ed25519"]);
        let exporter = Self {
            cached,
            key,
            certificate,
        };
        exporter.trust(&exporter.certificate, "");
        exporter.cached.run(Ours, script).expect(0);
        exporter
    }

    /// Only a key and a certificate: there are no servers.
    fn trust(&self, certificate: &str, more: &str) {
        let certificate = certificate.trim().replace('\n', "\n  ");
        let key = match certificate.is_empty() || certificate != self.listed() {
            true => String::new(),
            false => format!("signature-private-key-file = {}\n", self.key),
        };
        self.cached.configure(&format!(
            "{more}{key}signature-certificate-list =\n  {certificate}\n"
        ));
    }

    fn listed(&self) -> String {
        self.certificate.trim().replace('\n', "\n  ")
    }

    fn file(&self) -> PathBuf {
        self.cached.node.path().join("releases.bundle")
    }

    fn run(&self, option: &str) -> Outcome {
        let file = self.file();
        let arguments = [
            option,
            file.to_str().expect("the path is a text"),
            "--console",
        ];
        Outcome::of(&mut self.cached.node.ours_with("slapgrid-sr", &arguments))
    }

    fn export(&self) {
        self.run("--export-bundle").expect(0);
    }

    /// Imports what must be refused, and checks that nothing is left of it.
    fn refuse(&self, what: &str, expected: &str) {
        let outcome = self.run("--import-bundle").expect(1);
        let text = outcome.text();
        let last = text.lines().last().unwrap_or_default();
        println!("| {what} | {last} |");
        assert!(text.contains(expected), "{what}: {text}");
        let root = fs::read_dir(self.cached.node.software_root()).expect("the root is there");
        assert_eq!(root.count(), 0, "{what}: something is left");
    }
}

#[test]
fn a_bundle_brings_releases_to_a_node_without_network() {
    let mut exporter = Exporter::new(BUILD);
    exporter.export();
    let mut list = Command::new("tar");
    let listed = Outcome::of(list.arg("-tf").arg(exporter.file()))
        .expect(0)
        .stdout;
    println!("{listed}");
    exporter.cached.forget();
    exporter.cached.master.stop();
    let outcome = exporter.run("--import-bundle").expect(0);
    assert!(
        outcome.text().contains(&format!("imported {URL}")),
        "{}",
        outcome.text()
    );
    let again = exporter.run("--import-bundle").expect(0);
    assert!(
        again.text().contains("is installed already"),
        "{}",
        again.text()
    );
    // The next run tells the master, and builds nothing.
    exporter.cached.restart_master();
    exporter.cached.run(Ours, FAIL).expect(0);
    exporter.cached.check_contents("imported");
    exporter.cached.check_owner();
    let calls = exporter.cached.master.calls();
    assert!(
        calls
            .iter()
            .any(|call| call.endpoint == "availableSoftwareRelease")
    );
    assert!(!exporter.cached.release().join(".netrc").exists());
}

/// Changes a bundle.
type Spoil = fn(&mut Vec<u8>);

#[test]
fn bundles_that_cannot_be_trusted_are_refused() {
    let exporter = Exporter::new(BUILD);
    exporter.export();
    exporter.cached.forget();
    let right = fs::read(exporter.file()).expect("the bundle is there");
    let (_, other) = exporter.cached.key("other.key", &["--kind", "ed25519"]);
    let table: [(&str, Spoil, &str); 6] = [
        ("nothing", |bytes| bytes.clear(), "is no bundle"),
        ("something else", |bytes| bytes[0] = b'x', "is no bundle"),
        (
            "another version",
            |bytes| bytes[512] = b'2',
            "of a version that is not known",
        ),
        (
            "truncated",
            |bytes| bytes.truncate(bytes.len() - 2100),
            "truncated",
        ),
        (
            "an entry that was changed",
            |bytes| replace(bytes, b"machine", b"Machine"),
            "no certificate",
        ),
        (
            "an archive that was changed",
            |bytes| {
                // Its long name has a block of its own, before the header.
                let name = position(bytes, b"shacache/");
                bytes[name + 1024 + 100] ^= 1;
            },
            "another SHA-512",
        ),
    ];
    for (what, spoil, expected) in table {
        let mut bytes = right.clone();
        spoil(&mut bytes);
        fs::write(exporter.file(), bytes).expect("the file is ours");
        exporter.refuse(what, expected);
    }
    fs::write(exporter.file(), right).expect("the file is ours");
    exporter.trust(&other, "");
    exporter.refuse(
        "another key",
        "no certificate of signature-certificate-list verifies",
    );
    exporter.trust("", "");
    exporter.refuse(
        "no key",
        "no certificate of signature-certificate-list verifies",
    );
    exporter.trust(&exporter.certificate, "signature-policy = rsa-sha256\n");
    exporter.refuse(
        "the policy",
        "signed with ed25519, which signature-policy does not accept",
    );
    fs::remove_file(exporter.file()).expect("the file is ours");
    exporter.refuse("no file", "cannot read");
    fs::create_dir(exporter.file()).expect("nothing is there");
    exporter.refuse("a directory", "Is a directory");
}

fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    let at = position(bytes, from);
    bytes[at..at + to.len()].copy_from_slice(to);
}

fn position(bytes: &[u8], of: &[u8]) -> usize {
    let at = bytes.windows(of.len()).position(|window| window == of);
    at.expect("it is in the bundle")
}

#[test]
fn an_unfinished_build_is_not_replaced() {
    let exporter = Exporter::new(BUILD);
    exporter.export();
    fs::remove_file(exporter.cached.release().join(".completed")).expect("it was built");
    let outcome = exporter.run("--import-bundle").expect(1);
    assert!(
        outcome.text().contains("exists already, not completed"),
        "{}",
        outcome.text()
    );
    assert!(exporter.cached.release().join("instance.cfg").exists());
}

#[test]
fn an_import_that_was_killed_leaves_nothing_to_the_next() {
    let exporter = Exporter::new(&format!(
        "{BUILD}; mkdir many; (cd many; seq 8000 | xargs touch)"
    ));
    exporter.export();
    exporter.cached.forget();
    let name = exporter
        .cached
        .release()
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let unfinished = format!(".slapos-new-{}", name.expect("a release has a name"));
    let unfinished = exporter.cached.node.software_root().join(unfinished);
    let file = exporter.file();
    let arguments = [
        "--import-bundle",
        file.to_str().expect("the path is a text"),
    ];
    let mut import = exporter.cached.node.ours_with("slapgrid-sr", &arguments);
    let mut import = import.spawn().expect("the tool is there");
    poll::until("files are unpacked", Duration::from_secs(60), || {
        unfinished.join("many").exists()
    });
    import.kill().expect("it is our child");
    import.wait().expect("it is our child");
    assert!(!exporter.cached.release().exists(), "killed in time");
    exporter.run("--import-bundle").expect(0);
    exporter.cached.run(Ours, FAIL).expect(0);
    exporter.cached.check_contents("after a kill");
}

#[test]
fn a_bundle_is_whole_or_not_there() {
    let exporter = Exporter::new(&format!("{BUILD}; chmod 4755 parts/deep/file"));
    fs::write(exporter.file(), "before").expect("the directory is ours");
    let refuse = |expected: &str| {
        let outcome = exporter.run("--export-bundle").expect(1);
        assert!(outcome.text().contains(expected), "{}", outcome.text());
        assert_eq!(fs::read(exporter.file()).expect("it is there"), b"before");
    };
    refuse("is setuid or setgid");
    exporter.trust("", "");
    refuse("set signature-private-key-file");
    exporter.cached.forget();
    exporter.trust(&exporter.certificate, "");
    refuse("no release of the master is installed here");
    let file = exporter.file();
    let arguments = [
        "--export-bundle",
        file.to_str().expect("the path is a text"),
    ];
    let mut other = exporter.cached.node.ours_with("slapgrid-cp", &arguments);
    let outcome = Outcome::of(&mut other).expect(2);
    assert!(
        outcome.stderr.contains("only slapgrid-sr"),
        "{}",
        outcome.stderr
    );
}
