//! `/http_proxy/`: what it hands on and what not, to whom it leads and to whom not.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use slapos_tests::Side::{Ours, Peer};
use slapos_tests::{Authority, Node, Outcome, Server, Side};

/// A server that answers every request like this, and tells the heads of the requests.
fn target(answer: impl Into<Vec<u8>>) -> (String, Receiver<String>) {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, heads) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (answer, sender) = (answer.clone(), sender.clone());
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                if let Some(head) = head(&mut stream) {
                    let _ = sender.send(head);
                    let _ = stream.write_all(&answer);
                }
            });
        }
    });
    (address, heads)
}

/// A server that answers the first byte with some that are no TLS.
fn no_tls() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    address
}

fn head(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        text.push(byte[0]);
    }
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// A master that leads to these hosts.
fn proxy(side: Side, hosts: &[&str]) -> Node {
    let mut node = Node::new();
    let text = fs::read_to_string(node.configuration()).unwrap();
    let hosts = hosts.join("\n  ");
    let keys = if hosts.is_empty() {
        String::new()
    } else {
        format!("server_names = here\nhttp-proxy-allow =\n  {hosts}\n")
    };
    node.write("slapos.cfg", &(text + &keys));
    node.start_master(side);
    node
}

/// Head and body of the answer to a request as it is written here.
fn raw(node: &Node, request: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(("127.0.0.1", node.master_port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A broken connection ends the answer, too.
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let body = answer.split_off(end.map_or(answer.len(), |end| end + 4));
    (String::from_utf8_lossy(&answer).to_lowercase(), body)
}

fn ask(node: &Node, method: &str, path: &str, headers: &str) -> (String, Vec<u8>) {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n");
    raw(node, &format!("{head}{headers}\r\n"))
}

fn status(head: &str) -> u16 {
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn it_is_off_unless_hosts_are_listed_and_leads_to_those_only() {
    let (address, heads) = target("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let (other, other_heads) = target("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
    let off = proxy(Ours, &[]);
    assert_eq!(
        off.ask_master(&format!("/http_proxy/http/{address}/")).0,
        404
    );
    let node = proxy(Ours, &[&address, "example.org"]);
    let get = |path: &str| node.ask_master(&format!("/http_proxy/{path}"));
    assert_eq!(get(&format!("http/{address}/a")), (200, "ok".to_owned()));
    let port = address.split(':').nth(1).unwrap();
    let table = [
        (format!("http/{other}/"), 403),
        (format!("http/localhost:{port}/"), 403),
        (format!("http/example.org@{other}/"), 403),
        (format!("http/{address}@{other}/"), 403),
        (format!("http/user:secret@{address}/"), 403),
        (format!("http/example.org:{port}/"), 403),
        (format!("ftp/{address}/"), 400),
        (format!("//{address}/"), 400),
        ("http".to_owned(), 400),
        (format!("http/[{address}/"), 400),
    ];
    for (path, expected) in table {
        let (status, text) = get(&path);
        assert_eq!(status, expected, "{path}: {text}");
        assert!(!text.contains("secret"), "{text}");
    }
    assert_eq!(heads.try_iter().count(), 1);
    assert_eq!(other_heads.try_iter().count(), 0);
}

/// The same requests to both: what comes to the target, and what comes back.
#[test]
fn what_is_handed_on_is_what_the_peer_hands_on() {
    let answer = "HTTP/1.1 206 Partial Content\r\nContent-Type: text/html\r\nETag: \"e\"\r\n\
        Content-Range: bytes 0-1/9\r\nAccept-Ranges: bytes\r\nCache-Control: no-cache\r\n\
        Last-Modified: Mon, 23 Nov 2026 19:17:48 GMT\r\nVary: Origin\r\n\
        Access-Control-Allow-Origin: *\r\nSet-Cookie: a=b\r\nX-Other: 1\r\nServer: s\r\n\
        Connection: X-Hop\r\nX-Hop: 1\r\nLink: </a>\r\nContent-Length: 2\r\n\r\nok";
    let (address, heads) = target(answer);
    let headers = "Accept: a/b\r\nAccept-Language: de\r\nAuthorization: Basic eDp5\r\nRange: bytes=0-1\r\n\
        If-None-Match: \"x\"\r\nIf-Modified-Since: Mon, 23 Nov 2026 19:17:48 GMT\r\nOrigin: http://o\r\n\
        User-Agent: me\r\nCookie: k=v\r\nX-Forwarded-For: 1.2.3.4\r\nVia: v\r\nReferer: http://r/\r\n\
        X-Mine: 1\r\nTE: trailers\r\nProxy-Authorization: Basic eDp5\r\n";
    let (mut asked, mut answered) = (Vec::new(), Vec::new());
    for side in [Ours, Peer] {
        let node = proxy(side, &[&address]);
        for method in ["GET", "HEAD", "OPTIONS"] {
            let path = format!("/http_proxy/http/{address}/a%20b/?c=d%2Fe&f");
            let (head, body) = ask(&node, method, &path, headers);
            assert_eq!(status(&head), 206, "{side:?} {method}: {head}");
            let empty = method == "HEAD";
            assert_eq!(body.is_empty(), empty, "{side:?} {method}");
            let head_there = heads.recv_timeout(Duration::from_secs(10)).unwrap();
            assert!(
                head_there.starts_with(&format!("{method} /a%20b/?c=d%2Fe&f ")),
                "{head_there}"
            );
            asked.push(names(&head_there));
            answered.push(names(&head));
        }
        for method in ["POST", "PUT", "DELETE", "PATCH", "PROPFIND", "CONNECT"] {
            let path = format!("/http_proxy/http/{address}/");
            let (head, _) = ask(&node, method, &path, "Content-Length: 0\r\n");
            assert_eq!(status(&head), 405, "{side:?} {method}");
        }
    }
    // Only what the HTTP libraries say for themselves differs.
    let own = ["accept-encoding", "connection", "content-length", "host"];
    let plain = |names: &Vec<String>| -> Vec<String> {
        let names = names.iter().filter(|name| !own.contains(&&***name));
        names.cloned().collect()
    };
    for number in 0..3 {
        assert_eq!(plain(&asked[number]), plain(&asked[number + 3]));
        // The peer repeats the target's date beside its own and names its software; ours keeps
        // browsers from running what it hands on.
        let ours = answered[number].iter().filter(|name| {
            !["content-security-policy", "x-content-type-options"].contains(&&***name)
        });
        let theirs = answered[number + 3].iter().filter(|name| *name != "server");
        let keep = |name: &&String| !own.contains(&name.as_str());
        let mut theirs: Vec<_> = theirs.filter(keep).collect();
        theirs.dedup();
        assert_eq!(ours.filter(keep).collect::<Vec<_>>(), theirs);
    }
}

/// The names of the fields of a head, sorted.
fn names(head: &str) -> Vec<String> {
    let lines = head.lines().skip(1);
    let names = lines.filter_map(|line| Some(line.split_once(':')?.0.to_lowercase()));
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn whom_a_client_acts_for_is_told_to_nobody() {
    let (address, heads) = target("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let node = proxy(Ours, &[&address]);
    for value in [
        "X-SlapPartition computer_id=C, computer_partition_id=p",
        "x-slappartition computer_id=C, computer_partition_id=p",
        "X-SlapPartition nonsense",
    ] {
        let path = format!("/http_proxy/http/{address}/");
        ask(&node, "GET", &path, &format!("Authorization: {value}\r\n"));
        let head = heads.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(!head.to_lowercase().contains("authorization"), "{head}");
    }
}

#[test]
fn redirects_are_told_and_not_followed() {
    let (elsewhere, visits) = target("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let table = [
        (
            format!("http://{elsewhere}/x"),
            format!("http://here/http_proxy/http/{elsewhere}/x"),
        ),
        (
            "/y?z".to_owned(),
            "http://here/http_proxy/http/THERE/y?z".to_owned(),
        ),
        ("z".to_owned(), "z".to_owned()),
    ];
    for (location, expected) in table {
        let (address, _heads) = target(format!(
            "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
        ));
        let node = proxy(Ours, &[&address, &elsewhere]);
        let (head, _) = ask(&node, "GET", &format!("/http_proxy/http/{address}/a"), "");
        assert_eq!(status(&head), 302);
        let line = format!("location: {}\r\n", expected.replace("THERE", &address));
        assert!(head.contains(&line), "{line} {head}");
    }
    assert_eq!(visits.try_iter().count(), 0);
}

/// Neither the request nor the answer can hold a second one.
#[test]
fn nothing_is_smuggled() {
    let (address, heads) = target(
        "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n\
         2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    );
    let node = proxy(Ours, &[&address]);
    let path = format!("/http_proxy/http/{address}/a");
    let (head, body) = ask(&node, "GET", &path, "");
    assert_eq!(status(&head), 200);
    assert!(!String::from_utf8_lossy(&body).contains("evil"));
    let smuggled = format!("GET /b HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let length = smuggled.len();
    ask(
        &node,
        "GET",
        &path,
        &format!("Content-Length: {length}\r\n\r\n{smuggled}"),
    );
    let requests = [
        format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n{smuggled}"
        ),
        format!("GET {path}%0d%0aX: y HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
        format!("GET {path}\u{b}x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
    ];
    for request in requests {
        raw(&node, &request);
    }
    for head in heads.try_iter() {
        assert!(head.starts_with("GET /a"), "{head}");
        assert_eq!(head.matches(" HTTP/1.1\r\n").count(), 1, "{head}");
        assert!(!head.contains("\r\nX: y"), "{head}");
    }
}

#[test]
fn a_target_that_fails_is_told_apart() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let plain = no_tls();
    let (garbage, _) = target("no HTTP\r\n\r\n");
    let (missing, _) = target("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone");
    // (URL, status at ours, at the peer).
    let table = [
        (format!("http/{closed}/"), 523, 523),
        (format!("https/{plain}/"), 526, 526),
        (format!("http/{garbage}/"), 523, 523),
        (format!("http/{missing}/"), 404, 404),
    ];
    let hosts = [&*closed, &*plain, &*garbage, &*missing];
    let (ours, theirs) = (proxy(Ours, &hosts), proxy(Peer, &hosts));
    for (path, at_ours, at_theirs) in table {
        let path = format!("/http_proxy/{path}");
        assert_eq!(ours.ask_master(&path).0, at_ours, "{path}");
        assert_eq!(theirs.ask_master(&path).0, at_theirs, "{path}");
    }
}

/// The target is another slapproxy, whose certificate must be of an authority that is trusted.
#[test]
fn certificates_of_targets_are_verified() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new(directory.path(), "authority");
    let own = authority.issue("server", "/CN=target", 30);
    let (certificate, key) = (own.certificate.display(), own.key.display());
    let target = Server::start(&format!("ssl_cert = {certificate}\nssl_key = {key}"), &[]);
    let settings = format!("http_proxy_allow = {}", target.address());
    let path = format!("/http_proxy/https/{}/getRunId", target.address());
    let trust = format!("SSL_CERT_FILE={}", authority.certificate().display());
    for (trust, expected) in [("A=B", 526), (&trust, 200)] {
        let place = tempfile::tempdir().unwrap();
        let proxy = Server::start_in(place, &["/usr/bin/env", trust], &settings, &[]);
        let (status, text) = proxy.get(&path).unwrap();
        assert_eq!(status, expected, "{text}");
    }
}

/// Behind a trusted proxy that serves us elsewhere, redirects lead there, too.
#[test]
fn redirects_know_where_clients_reach_us() {
    let (address, _heads) =
        target("HTTP/1.1 301 Moved\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n");
    let node = proxy(Ours, &[&address]);
    let headers = "X-Forwarded-Proto: https\r\nX-Forwarded-Prefix: /master\r\n";
    let (head, _) = ask(
        &node,
        "GET",
        &format!("/http_proxy/http/{address}/old"),
        headers,
    );
    let location = format!("location: https://here/master/http_proxy/http/{address}/new\r\n");
    assert!(head.contains(&location), "{head}");
}

/// A body comes as a whole or visibly not, and is not held in memory.
#[test]
fn bodies_are_streamed_and_a_broken_one_is_seen() {
    const LARGE: usize = 24 << 20;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n");
    let whole = [head.as_bytes(), &vec![b'x'; LARGE]].concat();
    let (address, _heads) = target(whole.clone());
    let (broken, _heads) = target(&whole[..whole.len() / 2]);
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nhe";
    let (broken_chunks, _heads) = target(chunked);
    let node = proxy(Ours, &[&address, &broken, &broken_chunks]);
    let (head, body) = ask(&node, "GET", &format!("/http_proxy/http/{address}/"), "");
    assert_eq!((status(&head), body.len()), (200, LARGE));
    let (head, body) = ask(&node, "GET", &format!("/http_proxy/http/{broken}/"), "");
    assert!(head.contains(&format!("content-length: {LARGE}")), "{head}");
    assert!(body.len() < LARGE);
    let path = format!("/http_proxy/http/{broken_chunks}/");
    let (head, body) = ask(&node, "GET", &path, "");
    assert!(head.is_empty() || head.contains("chunked"), "{head}");
    assert!(!body.ends_with(b"0\r\n\r\n"), "no end is told");
}

#[test]
fn mistakes_in_the_list_end_the_start() {
    for line in ["http://example.org/", "a b", "user@host", "host:port"] {
        let node = Node::new();
        let text = fs::read_to_string(node.configuration()).unwrap();
        let key = format!("{text}http_proxy_allow = {line}\n");
        node.write("slapos.cfg", &key);
        let mut command = node.ours("slapproxy");
        let outcome = Outcome::of(command.arg(node.configuration()));
        let text = outcome.text();
        assert!(
            text.contains("http_proxy_allow") && text.contains(line),
            "{text}"
        );
        outcome.expect(1);
    }
}
