//! Nodes that wait at the master.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal::SIGTERM;
use rusqlite::Connection;
use slapos_tests::postgres::Postgres;
use slapos_tests::{COMPUTER, Server, database, poll};

use super::{PATIENCE, ask, figure, supply};

/// The requests that wait.
fn waiting(server: &Server) -> u64 {
    figure(server, "slapproxy_waiting_requests")
}

/// A connection on which a request waits for what comes after this tag.
fn wait(server: &Server, tag: &str, seconds: u64) -> TcpStream {
    let mut stream = server.connect();
    let request = format!(
        "GET /getFullComputerInformation?computer_id={COMPUTER} HTTP/1.1\r\nHost: {}\r\n\
         If-None-Match: {tag}\r\nPrefer: wait={seconds}\r\n\r\n",
        server.address()
    );
    stream
        .write_all(request.as_bytes())
        .expect("the server reads");
    stream
}

/// The head of an answer.
fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("there is an answer");
        head.push(byte[0]);
    }
    String::from_utf8(head)
        .expect("a head is ASCII")
        .to_lowercase()
}

/// Whether there is no answer yet, after longer than the server takes to make room.
fn nothing_comes(stream: &TcpStream) -> bool {
    let patience = |time| stream.set_read_timeout(time).expect("a socket has one");
    patience(Some(Duration::from_millis(600)));
    let seen = stream.peek(&mut [0]);
    patience(None);
    seen.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// Runs a statement on the server's database.
fn execute(server: &Server, sql: &str) {
    let uri = database::uri(server.path());
    if database::is_postgres(&uri) {
        let name = uri.split(['/', '?']).find(|part| part.starts_with("proxy"));
        Postgres::shared().sql(name.expect("a name"), sql);
    } else {
        let other = Connection::open(uri).expect("the file is there");
        assert_eq!(other.execute(sql, []).expect("it is taken"), 1);
    }
}

#[test]
fn who_waits_learns_of_a_change_at_once_whoever_makes_it() {
    let server = Server::start("", &[]);
    supply(&server, "http://one/");
    let sql =
        format!("INSERT INTO software18 (url, computer_reference) VALUES ('u', '{COMPUTER}')");
    let by_call = || supply(&server, "http://two/");
    let by_others = || execute(&server, &sql);
    for (who, change) in [
        ("ours", &by_call as &dyn Fn()),
        ("another process", &by_others),
    ] {
        let tag = ask(&server, &[]).tag();
        let mut stream = wait(&server, &tag, 25);
        poll::until("it waits", PATIENCE, || waiting(&server) == 1);
        let changed = Instant::now();
        change();
        let head = head(&mut stream);
        let delay = changed.elapsed();
        println!(
            "change by {who}: told after {:.1} ms",
            delay.as_secs_f64() * 1e3
        );
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(head.contains("preference-applied: wait=25"), "{head}");
        assert!(delay < Duration::from_secs(5), "{delay:?}");
    }
}

#[test]
fn who_has_waited_long_enough_is_told_that_nothing_has_changed() {
    let server = Server::start("max_wait = 1", &[]);
    supply(&server, "http://one/");
    let tag = ask(&server, &[("Prefer", "wait=1000")]).tag();
    let asked = Instant::now();
    let answer = ask(&server, &[("If-None-Match", &tag), ("Prefer", "wait=1000")]);
    assert_eq!(answer.status, 304);
    assert_eq!(answer.header("preference-applied"), Some("wait=1"));
    assert!(asked.elapsed() >= Duration::from_secs(1));
}

#[test]
fn nobody_waits_where_it_is_turned_off() {
    let server = Server::start("max_wait = 0", &[]);
    supply(&server, "http://one/");
    let tag = ask(&server, &[]).tag();
    let answer = ask(&server, &[("If-None-Match", &tag), ("Prefer", "wait=1000")]);
    assert_eq!(answer.status, 304);
    assert_eq!(answer.header("preference-applied"), None);
}

#[test]
fn a_server_that_is_told_to_end_answers_who_waits() {
    let mut server = Server::start("", &[]);
    supply(&server, "http://one/");
    let tag = ask(&server, &[]).tag();
    let mut stream = wait(&server, &tag, 60);
    poll::until("it waits", PATIENCE, || waiting(&server) == 1);
    server.signal(SIGTERM);
    let head = head(&mut stream);
    assert!(head.starts_with("http/1.1 304"), "{head}");
    let (code, took) = server.wait();
    assert_eq!(code, Some(0));
    // Else it is cut off after four.
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn who_wakes_with_many_others_is_not_one_too_many() {
    const MANY: usize = 60;
    let mut server = Server::start("max_queue = 2", &[]);
    supply(&server, "http://one/");
    let all_wait = |server: &Server| {
        let tag = ask(server, &[]).tag();
        let streams: Vec<_> = (0..MANY).map(|_| wait(server, &tag, 60)).collect();
        poll::until("all wait", PATIENCE, || waiting(server) == MANY as u64);
        streams
    };
    let all_are_told = |streams: Vec<TcpStream>, status: &str| {
        for mut stream in streams {
            let head = head(&mut stream);
            assert!(head.starts_with(&format!("http/1.1 {status}")), "{head}");
        }
    };
    let streams = all_wait(&server);
    supply(&server, "http://two/");
    all_are_told(streams, "200");
    let streams = all_wait(&server);
    server.signal(SIGTERM);
    all_are_told(streams, "304");
    assert_eq!(server.wait().0, Some(0));
}

#[test]
fn who_goes_away_waits_no_longer_and_a_slow_client_is_no_abuse() {
    let server = Server::start("request_timeout = 0.5", &[]);
    supply(&server, "http://one/");
    let tag = ask(&server, &[]).tag();
    let gone = wait(&server, &tag, 60);
    let mut patient = wait(&server, &tag, 2);
    poll::until("both wait", PATIENCE, || waiting(&server) == 2);
    drop(gone);
    let head = head(&mut patient);
    assert!(head.starts_with("http/1.1 304"), "{head}");
    poll::until("nobody waits", PATIENCE, || waiting(&server) == 0);
}

#[test]
fn many_wait_without_threads_and_others_are_served() {
    const MANY: usize = 600;
    let server = Server::start("max_connections = 800", &[]);
    supply(&server, "http://one/");
    let tag = ask(&server, &[]).tag();
    let threads = server.threads();
    let mut streams: Vec<_> = (0..MANY).map(|_| wait(&server, &tag, 120)).collect();
    poll::until("as many wait as may", PATIENCE, || {
        waiting(&server) == MANY as u64
    });
    println!(
        "{threads} threads before, {} while {MANY} wait",
        server.threads()
    );
    // Those of the database's connections stay for a while.
    assert!(server.threads() < threads + MANY / 10);
    // There is no more room to wait.
    for _ in 0..50 {
        let head = head(&mut wait(&server, &tag, 120));
        assert!(head.starts_with("http/1.1 304"), "{head}");
        assert!(!head.contains("preference-applied"), "{head}");
    }
    supply(&server, "http://two/");
    let changed = Instant::now();
    thread::scope(|scope| {
        for stream in &mut streams {
            scope.spawn(|| {
                let head = head(stream);
                assert!(head.starts_with("http/1.1 200"), "{head}");
            });
        }
    });
    println!(
        "all {MANY} were told {:?} after the change",
        changed.elapsed()
    );
    let status = fs::read_to_string(server.path().join("log")).unwrap();
    assert!(!status.contains("panicked"), "{status}");
}

#[test]
fn who_only_waits_makes_room_for_those_who_ask() {
    let server = Server::start("max_connections = 16\nrequest_timeout = 30", &[]);
    supply(&server, "http://one/");
    let tag = ask(&server, &[]).tag();
    let mut streams: Vec<_> = (0..12).map(|_| wait(&server, &tag, 60)).collect();
    poll::until("as many wait as may", PATIENCE, || waiting(&server) == 12);
    // Nobody can tell when these will ask something.
    let silent: Vec<_> = (0..4).map(|_| server.connect()).collect();
    assert!(nothing_comes(&streams[0]), "answered before somebody asked");
    let asked = Instant::now();
    for _ in 0..5 {
        let answer = ask(&server, &[]);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("connection"), Some("close"));
    }
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
    let left = waiting(&server);
    assert!((8..12).contains(&left), "{left}");
    // Who had waited longest went first, and was told that nothing has changed.
    let head = head(&mut streams[0]);
    assert!(head.starts_with("http/1.1 304"), "{head}");
    assert!(head.contains("connection: close"), "{head}");
    // Else it would be back at once, and another one would have to go.
    assert!(!head.contains("preference-applied"), "{head}");
    supply(&server, "http://two/");
    let last = self::head(streams.last_mut().expect("there are twelve"));
    assert!(last.starts_with("http/1.1 200"), "{last}");
    drop(silent);
}

#[test]
fn a_flood_of_requests_is_none_of_lines_in_the_log() {
    let server = Server::start("rate_limit = 1", &[]);
    let statuses: Vec<_> = (0..200)
        .map(|_| server.get("/healthz").expect("it answers").0)
        .collect();
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert!(refused > 100, "{refused}");
    let log = server.log();
    let lines = log.lines().filter(|line| line.contains("ask less often"));
    assert_eq!(lines.count(), 1, "{log}");
    assert!(log.contains("WARN"), "{log}");
}
