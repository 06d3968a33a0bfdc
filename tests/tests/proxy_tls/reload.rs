//! Certificates that change while the server runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use slap_client::{Connection, Slap};
use slapos_tests::{Authority, Certificate, Server, poll};
use tempfile::TempDir;

use super::tls_settings;

const PATIENCE: Duration = Duration::from_secs(20);

/// Has the server read its certificates again, and waits for what it says of it.
fn reload(server: &Server, expected: &str) {
    server.signal(Signal::SIGHUP);
    poll::until("the server has read its certificates", PATIENCE, || {
        server.log().contains(expected)
    });
}

/// A client of the server that trusts an authority.
fn client(server: &Server, authority: &Authority, own: Option<&Certificate>) -> Slap {
    let connection = Connection::to(&format!("{}/", server.url())).unwrap();
    let connection = connection.master_ca_file(authority.certificate());
    match own {
        Some(Certificate { certificate, key }) => connection.client_certificate(certificate, key),
        None => connection,
    }
    .open()
    .unwrap()
}

/// Authorities in directories of their own.
fn authorities(directory: &Path) -> [Authority; 2] {
    ["old", "new"].map(|name| {
        let place = directory.join(name);
        fs::create_dir(&place).unwrap();
        Authority::new(&place, name)
    })
}

fn replace(certificate: &Certificate, by: &Certificate) {
    fs::copy(&by.certificate, &certificate.certificate).unwrap();
    fs::copy(&by.key, &certificate.key).unwrap();
}

#[test]
fn a_renewed_certificate_is_shown_and_one_that_is_broken_is_not() {
    let directory = TempDir::with_prefix_in("tls-", "/tmp").unwrap();
    let [old, new] = authorities(directory.path());
    let own = old.issue("server", "/CN=master", 30);
    let server = Server::start(&tls_settings(&own), &[]);
    client(&server, &old, None).run_id().unwrap();

    replace(&own, &new.issue("server", "/CN=master", 30));
    reload(&server, "the certificates were read again");
    client(&server, &new, None).run_id().unwrap();
    client(&server, &old, None).run_id().unwrap_err();

    fs::write(&own.key, "nonsense").unwrap();
    let path = own.key.display();
    let reason = format!("stay as they were read before: {path} holds no private key");
    reload(&server, &reason);
    client(&server, &new, None).run_id().unwrap();
}

/// A server that checks certificates of an authority against a list of what it revoked.
struct Checking {
    authority: Authority,
    good: Certificate,
    stolen: Certificate,
    server: Server,
    // The last to go.
    _directory: TempDir,
}

impl Checking {
    fn by(list: impl FnOnce(&Authority, &Certificate) -> PathBuf) -> Self {
        let directory = TempDir::with_prefix_in("tls-", "/tmp").unwrap();
        let authority = Authority::new(directory.path(), "authority");
        let own = authority.issue("server", "/CN=master", 30);
        let [good, stolen] = ["good", "stolen"].map(|file| authority.issue(file, "/CN=COMP-1", 30));
        let settings = format!(
            "{}client_ca = {}\nclient_crl = {}\n",
            tls_settings(&own),
            authority.certificate().display(),
            list(&authority, &stolen).display(),
        );
        Self {
            authority,
            good,
            stolen,
            server: Server::start(&settings, &[]),
            _directory: directory,
        }
    }

    fn client(&self, own: &Certificate) -> Slap {
        client(&self.server, &self.authority, Some(own))
    }
}

#[test]
fn a_certificate_that_is_revoked_meanwhile_is_none() {
    let checking = Checking::by(|authority, _| authority.revoke(&[]));
    let thief = checking.client(&checking.stolen);
    thief.run_id().unwrap();
    checking.authority.revoke(&[&checking.stolen]);
    reload(&checking.server, "the certificates were read again");
    // Its connection, which was kept open, has ended, too.
    thief.run_id().unwrap_err();
    checking.client(&checking.good).run_id().unwrap();
}

#[test]
fn a_revoked_certificate_is_none_even_by_a_list_that_is_out_of_date() {
    let late = Checking::by(|authority, stolen| authority.revoke_long_ago(&[stolen]));
    let fresh = Checking::by(|authority, stolen| authority.revoke(&[stolen]));
    for (checking, is_late) in [(late, true), (fresh, false)] {
        let log = checking.server.log();
        assert_eq!(log.contains("revoked.crl is out of date"), is_late, "{log}");
        checking.client(&checking.good).run_id().unwrap();
        checking.client(&checking.stolen).run_id().unwrap_err();
    }
}

#[test]
fn a_server_without_certificates_lives_on() {
    let server = Server::start("", &[]);
    reload(&server, "there are no certificates to read again");
    assert_eq!(server.get("/healthz").unwrap().0, 200);
}
