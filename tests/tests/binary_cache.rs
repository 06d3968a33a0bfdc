//! slapgrid-sr and the binary cache: releases of one node's Python or ours, for the other, over the servers
//! of both; and what happens when the cache is of no use.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use slap_proto::documents::SoftwareState;
use slapos_tests::Side::{Ours, Peer};
use slapos_tests::{Node, Outcome, ScriptedMaster, Side, poll};

const URL: &str = "http://releases.invalid/one/software.cfg";
const BUILD: &str = "echo '[buildout]' > instance.cfg; mkdir -p parts/deep; echo text > parts/deep/file\n\
    chmod 640 parts/deep/file; ln parts/deep/file parts/hard; ln -sf deep/file parts/link\n\
    ln -sf $PWD/parts parts/absolute; touch -d @1000000000 parts/deep/file; echo secret > .netrc";
const FAIL: &str = "echo must not be built; exit 1";

/// A node whose master wants one release, and a second one whose master serves the cache.
struct Cached {
    node: Node,
    master: ScriptedMaster,
    server: Node,
}

impl Cached {
    fn new(side: Side) -> Self {
        let (node, mut server) = (Node::new(), Node::new());
        let here = server.path().display().to_string();
        let settings = fs::read_to_string(server.configuration()).unwrap();
        // The peer's server does not take these keys with hyphens.
        let text = format!(
            "{settings}shacache_content_directory = {here}/content\n\
             shacache_metadata_directory = {here}/metadata\n\
             shacache_signing_key_path = {here}/signer.key\n"
        );
        server.write("slapos.cfg", &text);
        for name in ["content", "metadata"] {
            fs::create_dir(server.path().join(name)).unwrap();
        }
        server.start_master(side);
        let master = ScriptedMaster::start(node.master_port);
        master.script().releases = vec![(URL.to_owned(), SoftwareState::Available)];
        Self {
            node,
            master,
            server,
        }
    }

    /// Lines of section networkcache: both directions, and the certificate of a key that signs.
    fn settings(&self, key: &str, certificate: &str) -> String {
        let url = format!("{}shacache", self.server.master_url());
        let certificate = certificate.trim().replace('\n', "\n  ");
        format!(
            "download-binary-cache-url = {url}/cache\ndownload-binary-dir-url = {url}/dir\n\
             upload-binary-cache-url = {url}/cache\nupload-binary-dir-url = {url}/dir\n\
             signature-private-key-file = {key}\nsignature-certificate-list =\n  {certificate}\n"
        )
    }

    fn configure(&self, networkcache: &str) {
        let bootstrap = self.node.path().join("bootstrap");
        let bootstrap = bootstrap.display().to_string();
        self.node.configure(&[("buildout", &bootstrap)]);
        let text = fs::read_to_string(self.node.configuration()).unwrap();
        let text = format!("{text}\n[networkcache]\n{networkcache}");
        self.node.write("slapos.cfg", &text);
    }

    /// Makes a key with our tool: its file, and its certificate.
    fn key(&self, name: &str, arguments: &[&str]) -> (String, String) {
        let key = self.node.path().join(name).display().to_string();
        let mut command = self.node.ours("generate-signature-key");
        command.args(arguments).args([&key, "node"]);
        let printed = Outcome::of(&mut command).expect(0).stdout;
        let (certificate, _) = printed.split_once("Add this").unwrap();
        (key, certificate.to_owned())
    }

    /// A run in which buildout does what this script says.
    fn run(&self, side: Side, script: &str) -> Outcome {
        self.node.fake_bootstrap(script);
        self.node.grid(side, "slapgrid-sr", "software", &[])
    }

    fn release(&self) -> PathBuf {
        self.node.release(URL)
    }

    /// What is installed belongs to whom the software root belongs to.
    fn check_owner(&self) {
        let root = self.node.software_root().metadata().unwrap();
        for name in ["", "parts", "parts/deep/file", "parts/link"] {
            let metadata = self.release().join(name).symlink_metadata().unwrap();
            let owner = (metadata.uid(), metadata.gid());
            assert_eq!(owner, (root.uid(), root.gid()), "{name:?}");
        }
    }

