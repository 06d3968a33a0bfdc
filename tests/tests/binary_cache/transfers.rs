//! Releases of one node's Python or ours, for the other, over the servers of both; and what happens when
//! the cache is of no use.

use std::fs;
use std::time::Duration;

use slapos_tests::Side::{Ours, Peer};
use slapos_tests::{Misbehaviour, Outcome, poll};

use crate::cached::{BUILD, Cached, FAIL};

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
    let outcome = cached.run(Ours, BUILD).expect(0);
    for warning in [
        "signatures over SHA-1 are accepted",
        "uploads are signed over SHA-1",
    ] {
        assert!(outcome.text().contains(warning), "{}", outcome.text());
    }
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
fn a_bomb_is_built_unless_the_configuration_lets_it_grow() {
    let cached = Cached::new(Ours);
    let (key, certificate) = cached.key("signer.key", &["--kind", "ed25519"]);
    let settings = cached.settings(&key, &certificate);
    cached.configure(&settings);
    // Zeros are compressed by more than the usual hundred times.
    let zeros = format!("{BUILD}; truncate -s 80M zeros");
    cached.run(Ours, &zeros).expect(0);
    cached.forget();
    let kept =
        format!("{settings}upload-to-binary-cache-url-blacklist = http://releases.invalid/\n");
    cached.configure(&kept);
    let outcome = cached
        .run(Ours, "echo '[buildout]' > instance.cfg")
        .expect(0);
    assert!(
        outcome
            .text()
            .contains("holds more than 67108864 bytes; building from source"),
        "{}",
        outcome.text()
    );
    cached.forget();
    cached.configure(&format!("{kept}archive-maximum-expansion = 10000\n"));
    cached.run(Ours, FAIL).expect(0);
    cached.check_contents("it may grow");
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
    // Whoever has nothing to do with releases does not care: there would be something to do.
    for (tool, code) in [("slapgrid-sr", 1), ("slapgrid-cp", 4), ("slapgrid-ur", 4)] {
        Outcome::of(&mut cached.node.ours_with(tool, &["--now", "--dry-run"])).expect(code);
    }
}

#[test]
fn what_was_unpacked_and_could_not_be_reported_is_whole() {
    let cached = Cached::new(Ours);
    let (key, certificate) = cached.key("signer.key", &["--kind", "ed25519"]);
    let settings = cached.settings(&key, &certificate);
    cached.configure(&settings);
    cached.run(Ours, BUILD).expect(0);
    cached.forget();
    let forced =
        format!("{settings}download-from-binary-cache-force-url-list = http://releases.invalid/\n");
    cached.configure(&forced);
    let fault = Misbehaviour::Answer(500, "broken".to_owned());
    cached
        .master
        .script()
        .fail_always("availableSoftwareRelease", fault);
    cached.run(Ours, FAIL);
    assert!(cached.release().join("parts").exists());
    assert!(!cached.release().join(".completed").exists());
    cached.master.script().faults.clear();
    let outcome = cached.run(Ours, FAIL).expect(0);
    assert!(
        outcome.text().contains("unpacked before"),
        "{}",
        outcome.text()
    );
    cached.check_contents("reported later");
    assert!(!cached.release().join(".slapos-unpacked").exists());
}
