//! Masters that are dead, slow, unwilling, or lead to themselves.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use slap_client::proto::documents::SoftwareInstance;
use slap_client::{ClientError, InstanceRequest};
use slapos_tests::Outcome;
use slapos_tests::Side::{Ours, Peer};

use crate::master::{LISTED, Master, OTHER, section, to_master};

fn status(result: Result<SoftwareInstance, ClientError>) -> (u16, String) {
    match result {
        Err(ClientError::Server {
            status, message, ..
        }) => (status, message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_dead_master_is_523_and_named_and_nothing_is_remembered() {
    let dead = Master::new();
    for side in [Ours, Peer] {
        let list = section(&dead.url(), &format!("software_release_list = {LISTED}\n"));
        let near = Master::started(side, &list);
        let by_list = near.request(&InstanceRequest::new(LISTED, "one"));
        let by_filter = near.request(&to_master("one", &dead.url()));
        for result in [by_list, by_filter] {
            let (status, message) = status(result);
            assert_eq!(status, 523, "{side:?}: {message}");
            let port = dead.node.master_port.to_string();
            assert!(message.contains(&port), "{side:?}: {message}");
        }
        assert_eq!(near.forwarded(), [], "{side:?}");
        assert_eq!(near.instances(), [], "{side:?}");
    }
}

/// A master that answers every request for an instance like this.
fn scripted(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            thread::spawn(move || {
                let answer = match request_line(&mut stream) {
                    Some(line) if line.contains("/getRunId") => "200 OK\r\n\r\nanother",
                    Some(line) if line.starts_with("GET ") => "404 Not Found\r\n\r\n",
                    _ => answer,
                };
                let _ = stream.write_all(format!("HTTP/1.0 {answer}").as_bytes());
            });
        }
    });
    url
}

/// The first line of a request, once all of it has come.
fn request_line(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer).ok().filter(|length| *length > 0)?;
        bytes.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let head = head.to_lowercase();
        let field = head.split("content-length: ").nth(1);
        let length = field.and_then(|field| field.lines().next()?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return text.lines().next().map(str::to_owned);
        }
    }
}

#[test]
fn what_the_other_master_says_is_handed_on() {
    // (answer, what becomes of it at ours, whether it is remembered).
    let table = [
        ("408 Request Timeout\r\n\r\nwait", "not ready", true),
        (
            "404 Not Found\r\n\r\nnothing free there",
            "404 nothing free there",
            false,
        ),
        ("400 Bad Request\r\n\r\nnot so", "400 not so", false),
        ("403 Forbidden\r\n\r\nwho are you", "502 who are you", false),
        ("500 Oops\r\n\r\nbroken there", "502 broken there", false),
        (
            "302 Found\r\nLocation: http://evil.example/\r\n\r\n",
            "502 evil.example",
            false,
        ),
        ("200 OK\r\n\r\n<html>no", "502 cannot be read", false),
        (
            "200 OK\r\n\r\n<marshal><int>1</int></marshal>",
            "502 ",
            false,
        ),
    ];
    let urls: Vec<_> = table.iter().map(|row| scripted(row.0)).collect();
    let sections: String = urls.iter().map(|url| section(url, "")).collect();
    let near = Master::started(Ours, &sections);
    for ((answer, expected, remembered), url) in table.into_iter().zip(&urls) {
        let found = match near.request(&to_master("one", url)) {
            Err(ClientError::ResourceNotReady { .. }) => "not ready".to_owned(),
            Err(ClientError::NotFound { message, .. }) => format!("404 {message}"),
            Err(ClientError::BadRequest { message, .. }) => format!("400 {message}"),
            Err(ClientError::Server {
                status, message, ..
            }) => format!("{status} {message}"),
            other => panic!("{answer}: {other:?}"),
        };
        let (status, part) = expected.split_once(' ').unwrap();
        assert!(found.starts_with(status), "{answer}: {found}");
        assert!(found.contains(part), "{answer}: {found}");
        let row = ("user_one".to_owned(), url.clone());
        assert_eq!(near.forwarded().contains(&row), remembered, "{answer}");
    }
    assert_eq!(near.instances(), []);
}

/// Two masters that list the same release for each other, and one that lists it for itself.
#[test]
fn no_request_goes_round_for_ever() {
    let (mut one, mut two) = (Master::new(), Master::new());
    let list = |url: &str| section(url, &format!("software_release_list = {LISTED}\n"));
    let (to_one, to_two) = (list(&one.url()), list(&two.url()));
    one.start(Ours, &to_two);
    two.start(Ours, &to_one);
    match one.request(&InstanceRequest::new(LISTED, "one")) {
        Err(ClientError::BadRequest { message, .. }) => {
            assert!(message.contains("circle"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!((one.forwarded(), two.forwarded()), (vec![], vec![]));
    let mut own = Master::new();
    let to_itself = list(&own.url());
    own.start(Ours, &to_itself);
    own.request(&InstanceRequest::new(LISTED, "one")).unwrap();
    assert_eq!(own.instances().len(), 1);
    assert_eq!(own.forwarded(), []);
}

/// Other requests are served while another master takes its time.
#[test]
fn a_slow_master_holds_up_nobody_else() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // It takes connections, and never answers.
    let slow = format!("http://{}/", listener.local_addr().unwrap());
    let keys = format!("software_release_list = {LISTED}\n");
    let near = Master::started(Ours, &section(&slow, &keys));
    let waiting = near.slap.clone();
    let waiting = thread::spawn(move || {
        let order = InstanceRequest::new(LISTED, "slow");
        let _ = waiting.register_open_order().request(&order);
    });
    // The connection of the waiting request tells that it is under way.
    let (stream, _) = listener.accept().unwrap();
    for number in 0..3 {
        let order = InstanceRequest::new(OTHER, format!("quick {number}"));
        near.request(&order).unwrap();
    }
    assert_eq!(near.instances().len(), 3);
    drop((stream, listener));
    waiting.join().unwrap();
}

#[test]
fn mistakes_in_a_section_end_the_start() {
    let table = [
        (section("ftp://x/", ""), "ftp://x/"),
        (section("http://x/", "key = k\n"), "needs cert"),
        (section("http://x/", "computer = c\n"), "needs partition"),
    ];
    for (text, reason) in table {
        let master = Master::new();
        let before = fs::read_to_string(master.node.configuration()).unwrap();
        master.node.write("slapos.cfg", &(before + &text));
        let mut command = master.node.ours("slapproxy");
        let outcome = Outcome::of(command.arg(master.node.configuration()));
        assert!(outcome.text().contains(reason), "{}", outcome.text());
        outcome.expect(1);
    }
}