    fn forget(&self) {
        fs::remove_dir_all(self.release()).unwrap();
    }

    fn empty_cache(&self) {
        for name in ["content", "metadata"] {
            for file in fs::read_dir(self.server.path().join(name)).unwrap() {
                fs::remove_file(file.unwrap().path()).unwrap();
            }
        }
    }

    fn check_contents(&self, what: &str) {
        let parts = self.release().join("parts");
        let file = parts.join("deep/file");
        assert_eq!(fs::read_to_string(&file).unwrap(), "text\n", "{what}");
        let metadata = file.metadata().unwrap();
        assert_eq!(metadata.mode() & 0o7777, 0o640, "{what}");
        assert_eq!(metadata.mtime(), 1_000_000_000, "{what}");
        assert_eq!(
            parts.join("hard").metadata().unwrap().ino(),
            metadata.ino(),
            "{what}"
        );
        assert_eq!(
            fs::read_link(parts.join("link")).unwrap(),
            PathBuf::from("deep/file")
        );
        assert_eq!(fs::read_link(parts.join("absolute")).unwrap(), parts);
        assert!(self.release().join(".completed").exists(), "{what}");
        let left: Vec<_> = fs::read_dir(self.node.software_root())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left.len(), 1, "{what}: {left:?}");
    }
}

#[test]
fn releases_go_from_one_kind_of_node_to_the_other_over_both_servers() {
    for server in [Ours, Peer] {
        let cached = Cached::new(server);
        let (key, certificate) = cached.key("signer.key", &[]);
        cached.configure(&cached.settings(&key, &certificate));
        for (from, to) in [(Ours, Ours), (Ours, Peer), (Peer, Ours), (Peer, Peer)] {
            let what = format!("{server:?} serves, {from:?} uploads, {to:?} downloads");
            cached.empty_cache();
            cached.run(from, BUILD).expect(0);
            cached.forget();
            let outcome = cached.run(to, FAIL);
            println!("| {server:?} | {from:?} | {to:?} | {:?} |", outcome.code);
            outcome.expect(0);
            cached.check_contents(&what);
            // The peer, as root, gives files to the user whose name the archive has, if there is one.
            if to == Ours {
                cached.check_owner();
            }
            // The peer hands out the passwords of whoever built the release.
            let secret = cached.release().join(".netrc").exists();
            assert_eq!(secret, from == Peer, "{what}");
            cached.forget();
        }
    }
}

#[test]
fn newer_signatures_and_formats_serve_our_nodes_and_leave_the_peer_to_build() {
    let cached = Cached::new(Ours);
    let (rsa, rsa_certificate) = cached.key("rsa.key", &[]);
    let (ed25519, ed25519_certificate) = cached.key("ed25519.key", &["--kind", "ed25519"]);
    let both = format!("{rsa_certificate}{ed25519_certificate}");
    // What is added, and whether the peer can use it.
    let table = [
        (&rsa, "signature-hash = sha256\n", false),
        (&rsa, "archive-format = tar.zst\n", false),
        (&ed25519, "", false),
        (&rsa, "signature-policy = ed25519\n", true),
    ];
    for (key, more, for_peer) in table {
        let additional = format!("signature-ed25519-private-key-file = {ed25519}\n");
        let additional = if for_peer { additional.as_str() } else { "" };
        cached.empty_cache();
        cached.configure(&format!(
            "{}{more}{additional}",
            cached.settings(key, &both)
        ));
        cached.run(Ours, BUILD).expect(0);
        cached.forget();
        cached.run(Ours, FAIL).expect(0);
        cached.check_contents(more);
        cached.forget();
        // Without the key: the peer waits for half an hour when it cannot sign with it.
        let settings = cached.settings(key, &both);
        let (download, rest) = settings.split_once("upload-binary").unwrap();
        let (_, certificates) = rest.split_once("signature-certificate-list").unwrap();
        cached.configure(&format!(
            "{download}signature-certificate-list{certificates}"
        ));
        let outcome = cached.run(Peer, "echo built > instance.cfg");
        if for_peer {
            outcome.expect(0);
            cached.check_contents("Ed25519 in addition");
        } else {
            // It builds what it does not trust, and fails at what it cannot unpack.
            assert_eq!(outcome.code == Some(0), !more.contains("tar.zst"), "{more}");
            assert!(!cached.release().join("parts").exists(), "{more}");
        }
        let _ = fs::remove_dir_all(cached.release());
    }
}

