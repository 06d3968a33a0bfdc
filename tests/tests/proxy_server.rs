//! Where slapproxy listens, what it puts up with, and how it ends.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nix::sys::signal::Signal;
use slapos_tests::{Server, database, poll};

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// All that comes until the other side closes.
fn rest(stream: &mut impl Read) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        // What we sent and nobody read makes the end of the connection a reset.
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("the connection is not closed: {error}"),
    }
    String::from_utf8(answer).unwrap()
}

fn answer_to_health(mut stream: impl Read + Write) -> String {
    stream.write_all(HEALTH).unwrap();
    rest(&mut stream)
}

#[test]
fn several_addresses_are_served_and_told() {
    let server = Server::start(
        "listen =\n  127.0.0.1:0\n  [::1]:0\n  unix:HERE/socket\n",
        &[],
    );
    let addresses = server.addresses();
    assert_eq!(addresses.len(), 3, "{addresses:?}");
    for url in &addresses[..2] {
        let address = url.strip_prefix("http://").unwrap().trim_end_matches('/');
        let answer = answer_to_health(TcpStream::connect(address).unwrap());
        assert!(answer.starts_with("HTTP/1.1 200"), "{url}: {answer}");
    }
    let socket = server.path().join("socket");
    assert_eq!(addresses[2], format!("unix:{}", socket.display()));
    let mode = socket.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let answer = answer_to_health(UnixStream::connect(socket).unwrap());
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn the_command_line_takes_the_place_of_the_file() {
    let server = Server::start(
        "listen = 127.0.0.1:1",
        &["--listen", "unix:HERE/a", "--listen", "127.0.0.1:0"],
    );
    let addresses = server.addresses();
    assert_eq!(addresses.len(), 2, "{addresses:?}");
    assert!(addresses[0].ends_with("/a"), "{addresses:?}");
}

#[test]
fn a_socket_left_by_a_kill_is_taken_over() {
    let arguments = ["--listen", "unix:HERE/socket"];
    let directory = Server::start("", &arguments).kill();
    assert!(directory.path().join("socket").exists());
    let mut server = Server::start_in(directory, &[], "", &arguments);
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait().0, Some(0));
    assert!(!server.path().join("socket").exists());
}

#[test]
fn an_idle_address_takes_no_connection_from_another() {
    let server = Server::start(
        "max_connections = 1\nlisten =\n  127.0.0.1:0\n  unix:HERE/socket\n",
        &[],
    );
    for _ in 0..3 {
        assert!(answer_to_health(server.connect()).starts_with("HTTP/1.1 200"));
    }
    let socket = server.path().join("socket");
    for _ in 0..3 {
        let stream = UnixStream::connect(&socket).unwrap();
        assert!(answer_to_health(stream).starts_with("HTTP/1.1 200"));
    }
}

#[test]
fn parameters_that_change_nothing_are_told() {
    let settings = "client_clr = /some/where\nshacache_signing_key_path = /no/where";
    let log = Server::start(settings, &[]).log();
    for told in [
        "parameter client_clr of [slapproxy] is not known",
        "parameter shacache_signing_key_path of [slapproxy] is not used",
    ] {
        assert!(log.contains(told), "{log}");
    }
}

