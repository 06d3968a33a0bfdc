//! TLS: certificates are verified, and ours is presented.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use slap_client::{ClientError, Connection};

/// An authority of our own, a server's and a client's certificate, as files.
struct Pki {
    directory: tempfile::TempDir,
    server: Arc<ServerConfig>,
}

impl Pki {
    fn new(wants_client: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let issue = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            (params.signed_by(&key, &authority).unwrap(), key)
        };
        let (client, client_key) = issue("client");
        fs::write(directory.path().join("ca.crt"), authority.pem()).unwrap();
        fs::write(directory.path().join("client.crt"), client.pem()).unwrap();
        fs::write(
            directory.path().join("client.key"),
            client_key.serialize_pem(),
        )
        .unwrap();
        let (certificate, key) = issue("127.0.0.1");
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone());
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = if wants_client {
            let roots = Arc::new(roots);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let server = builder
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Self {
            directory,
            server: Arc::new(server),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Serves `run-id` to everyone it accepts; returns the URL.
    fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        let config = self.server.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = ServerConnection::new(config.clone()).unwrap();
                let mut stream = StreamOwned::new(connection, stream.unwrap());
                let mut buffer = [0; 4096];
                if stream.read(&mut buffer).is_ok_and(|length| length > 0) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nrun-id");
                }
            }
        });
        url
    }
}

fn connection(url: &str) -> Connection {
    Connection::to(url)
        .unwrap()
        .timeout(Duration::from_secs(10))
}

#[test]
fn a_server_of_an_unknown_authority_is_refused() {
    let url = Pki::new(false).serve();
    let error = connection(&url).open().unwrap().run_id().unwrap_err();
    assert!(matches!(error, ClientError::Tls { .. }), "{error:?}");
    assert!(error.is_unreachable());
    assert!(error.to_string().contains("master_ca_file"), "{error}");
}

#[test]
fn a_server_of_the_configured_authority_is_accepted() {
    let pki = Pki::new(false);
    let slap = connection(&pki.serve())
        .master_ca_file(pki.file("ca.crt"))
        .open()
        .unwrap();
    assert_eq!(slap.run_id().unwrap(), "run-id");
}

#[test]
fn the_client_certificate_is_presented() {
    let pki = Pki::new(true);
    let url = pki.serve();
    let with_authority = || connection(&url).master_ca_file(pki.file("ca.crt"));
    let without = with_authority().open().unwrap().run_id();
    assert!(without.is_err(), "{without:?}");
    let (certificate, key) = (pki.file("client.crt"), pki.file("client.key"));
    let slap = with_authority()
        .client_certificate(certificate, key)
        .open()
        .unwrap();
    assert_eq!(slap.run_id().unwrap(), "run-id");
}

#[test]
fn files_that_hold_no_certificate_are_named() {
    let pki = Pki::new(false);
    let empty = pki.file("empty");
    fs::write(&empty, "nothing").unwrap();
    let open = |connection: Connection| connection.open().unwrap_err().to_string();
    let base = || connection("https://127.0.0.1:1/");
    assert!(open(base().master_ca_file(&empty)).contains("empty holds no certificate"));
    assert!(open(base().master_ca_file(Path::new("/no/such"))).contains("/no/such"));
    let error = open(base().client_certificate(pki.file("client.crt"), &empty));
    assert!(error.contains("empty holds no private key"), "{error}");
}