#[test]
fn what_the_cache_cannot_give_is_built_and_the_log_says_why() {
    let cached = Cached::new(Ours);
    let (key, certificate) = cached.key("signer.key", &[]);
    let (_, other) = cached.key("other.key", &["--kind", "ed25519"]);
    let settings = cached.settings(&key, &certificate);
    let (download, upload) = settings.split_once("upload-binary").unwrap();
    let certificates = &upload[upload.find("signature-certificate-list").unwrap()..];
    let download_only = format!("{download}{certificates}");
    let nobody = download_only.replace(
        certificate.trim().replace('\n', "\n  ").as_str(),
        &other.trim().replace('\n', "\n  "),
    );
    let wrong = |from: &str, to: &str| download_only.replace(from, to);
    let blacklist = "download-from-binary-cache-url-blacklist =\n  http://releases.invalid/\n";
    let old_blacklist = "binary-cache-url-blacklist = http://releases.invalid/one\n";
    // Before anything was uploaded.
    cached.configure(&download_only);
    let outcome = cached.run(Ours, BUILD).expect(0);
    assert!(
        outcome
            .text()
            .contains("does not have the release; building from source"),
        "{}",
        outcome.text()
    );
    cached.forget();
    cached.configure(&settings);
    cached.run(Ours, BUILD).expect(0);
    cached.forget();
    let table = [
        (
            nobody,
            "no certificate of signature-certificate-list verifies its signature",
        ),
        (
            wrong("shacache/dir", "shacache/nowhere"),
            "does not have the release",
        ),
        (wrong("shacache/cache", "shacache/nowhere"), "answers 404"),
        (
            format!("{download_only}{blacklist}"),
            "download-from-binary-cache-url-blacklist has it",
        ),
        (
            format!("{download_only}{old_blacklist}"),
            "download-from-binary-cache-url-blacklist has it",
        ),
        (
            format!("{download_only}signature-policy = rsa-sha256\n"),
            "signed with rsa-sha1, which signature-policy does not accept",
        ),
    ];
    for (settings, reason) in table {
        cached.configure(&settings);
        let outcome = cached
            .run(Ours, "echo '[buildout]' > instance.cfg; touch built")
            .expect(0);
        assert!(
            outcome.text().contains(reason),
            "{reason}: {}",
            outcome.text()
        );
        assert!(
            outcome.text().contains("building from source"),
            "{}",
            outcome.text()
        );
        assert!(cached.release().join("built").exists(), "{reason}");
        cached.forget();
    }
}

#[test]
fn a_release_that_is_only_downloaded_fails_without_the_cache_and_comes_with_it() {
    let cached = Cached::new(Ours);
    let (key, certificate) = cached.key("signer.key", &[]);
    let settings = cached.settings(&key, &certificate);
    let forced =
        format!("{settings}download-from-binary-cache-force-url-list = http://releases.invalid/\n");
    cached.configure(&forced);
    let outcome = cached.run(Ours, FAIL).expect(1);
    assert!(
        outcome
            .text()
            .contains("only installed from the binary cache"),
        "{}",
        outcome.text()
    );
    assert!(!cached.release().exists());
    let reported = cached.master.calls();
    assert!(
        reported
            .iter()
            .any(|call| call.endpoint == "softwareReleaseError")
    );
    cached.configure(&settings);
    cached.run(Ours, BUILD).expect(0);
    cached.forget();
    // Damaged on the way, nothing of it is used; and the next run tries afresh.
    let content = cached.server.path().join("content");
    let archive = fs::read_dir(content)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let right = fs::read(&archive).unwrap();
    let mut wrong = right.clone();
    wrong[100] ^= 1;
    fs::write(&archive, wrong).unwrap();
    cached.configure(&forced);
    let outcome = cached.run(Ours, FAIL).expect(1);
    assert!(
        outcome.text().contains("has another SHA-512"),
        "{}",
        outcome.text()
    );
    assert!(!cached.release().exists());
    fs::write(&archive, right).unwrap();
    cached.run(Ours, FAIL).expect(0);
    cached.check_contents("the next run");
}

