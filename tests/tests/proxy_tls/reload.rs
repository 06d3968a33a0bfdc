//! Certificates that change while the server runs.

use std::fs;
use std::path::Path;
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

#[test]
fn a_certificate_that_is_revoked_meanwhile_is_none() {
    let directory = TempDir::with_prefix_in("tls-", "/tmp").unwrap();
    let authority = Authority::new(directory.path(), "authority");
    let own = authority.issue("server", "/CN=master", 30);
    let [good, stolen] = ["good", "stolen"].map(|file| authority.issue(file, "/CN=COMP-1", 30));
    let settings = format!(
        "{}client_ca = {}\nclient_crl = {}\n",
        tls_settings(&own),
        authority.certificate().display(),
        authority.revoke(&[]).display(),
    );
    let server = Server::start(&settings, &[]);
    let thief = client(&server, &authority, Some(&stolen));
    thief.run_id().unwrap();

    authority.revoke(&[&stolen]);
    reload(&server, "the certificates were read again");
    // Its connection, which was kept open, has ended too.
    thief.run_id().unwrap_err();
    client(&server, &authority, Some(&good)).run_id().unwrap();
}

#[test]
fn a_list_that_is_out_of_date_is_told_and_revokes_all_the_same() {
    let directory = TempDir::with_prefix_in("tls-", "/tmp").unwrap();
    let authority = Authority::new(directory.path(), "authority");
    let own = authority.issue("server", "/CN=master", 30);
    let [good, stolen] = ["good", "stolen"].map(|file| authority.issue(file, "/CN=COMP-1", 30));
    let list = authority.revoke_long_ago(&[&stolen]);
    let settings = format!(
        "{}client_ca = {}\nclient_crl = {}\n",
        tls_settings(&own),
        authority.certificate().display(),
        list.display(),
    );
    let server = Server::start(&settings, &[]);
    let told = format!("{} is out of date", list.display());
    assert!(server.log().contains(&told), "{}", server.log());
    client(&server, &authority, Some(&good)).run_id().unwrap();
    client(&server, &authority, Some(&stolen))
        .run_id()
        .unwrap_err();
}

#[test]
fn a_server_without_certificates_lives_on() {
    let server = Server::start("", &[]);
    reload(&server, "there are no certificates to read again");
    assert_eq!(server.get("/healthz").unwrap().0, 200);
}
