//! Who may say what to a slapproxy that checks client certificates.

mod reload;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::Arc;

use slap_client::proto::documents::{ComputerConfiguration, PartitionConfiguration, SoftwareState};
use slap_client::{ClientError, Computer, Connection, InstanceRequest, Slap};
use slapos_tests::{Authority, Certificate, Outcome, Server, places};
use tempfile::TempDir;
use ureq::Agent;
use ureq::tls::{self, ClientCert, PrivateKey, RootCerts, TlsConfig};

/// A server with an authority, and a second one that nobody trusts.
struct Guarded {
    directory: TempDir,
    server: Server,
    authority: Authority,
}

impl Guarded {
    fn start() -> Self {
        let directory = TempDir::with_prefix_in("tls-", "/tmp").unwrap();
        let authority = Authority::new(directory.path(), "authority");
        let own = authority.issue("server", "/CN=master", 30);
        let settings = format!(
            "{}client_ca = {}\nuser_certificate_list =\n  alice\n  bob\n\
             listen =\n  127.0.0.1:0\n  unix:HERE/socket\n\
             shacache_content_directory = HERE/content\n\
             shacache_metadata_directory = HERE/metadata\n",
            tls_settings(&own),
            authority.certificate().display(),
        );
        Self {
            server: Server::start(&settings, &[]),
            directory,
            authority,
        }
    }

    fn certificate(&self, name: &str) -> Certificate {
        let file = name.replace([':', '/'], "_");
        self.authority.issue(&file, &format!("/CN={name}"), 30)
    }

    fn connection(&self) -> Connection {
        let url = format!("{}/", self.server.url());
        Connection::to(&url)
            .unwrap()
            .master_ca_file(self.authority.certificate())
    }

    fn client(&self, name: &str) -> Slap {
        self.with(&self.certificate(name))
    }

    fn with(&self, certificate: &Certificate) -> Slap {
        let Certificate { certificate, key } = certificate;
        let connection = self.connection().client_certificate(certificate, key);
        connection.open().unwrap()
    }

    /// Status of a request that the client library does not make.
    fn ask(&self, name: &str, method: &str, path: &str, header: Option<(&str, &str)>) -> u16 {
        let Certificate { certificate, key } = self.certificate(name);
        let read = |path| fs::read(path).unwrap();
        let pem = |path| tls::Certificate::from_pem(&read(path)).unwrap();
        let key = PrivateKey::from_pem(&read(key)).unwrap();
        let roots = vec![pem(self.authority.certificate())];
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .client_cert(Some(ClientCert::new_with_certs(&[pem(certificate)], key)));
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .tls_config(tls.build());
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server.url()));
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let agent = Agent::from(config.build());
        let answer = match method {
            "GET" => agent.run(request.body(()).unwrap()),
            _ => agent.run(request.body("[]").unwrap()),
        };
        answer.unwrap().status().as_u16()
    }
}

fn tls_settings(certificate: &Certificate) -> String {
    let Certificate { certificate, key } = certificate;
    let (certificate, key) = (certificate.display(), key.display());
    format!("ssl_cert = {certificate}\nssl_key = {key}\n")
}