#[test]
fn killed_while_it_unpacks_the_next_run_is_clean() {
    let cached = Cached::new(Ours);
    let (key, certificate) = cached.key("signer.key", &["--kind", "ed25519"]);
    cached.configure(&cached.settings(&key, &certificate));
    let many = format!("{BUILD}; mkdir many; (cd many; seq 8000 | xargs touch)");
    cached.run(Ours, &many).expect(0);
    cached.forget();
    let name = cached.release().file_name().unwrap().to_owned();
    let unfinished = format!(".slapos-new-{}", name.to_str().unwrap());
    let unfinished = cached.node.software_root().join(unfinished);
    let mut command = cached.node.ours_with("slapgrid-sr", &["--now"]);
    let mut child = command.spawn().unwrap();
    poll::until("files are unpacked", Duration::from_secs(60), || {
        unfinished.join("many").exists()
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(unfinished.exists(), "killed in time");
    assert!(
        !cached.release().exists(),
        "nothing has its name before it is whole"
    );
    cached.run(Ours, FAIL).expect(0);
    cached.check_contents("after a kill");
    let many = fs::read_dir(cached.release().join("many")).unwrap();
    assert_eq!(many.count(), 8000);
}

#[test]
fn what_may_not_be_uploaded_is_not() {
    let cached = Cached::new(Ours);
    let (key, certificate) = cached.key("signer.key", &[]);
    let settings = cached.settings(&key, &certificate);
    let blacklist = "upload-to-binary-cache-url-blacklist = http://releases.invalid/\n";
    let table = [
        (
            blacklist,
            BUILD.to_owned(),
            "upload-to-binary-cache-url-blacklist has it",
        ),
        (
            "",
            format!("{BUILD}; touch .shared"),
            "not whole without shared parts",
        ),
        (
            "",
            format!("{BUILD}; ln -s /usr/bin parts/out"),
            "leads out of the release",
        ),
        (
            "",
            format!("{BUILD}; chmod 4755 parts/deep/file"),
            "is setuid or setgid",
        ),
    ];
    for (more, script, reason) in table {
        cached.configure(&format!("{settings}{more}"));
        let outcome = cached.run(Ours, &script).expect(0);
        assert!(
            outcome.text().contains(reason),
            "{reason}: {}",
            outcome.text()
        );
        let uploaded = fs::read_dir(cached.server.path().join("content")).unwrap();
        assert_eq!(uploaded.count(), 0, "{reason}");
        cached.forget();
    }
}

#[test]
fn a_key_whose_certificate_is_not_listed_is_an_error_of_the_configuration() {
    let cached = Cached::new(Ours);
    let (key, _) = cached.key("signer.key", &["--kind", "ed25519"]);
    let (_, other) = cached.key("other.key", &["--kind", "ed25519"]);
    cached.configure(&cached.settings(&key, &other));
    let outcome = cached.run(Ours, BUILD).expect(1);
    let expected =
        "signature-private-key-file: its certificate is not in signature-certificate-list";
    assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    assert!(!cached.release().exists());
}

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
        outcome.stderr.contains("does not have the release"),
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
    let outcome = look_up(&["url", "http://example.org/x.tar.gz"]).expect(1);
    assert!(outcome.stderr.contains("are not set"), "{}", outcome.stderr);
}
