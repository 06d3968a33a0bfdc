//! As whom a master is asked.

use slap_client::{ClientError, Connection};
use slapos_tests::{Authority, COMPUTER, Certificate, Server};

use crate::master::{computer, section, to_master};

/// A far master that knows its users by their certificates, and what a near one must say to it.
#[test]
fn a_master_that_asks_for_certificates_is_told_ours_and_must_have_the_right_one() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new(directory.path(), "authority");
    let certificate = |file, name| authority.issue(file, &format!("/CN={name}"), 30);
    let server = certificate("server", "master");
    let trusted = authority.certificate();
    let far = Server::start(
        &format!(
            "ssl_cert = {}\nssl_key = {}\nclient_ca = {}\nuser_certificate_list = alice",
            server.certificate.display(),
            server.key.display(),
            trusted.display()
        ),
        &[],
    );
    let url = format!("{}/", far.url());
    let trust = format!("master_ca_file = {}\n", trusted.display());
    let as_one = |certificate: &Certificate| {
        let Certificate { certificate, key } = certificate;
        format!(
            "cert = {}\nkey = {}\n",
            certificate.display(),
            key.display()
        )
    };
    let alice = as_one(&certificate("alice", "alice"));
    let mallory = as_one(&certificate("mallory", "COMP-9"));
    let partition = as_one(&certificate("partition", "COMP-1:slappart0"));
    let requester = format!("computer = {COMPUTER}\npartition = slappart0\n");
    let missing = "cert = /no/such.crt\nkey = /no/such.key\n";
    let user = Connection::to(&url).unwrap().master_ca_file(&trusted);
    let user = user.client_certificate(
        directory.path().join("alice.crt"),
        directory.path().join("alice.key"),
    );
    let user = user.open().unwrap();
    user.register_computer(COMPUTER)
        .configure(&computer())
        .unwrap();
    // (keys of the section, status or the name there).
    let table = [
        (format!("{trust}{alice}"), "user_one"),
        (format!("{trust}{partition}{requester}"), "user_one"),
        (format!("{trust}{partition}"), "502"),
        (format!("{trust}{mallory}"), "502"),
        (trust.clone(), "523"),
        (alice, "523"),
        (format!("{trust}{missing}"), "502"),
    ];
    for (keys, expected) in table {
        let near = Server::start(&section(&url, &keys), &[]);
        let slap = Connection::to(&near.url()).unwrap().open().unwrap();
        let found = match slap.register_open_order().request(&to_master("one", &url)) {
            Ok(instance) => {
                let partition = instance.partition_id.unwrap();
                let there = user.register_computer_partition(COMPUTER, partition);
                there.fetch().unwrap().parameter_dict["instance_title"].to_text()
            }
            Err(ClientError::Server { status, .. }) => status.to_string(),
            Err(error) => panic!("{keys}: {error}"),
        };
        assert_eq!(found, expected, "{keys}");
    }
}