fn description(reference: &str) -> ComputerConfiguration {
    let partition = |number| PartitionConfiguration {
        reference: format!("slappart{number}"),
        ..PartitionConfiguration::default()
    };
    ComputerConfiguration {
        reference: reference.to_owned(),
        partition_list: (0..2).map(partition).collect(),
        ..ComputerConfiguration::default()
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, ClientError>) {
    assert!(
        matches!(result, Err(ClientError::Unauthorized { .. })),
        "{result:?}"
    );
}

#[test]
fn a_computer_speaks_for_itself_and_its_partitions() {
    let guarded = Guarded::start();
    let node = guarded.client("COMP-1");
    let own = node.register_computer("COMP-1");
    own.configure(&description("COMP-1")).unwrap();
    assert_eq!(
        own.full_information()
            .unwrap()
            .computer_partition_list
            .len(),
        2
    );
    node.register_computer_partition("COMP-1", "slappart0")
        .fetch()
        .unwrap();
    own.bang("test").unwrap();
    node.run_id().unwrap();

    refused(own.configure(&description("COMP-2")));
    let other = node.register_computer("COMP-2");
    refused(other.full_information());
    refused(other.bang("test"));
    refused(
        node.register_computer_partition("COMP-2", "slappart0")
            .fetch(),
    );
    // What users do.
    let supply = node.register_supply();
    refused(supply.supply("http://x/", "COMP-1", SoftwareState::Available));
    let request = InstanceRequest::new("http://x/", "root");
    refused(node.register_open_order().request(&request));
}

#[test]
fn a_partition_speaks_for_itself_only() {
    let guarded = Guarded::start();
    let user = guarded.client("alice");
    let computer = user.register_computer("COMP-1");
    computer.configure(&description("COMP-1")).unwrap();
    let request = InstanceRequest::new("http://x/", "root");
    let instance = user.register_open_order().request(&request).unwrap();
    assert_eq!(instance.partition_id.as_deref(), Some("slappart0"));

    let partition = guarded.client("COMP-1:slappart0");
    let own = partition.register_computer_partition("COMP-1", "slappart0");
    own.fetch().unwrap();
    own.set_connection_dict(&[("url".to_owned(), "x".into())].into(), None)
        .unwrap();
    let child = own.request(&InstanceRequest::new("http://x/", "child"));
    assert_eq!(child.unwrap().partition_id.as_deref(), Some("slappart1"));

    for (computer, reference) in [("COMP-1", "slappart1"), ("COMP-2", "slappart0")] {
        let other = partition.register_computer_partition(computer, reference);
        refused(other.fetch());
        refused(other.bang("test"));
        refused(other.request(&InstanceRequest::new("http://x/", "stolen")));
    }
    refused(partition.register_open_order().request(&request));
    refused(partition.register_computer("COMP-1").full_information());
    refused(computer_of(&partition).bang("test"));
    // The name that a dash would make is another one.
    let dashed = guarded.client("COMP-1-slappart0");
    refused(
        dashed
            .register_computer_partition("COMP-1", "slappart0")
            .fetch(),
    );
}

fn computer_of(slap: &Slap) -> Computer {
    slap.register_computer("COMP-1")
}

#[test]
fn users_are_those_that_the_configuration_names() {
    let guarded = Guarded::start();
    for name in ["alice", "bob"] {
        let supply = guarded.client(name).register_supply();
        supply
            .supply("http://x/", "COMP-1", SoftwareState::Available)
            .unwrap();
    }
    for name in ["mallory", "Alice", "alice:bob", "alice/OU=x"] {
        let supply = guarded.client(name).register_supply();
        let supplied = supply.supply("http://x/", "COMP-1", SoftwareState::Available);
        if name == "alice/OU=x" {
            // Only the common name counts.
            supplied.unwrap();
        } else {
            refused(supplied);
        }
    }
    let twice = guarded.certificate("COMP-1/CN=alice");
    refused(computer_of(&guarded.with(&twice)).full_information());
    let none = guarded.authority.issue("none", "/O=nobody", 30);
    refused(computer_of(&guarded.with(&none)).full_information());
}

#[test]
fn without_a_certificate_of_the_authority_there_is_no_connection() {
    let guarded = Guarded::start();
    let stranger = Authority::new(guarded.directory.path(), "stranger");
    let forged = stranger.issue("forged", "/CN=alice", 30);
    let expired = guarded.authority.issue("expired", "/CN=alice", -1);
    let without = guarded.connection().open().unwrap();
    for slap in [guarded.with(&forged), guarded.with(&expired), without] {
        let error = slap.run_id().unwrap_err();
        assert!(
            !matches!(error, ClientError::Unauthorized { .. }),
            "{error:?}"
        );
    }
    let plain = Connection::to(&format!("http://{}/", guarded.server.address()));
    plain.unwrap().open().unwrap().run_id().unwrap_err();
    // It is served all the same, and counts what failed.
    let socket = guarded.server.path().join("socket");
    let mut metrics = UnixStream::connect(socket).unwrap();
    metrics.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let mut page = String::new();
    metrics.read_to_string(&mut page).unwrap();
    let failed = page
        .lines()
        .find_map(|line| line.strip_prefix("slapproxy_failed_handshakes_total "));
    assert!(failed.unwrap().parse::<u32>().unwrap() >= 4, "{page}");
}

#[test]
fn what_is_no_call_is_for_users_and_the_cache_for_those_who_are_known() {
    let guarded = Guarded::start();
    let table = [
        ("alice", "GET", "/metrics", 200),
        ("COMP-1", "GET", "/metrics", 403),
        ("COMP-1:slappart0", "GET", "/metrics", 403),
        ("alice", "GET", "/panel/", 200),
        ("COMP-1", "GET", "/panel/", 403),
        ("COMP-1:slappart0", "GET", "/panel/public/a", 403),
        ("COMP-1:slappart0", "GET", "/healthz", 200),
        ("COMP-1", "POST", "/shacache/cache", 201),
        ("COMP-1", "PUT", "/shacache/dir/key", 400),
        ("COMP-1:slappart0", "POST", "/shacache/cache", 403),
        ("COMP-1:slappart0", "PUT", "/shacache/dir/key", 403),
        ("COMP-1:slappart0", "GET", "/shacache/dir/key", 404),
        ("COMP-1", "POST", "/shacache/update", 403),
        ("alice", "POST", "/shacache/update", 200),
    ];
    for (name, method, path, status) in table {
        let answer = guarded.ask(name, method, path, None);
        assert_eq!(answer, status, "{name} {method} {path}");
    }
}

#[test]
fn a_header_claims_nothing_that_the_certificate_does_not() {
    let guarded = Guarded::start();
    let claim = "X-SlapPartition computer_id=COMP-1, computer_partition_id=slappart0";
    let header = Some(("Authorization", claim));
    let path = "/getComputerPartitionStatus?computer_id=COMP-2&computer_partition_id=slappart0";
    assert_eq!(guarded.ask("COMP-2", "GET", path, header), 403);
    assert_eq!(guarded.ask("COMP-1", "GET", path, header), 403);
    // Two names in one request: each must be the sender's.
    let both = "/registerComputerPartition?computer_id=COMP-2&computer_reference=COMP-1\
        &computer_partition_reference=slappart0";
    assert_eq!(guarded.ask("COMP-2", "GET", both, None), 403);
}

#[test]
fn tls_alone_encrypts_and_asks_for_nothing() {
    let directory = TempDir::with_prefix_in("tls-", "/tmp").unwrap();
    let authority = Authority::new(directory.path(), "authority");
    let own = authority.issue("server", "/CN=master", 30);
    let server = Server::start(&tls_settings(&own), &[]);
    assert!(
        server.url().starts_with("https://127.0.0.1:"),
        "{}",
        server.url()
    );
    let connection = Connection::to(&format!("{}/", server.url())).unwrap();
    let trusting = connection.clone().master_ca_file(authority.certificate());
    trusting.open().unwrap().run_id().unwrap();
    // The other side verifies, too.
    connection.open().unwrap().run_id().unwrap_err();
}

#[test]
fn a_client_ca_opens_the_network_and_tls_alone_does_not() {
    let directory = TempDir::with_prefix_in("tls-", "/tmp").unwrap();
    let authority = Authority::new(directory.path(), "authority");
    let own = authority.issue("server", "/CN=master", 30);
    let outside = ["--listen", "0.0.0.0:0"];
    let said = Server::refusal(&tls_settings(&own), &outside)
        .expect(1)
        .stderr;
    assert!(
        said.contains("0.0.0.0:0 is not a loopback address"),
        "{said}"
    );
    let ca = format!("client_ca = {}", authority.certificate().display());
    let server = Server::start(&(tls_settings(&own) + &ca), &outside);
    assert!(
        server.url().starts_with("https://0.0.0.0:"),
        "{}",
        server.url()
    );
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let directory = TempDir::with_prefix_in("tls-", "/tmp").unwrap();
    let authority = Authority::new(directory.path(), "authority");
    let own = authority.issue("server", "/CN=master", 30);
    let other = authority.issue("other", "/CN=other", 30);
    let empty = directory.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let (crt, key) = (own.certificate.display(), own.key.display());
    let (empty, ca) = (empty.display(), authority.certificate());
    let ca = ca.display();
    for (settings, part) in [
        (
            format!("ssl_cert = {crt}"),
            "ssl_key of [slapproxy]".to_owned(),
        ),
        (
            format!("ssl_key = {key}"),
            "ssl_cert of [slapproxy]".to_owned(),
        ),
        (
            format!("client_ca = {ca}"),
            "ssl_cert of [slapproxy]".to_owned(),
        ),
        (
            format!("ssl_cert = {crt}\nssl_key = {key}\nuser_certificate_list = alice"),
            "client_ca of [slapproxy]".to_owned(),
        ),
        (
            format!("ssl_cert = /no/such\nssl_key = {key}"),
            "cannot read /no/such".to_owned(),
        ),
        (
            format!("ssl_cert = {empty}\nssl_key = {key}"),
            format!("{empty} holds no certificate"),
        ),
        (
            format!("ssl_cert = {crt}\nssl_key = {empty}"),
            format!("{empty} holds no private key"),
        ),
        (
            format!("ssl_cert = {crt}\nssl_key = {}", other.key.display()),
            format!("cannot use the certificate {crt}"),
        ),
        (
            format!("ssl_cert = {crt}\nssl_key = {key}\nclient_ca = {ca}\nclient_crl = {crt}"),
            format!("{crt} holds no revocation list"),
        ),
        (
            format!("ssl_cert = {crt}\nssl_key = {key}\nclient_ca = {empty}"),
            format!("{empty} holds no certificate"),
        ),
    ] {
        let said = Server::refusal(&settings, &[]).expect(1).stderr;
        assert!(said.contains(&part), "{settings}: {said}");
    }
}

#[test]
fn the_peers_tools_come_with_their_certificates() {
    let guarded = Guarded::start();
    let user = guarded.certificate("alice");
    let node = guarded.certificate("COMP-1");
    let here = guarded.directory.path();
    let configuration = |own: &Certificate, section: &str| {
        let path = here.join(format!("{section}.cfg"));
        let text = format!(
            "[slapos]\nmaster_url = {}/\ncomputer_id = COMP-1\nmaster_ca_file = {}\n\
             [{section}]\ncert_file = {}\nkey_file = {}\n",
            guarded.server.url(),
            guarded.authority.certificate().display(),
            own.certificate.display(),
            own.key.display(),
        );
        fs::write(&path, text).unwrap();
        path
    };
    let supply = |own| {
        let mut command = Command::new(places::peer_program("slapos"));
        command
            .args(["supply", "--cfg"])
            .arg(configuration(own, "slapconsole"))
            .args(["http://x/", "COMP-1"]);
        Outcome::of(&mut command)
    };
    supply(&user).expect(0);
    assert_ne!(supply(&node).code, Some(0));
    let computer = guarded.client("COMP-1").register_computer("COMP-1");
    assert_eq!(
        computer
            .full_information()
            .unwrap()
            .software_release_list
            .len(),
        1
    );
}
