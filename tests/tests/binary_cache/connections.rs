//! The way to the cache: TLS in both directions, and proxies.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

use slapos_tests::Side::Ours;
use slapos_tests::{Authority, Certificate, Outcome, Server};

use crate::cached::{BUILD, Cached, FAIL, URL, settings};

/// A cache that takes uploads of whoever has a certificate of the authority.
fn guarded(authority: &Authority) -> Server {
    let Certificate { certificate, key } = authority.issue("server", "/CN=cache", 30);
    let settings = format!(
        "ssl_cert = {}\nssl_key = {}\nclient_ca = {}\n\
         shacache_content_directory = HERE/content\nshacache_metadata_directory = HERE/metadata\n",
        certificate.display(),
        key.display(),
        authority.certificate().display()
    );
    Server::start(&settings, &[])
}

#[test]
fn both_sides_of_a_connection_prove_who_they_are() {
    let cached = Cached::new(Ours);
    let authority = Authority::new(cached.node.path(), "authority");
    let server = guarded(&authority);
    let client = authority.issue("client", "/CN=COMP-1", 30);
    let (key, certificate) = cached.key("signer.key", &["--kind", "ed25519"]);
    let settings = settings(&server.url(), &key, &certificate);
    let files = |kind: &str, path: &std::path::Path| {
        ["shacache", "shadir"]
            .map(|service| format!("{service}-{kind}-file = {}\n", path.display()))
    };
    let ca = files("ca", &authority.certificate()).concat();
    let own = files("cert", &client.certificate).concat() + &files("key", &client.key).concat();
    let table = [
        (String::new(), "invalid peer certificate"),
        (ca.clone(), "cannot upload to the binary cache"),
        (ca + &own, "uploaded to the binary cache, archive"),
    ];
    for (more, expected) in table {
        cached.configure(&format!("{settings}{more}"));
        let outcome = cached.run(Ours, BUILD).expect(0);
        assert!(outcome.text().contains(expected), "{}", outcome.text());
        cached.forget();
    }
    cached.run(Ours, FAIL).expect(0);
    cached.check_contents("over TLS");
}

#[test]
fn the_proxy_of_the_environment_is_asked() {
    let cached = Cached::new(Ours);
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = proxy.local_addr().unwrap();
    let first = thread::spawn(move || {
        let (mut stream, _) = proxy.accept().unwrap();
        let mut line = String::new();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        reader.read_line(&mut line).unwrap();
        let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        line
    });
    let (key, certificate) = cached.key("signer.key", &["--kind", "ed25519"]);
    cached.configure(&settings("http://cache.invalid/", &key, &certificate));
    let mut look_up = cached.node.ours("slapcache-lookup");
    look_up
        .env("http_proxy", format!("http://{address}"))
        .arg("binary-sr")
        .arg(cached.node.configuration())
        .arg(URL);
    let outcome = Outcome::of(&mut look_up).expect(1);
    assert!(
        outcome.stderr.contains("cache.invalid"),
        "{}",
        outcome.stderr
    );
    let asked = first.join().unwrap();
    assert!(asked.contains("cache.invalid"), "{asked}");
}