#[test]
fn what_cannot_be_listened_on_is_named() {
    let taken = Server::start("", &[]);
    let address = taken.address();
    for (settings, arguments, part) in [
        ("", vec!["--listen", address.as_str()], address.as_str()),
        (
            "",
            vec!["--listen", "0.0.0.0:0"],
            "0.0.0.0:0 is not a loopback address",
        ),
        ("host = ::", vec![], "[::]:0 is not a loopback address"),
        ("", vec!["--listen", "example.org:80"], "example.org:80"),
        (
            "",
            vec!["--listen", "unix:/no/such/directory/socket"],
            "unix:/no/such/directory/socket",
        ),
        (
            "",
            vec!["--listen", "unix:HERE/slapos.cfg"],
            "a file that is no socket is there",
        ),
        ("listen = nowhere", vec![], "nowhere"),
        ("trusted_proxies = 10.0.0.0/33", vec![], "10.0.0.0/33"),
        ("max_connections = many", vec![], "many"),
        (
            "max_connections = 18446744073709551615",
            vec![],
            "from 1 to 65536",
        ),
        ("server_names = master:80", vec![], "master:80"),
        ("request_timeout = 0", vec![], "request_timeout"),
        ("request_timeout = nan", vec![], "request_timeout"),
    ] {
        let outcome = Server::refusal(settings, &arguments);
        let said = outcome.text();
        assert_ne!(outcome.code, Some(0), "{settings} {arguments:?}");
        assert!(said.contains(part), "{settings} {arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn the_whole_network_is_served_when_that_is_wanted() {
    let server = Server::start("", &["--listen", "0.0.0.0:0", "--insecure-listen"]);
    let port = server.address().rsplit(':').next().unwrap().to_owned();
    let stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    assert!(answer_to_health(stream).starts_with("HTTP/1.1 200"));
}

#[test]
fn who_is_slow_or_silent_does_not_hold_a_connection() {
    let server = Server::start("request_timeout = 1", &[]);
    let begin = |bytes: &[u8]| {
        let mut stream = server.connect();
        stream.write_all(bytes).unwrap();
        stream
    };
    let mut silent = begin(b"");
    let mut half_a_head = begin(b"GET /healthz HTTP/1.1\r\nHost:");
    let mut idle = begin(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let body =
        b"POST /supplySupply HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\nurl=";
    let mut half_a_body = begin(body);
    assert_eq!(rest(&mut silent), "");
    assert!(!rest(&mut half_a_head).contains(" 200 "));
    assert!(rest(&mut idle).starts_with("HTTP/1.1 200"));
    assert!(rest(&mut half_a_body).starts_with("HTTP/1.1 400"));
}

#[test]
fn a_trickle_is_cut_off() {
    let server = Server::start("request_timeout = 1", &[]);
    let mut stream = server.connect();
    let head = b"POST /supplySupply HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n";
    stream.write_all(head).unwrap();
    // A byte now and then would do for a limit that each byte begins anew.
    poll::until("the trickle is cut off", Duration::from_secs(20), || {
        stream.write_all(b"x").is_err()
    });
}

#[test]
fn who_does_not_read_the_answer_is_cut_off() {
    let server = Server::start("request_timeout = 1", &[]);
    let mut stream = server.connect();
    // Answers nobody reads fill the buffers, and then no more requests are read.
    let request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1000);
    stream
        .set_write_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    poll::until(
        "the connection is cut off",
        Duration::from_secs(20),
        || matches!(stream.write_all(&request), Err(error) if error.kind() != ErrorKind::WouldBlock),
    );
}

#[test]
fn more_than_the_most_connections_wait_their_turn() {
    let server = Server::start("max_connections = 2\nrequest_timeout = 1", &[]);
    let mut idle = [server.connect(), server.connect()];
    let waiting = server.connect();
    // The idle ones are closed after their time, and make room.
    assert!(answer_to_health(waiting).starts_with("HTTP/1.1 200"));
    idle.iter_mut()
        .for_each(|stream| assert_eq!(rest(stream), ""));
}

#[test]
fn too_large_and_broken_requests_are_refused() {
    let server = Server::start("", &[]);
    let ask = |request: &[u8]| {
        let mut stream = server.connect();
        // It may close before it has read all of it.
        let _ = stream.write_all(request);
        rest(&mut stream)
    };
    let long = "x".repeat(1 << 20);
    for request in [
        format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {long}\r\n\r\n"),
    ] {
        // What comes of it while it is being closed may take the answer away.
        let answer = ask(request.as_bytes());
        let refused = ["", "HTTP/1.1 414", "HTTP/1.1 431"];
        let status = answer.get(..12).unwrap_or_default();
        assert!(refused.contains(&status), "{answer}");
    }
    for request in [
        "nonsense\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ] {
        let answer = ask(request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    let head = "POST /supplySupply HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 50000000\r\n\r\n";
    let mut large = head.as_bytes().to_vec();
    large.resize(head.len() + 50_000_000, b'x');
    let answer = ask(&large);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_eq!(server.get("/healthz").unwrap(), (200, "ok\n".to_owned()));
}

#[test]
fn a_request_that_has_begun_is_finished_at_the_end() {
    let mut server = Server::start("", &[]);
    let mut stream = server.connect();
    let body = "url=http%3A%2F%2Fx%2F&computer_id=COMP-1&state=available";
    let (first, second) = body.split_at(10);
    let length = body.len();
    write!(
        stream,
        "POST /supplySupply HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{first}"
    )
    .unwrap();
    // It is in the midst of the request when an answer to another one has come.
    assert!(answer_to_health(server.connect()).starts_with("HTTP/1.1 200"));
    server.signal(Signal::SIGTERM);
    let address = server.address();
    poll::until(
        "no more connections are taken",
        Duration::from_secs(20),
        || TcpStream::connect(&address).is_err(),
    );
    stream.write_all(second.as_bytes()).unwrap();
    assert!(rest(&mut stream).starts_with("HTTP/1.1 200"));
    assert_eq!(server.wait().0, Some(0));
}

#[test]
fn who_does_not_finish_is_cut_off_at_the_end() {
    let mut server = Server::start("", &[]);
    let mut stuck = server.connect();
    stuck
        .write_all(b"POST /supplySupply HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n")
        .unwrap();
    let idle = server.connect();
    server.signal(Signal::SIGTERM);
    let (code, time) = server.wait();
    assert_eq!(code, Some(0));
    assert!(time < Duration::from_secs(8), "{time:?}");
    assert_eq!(rest(&mut stuck), "");
    drop(idle);
}

#[test]
fn the_figures_can_be_read_and_their_labels_are_bounded() {
    let server = Server::start("", &[]);
    for number in 0..50 {
        let (status, _) = server.get(&format!("/made-up-{number}\"?x")).unwrap();
        assert_eq!(status, 404);
    }
    let (status, _) = server
        .get("/getFullComputerInformation?computer_id=COMP-1")
        .unwrap();
    assert_eq!(status, 200);
    let (status, page) = server.get("/metrics").unwrap();
    assert_eq!(status, 200);
    for line in [
        "slapproxy_requests_total{call=\"other\",status=\"404\"} 50",
        "slapproxy_requests_total{call=\"getFullComputerInformation\",status=\"200\"} 1",
        "slapproxy_request_duration_seconds_count{call=\"other\"} 50",
        "slapproxy_database_duration_seconds_count{access=\"read\"} 2",
        "slapproxy_connections_total 52",
    ] {
        assert!(
            page.lines().any(|present| present == line),
            "{line}\n{page}"
        );
    }
    assert!(!page.contains("made-up"), "{page}");
}

#[test]
fn a_database_that_cannot_be_read_is_no_health() {
    let server = Server::start("", &[]);
    assert_eq!(server.get("/healthz").unwrap().0, 200);
    database::execute(server.path(), "DROP TABLE computer18");
    let (status, text) = server.get("/healthz").unwrap();
    assert_eq!(status, 500);
    assert!(text.contains("computer18"), "{text}");
}

#[test]
fn a_page_of_another_site_cannot_command_the_nodes() {
    let server = Server::start("", &[]);
    let form = "url=http%3A%2F%2Fevil%2F&computer_id=COMP-1&state=available";
    let post = |header: &str| {
        let mut stream = server.connect();
        let length = form.len();
        write!(
            stream,
            "POST /supplySupply HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\
             Content-Length: {length}\r\n\r\n{form}"
        )
        .unwrap();
        rest(&mut stream)
    };
    for header in [
        "Origin: http://evil.example\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
    ] {
        let answer = post(header);
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    }
    let (_, computer) = server
        .get("/getFullComputerInformation?computer_id=COMP-1")
        .unwrap();
    assert!(!computer.contains("evil"), "{computer}");
    assert!(post("").starts_with("HTTP/1.1 200"));
}

/// The first line of the answer to a request for a host, and the answer's text.
fn asked_for(host: &str, request: &str, mut stream: impl Read + Write) -> (String, String) {
    write!(
        stream,
        "{request} HTTP/1.1\r\n{host}Connection: close\r\n\r\n"
    )
    .unwrap();
    let answer = rest(&mut stream);
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.lines().next().unwrap_or_default();
    (status.to_owned(), text.to_owned())
}

#[test]
fn a_page_whose_host_leads_here_is_not_answered() {
    let server = Server::start("listen =\n  127.0.0.1:0\n  unix:HERE/socket\n", &[]);
    for request in [
        "GET /panel/",
        "GET /getFullComputerInformation?computer_id=COMP-1",
        "GET /hateoas/",
        "GET /nowhere",
        "POST /slapos.allDocs.v0.instance_tree_list",
        "POST /supplySupply",
    ] {
        let host = "Host: evil.example:5000\r\nOrigin: http://evil.example:5000\r\n";
        let (status, text) = asked_for(host, request, server.connect());
        assert_eq!(status, "HTTP/1.1 421 Misdirected Request", "{request}");
        assert!(text.contains("evil.example:5000"), "{text}");
        assert!(text.contains("server_names"), "{text}");
    }
    let address = format!("Host: {}\r\n", server.address());
    for host in [&address, "Host: localhost:1\r\n", "Host: [::1]\r\n"] {
        let (status, _) = asked_for(host, "GET /panel/", server.connect());
        assert_eq!(status, "HTTP/1.1 200 OK", "{host}");
    }
    // No browser comes by the socket, but proxies in front do.
    let socket = UnixStream::connect(server.path().join("socket")).unwrap();
    let (status, _) = asked_for("Host: public.example\r\n", "GET /panel/", socket);
    assert_eq!(status, "HTTP/1.1 200 OK");
}

#[test]
fn a_server_has_the_names_that_are_configured() {
    let server = Server::start("server_names = master.example.org other", &[]);
    for (host, expected) in [
        ("master.example.org", "HTTP/1.1 200 OK"),
        ("Other:80", "HTTP/1.1 200 OK"),
        ("example.org", "HTTP/1.1 421 Misdirected Request"),
    ] {
        let host = format!("Host: {host}\r\n");
        let (status, _) = asked_for(&host, "GET /healthz", server.connect());
        assert_eq!(status, expected, "{host}");
    }
}

#[test]
fn a_request_names_one_host_and_its_call_one_method() {
    let server = Server::start("", &[]);
    let twice = "Host: localhost\r\nHost: localhost\r\n";
    let (status, text) = asked_for(twice, "GET /healthz", server.connect());
    assert_eq!(status, "HTTP/1.1 400 Bad Request");
    assert!(text.contains("several hosts"), "{text}");
    let elsewhere = "GET http://evil.example/healthz";
    let (status, _) = asked_for("Host: localhost\r\n", elsewhere, server.connect());
    assert_eq!(status, "HTTP/1.1 400 Bad Request");
    let (status, text) = asked_for("Host: localhost\r\n", "GET /supplySupply", server.connect());
    assert_eq!(status, "HTTP/1.1 405 Method Not Allowed");
    assert!(text.contains("another method"), "{text}");
}
