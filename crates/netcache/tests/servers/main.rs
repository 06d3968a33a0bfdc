//! Downloads and uploads with servers that do not do as they should.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

mod uploads;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use netcache::{Client, ClientError, Digest, Patience, Server};

/// What a server does with a request; it is given the number of the request, and its head.
type Answer = dyn Fn(usize, &str, &mut TcpStream) + Send + Sync;

/// A server on this machine, which remembers the heads of requests.
struct Fake {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    fn start(answer: impl Fn(usize, &str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://me:secret@{}/cache", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let fake = Self {
            url,
            heads: Arc::clone(&heads),
        };
        let answer: Arc<Answer> = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (heads, answer) = (Arc::clone(&heads), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &heads, &*answer));
            }
        });
        fake
    }

    fn client(&self) -> Client {
        self.client_with(Patience {
            answer: Duration::from_millis(500),
            upload: Duration::from_millis(500),
            silence: Duration::from_millis(500),
            pauses: vec![Duration::from_millis(1); 2],
        })
    }

    /// One that waits longer than any test.
    fn patient_client(&self) -> Client {
        let long = Duration::from_secs(3600);
        self.client_with(Patience {
            answer: long,
            upload: long,
            silence: long,
            pauses: Vec::new(),
        })
    }

    fn client_with(&self, patience: Patience) -> Client {
        let server = Server {
            url: self.url.clone(),
            ca_file: None,
            certificate: None,
            key: None,
        };
        Client::new(&server, patience).unwrap()
    }

    fn requests(&self) -> usize {
        self.heads.lock().unwrap().len()
    }
}

fn serve(mut stream: TcpStream, heads: &Mutex<Vec<String>>, answer: &Answer) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    let lower = head.to_lowercase();
    let length = lower.split_once("content-length: ");
    let length = length.map_or(0, |(_, rest)| rest.lines().next().unwrap().parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let number = {
        let mut heads = heads.lock().unwrap();
        heads.push(head.clone());
        heads.len() - 1
    };
    answer(number, &head, &mut stream);
}

fn send(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n");
    // The client may have gone.
    let _ = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body));
}

/// Sends the same again and again, for longer than the clients of these tests have patience.
fn trickle(stream: &mut TcpStream, bytes: &[u8]) {
    for _ in 0..50 {
        if stream.write_all(bytes).is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn length(of: &[u8]) -> String {
    format!("Content-Length: {}\r\n", of.len())
}

fn contents() -> Vec<u8> {
    (0..300_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

fn digest() -> Digest {
    Digest::of(&*contents()).unwrap()
}

fn download(client: &Client, limit: u64) -> Result<Vec<u8>, ClientError> {
    let mut file = tempfile::tempfile().unwrap();
    let length = client.download(&digest(), &mut file, limit, &|| false)?;
    let mut received = Vec::new();
    file.read_to_end(&mut received).unwrap();
    assert_eq!(received.len() as u64, length);
    Ok(received)
}

fn message(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[test]
fn a_broken_connection_is_resumed_where_it_broke() {
    let fake = Fake::start(|number, _, stream| {
        let all = contents();
        let (from, to) = [(0, 100_000), (100_000, 200_001), (200_001, 300_000)][number];
        match from {
            0 => send(stream, "200 OK", &length(&all), &all[..to]),
            from => {
                let headers = format!(
                    "{}Content-Range: bytes {from}-299999/300000\r\n",
                    length(&all[from..])
                );
                send(stream, "206 Partial Content", &headers, &all[from..to]);
            }
        }
    });
    assert!(download(&fake.client(), u64::MAX).unwrap() == contents());
    let heads = fake.heads.lock().unwrap();
    assert!(!heads[0].to_lowercase().contains("range:"), "{}", heads[0]);
    assert!(
        heads[1].to_lowercase().contains("range: bytes=100000-"),
        "{}",
        heads[1]
    );
    assert!(
        heads[2].to_lowercase().contains("range: bytes=200001-"),
        "{}",
        heads[2]
    );
    // Base64 of me:secret.
    assert!(heads[0].contains("Basic bWU6c2VjcmV0"), "{}", heads[0]);
    assert!(
        heads[0].starts_with(&format!("GET /cache/{} ", digest())),
        "{}",
        heads[0]
    );
}

#[test]
fn a_server_that_cannot_resume_is_asked_for_everything_again() {
    let fake = Fake::start(|number, _, stream| {
        let all = contents();
        let to = if number == 0 { 100_000 } else { all.len() };
        send(stream, "200 OK", &length(&all), &all[..to]);
    });
    assert!(download(&fake.client(), u64::MAX).unwrap() == contents());
    assert_eq!(fake.requests(), 2);
}

/// What a server does, the answer, a part of the message, and the requests that are made.
type Case = (&'static str, Box<Answer>, &'static str, usize);

fn bad_servers() -> Vec<Case> {
    vec![
        (
            "another file",
            Box::new(|_, _, stream| send(stream, "200 OK", &length(b"other"), b"other")),
            "has another SHA-512",
            1,
        ),
        (
            "a length that is too short",
            Box::new(|_, _, stream| {
                send(stream, "200 OK", "Content-Length: 299999\r\n", &contents())
            }),
            "has another SHA-512",
            1,
        ),
        (
            "a length that is too long",
            Box::new(|_, head, stream| {
                let all = contents();
                match head.to_lowercase().contains("range: bytes=300000-") {
                    // It has no more, whatever it said.
                    true => send(stream, "416 Range Not Satisfiable", "", b""),
                    false => send(
                        stream,
                        "200 OK",
                        "Content-Length: 300009\r\n",
                        &all[..299_999],
                    ),
                }
            }),
            "broke off after 299999 bytes",
            3,
        ),
        (
            "a range that nobody asked for",
            Box::new(|_, _, stream| {
                let headers = "Content-Length: 5\r\nContent-Range: bytes 7-11/300000\r\n";
                send(stream, "206 Partial Content", headers, b"other");
            }),
            "has another SHA-512",
            1,
        ),
        (
            "500",
            Box::new(|_, _, stream| send(stream, "500 Oh", "Content-Length: 0\r\n", b"")),
            "answers 500",
            3,
        ),
        (
            "404",
            Box::new(|_, _, stream| send(stream, "404 No", "Content-Length: 0\r\n", b"")),
            "answers 404",
            1,
        ),
        (
            "redirects in a loop",
            Box::new(|_, _, stream| {
                send(
                    stream,
                    "302 Found",
                    "Location: /again\r\nContent-Length: 0\r\n",
                    b"",
                )
            }),
            "too many redirects",
            11,
        ),
        (
            "silence before the answer",
            Box::new(|_, _, _| thread::sleep(Duration::from_secs(5))),
            "timeout",
            3,
        ),
        (
            "silence in the answer",
            Box::new(|_, _, stream| {
                send(stream, "200 OK", &length(&contents()), b"some");
                thread::sleep(Duration::from_secs(5));
            }),
            "broke off after",
            3,
        ),
        (
            "a byte now and then",
            Box::new(|_, _, stream| {
                send(stream, "200 OK", &length(&contents()), b"");
                trickle(stream, b"x");
            }),
            "did not come within 500ms",
            3,
        ),
        ("nothing", Box::new(|_, _, _| ()), "cannot reach", 3),
        (
            "no HTTP",
            Box::new(|_, _, stream| drop(stream.write_all(b"SSH-2.0-OpenSSH\r\n\r\n"))),
            "cannot reach",
            3,
        ),
        (
            "more than there is space for",
            Box::new(|_, _, stream| send(stream, "200 OK", "", &vec![0; 2_000_000])),
            "more than 1000000 bytes",
            1,
        ),
    ]
}

#[test]
fn bad_servers_are_told_from_each_other() {
    for (what, answer, expected, requests) in bad_servers() {
        let fake = Fake::start(move |number, head, stream| answer(number, head, stream));
        let error = download(&fake.client(), 1_000_000).expect_err(what);
        let message = message(&error);
        println!("| {what} | {} requests | {message} |", fake.requests());
        assert!(message.contains(expected), "{what}: {message}");
        assert!(!message.contains("secret"), "{message}");
        assert_eq!(fake.requests(), requests, "{what}");
    }
}

#[test]
fn a_download_stops_when_told() {
    let fake =
        Fake::start(|_, _, stream| send(stream, "200 OK", &length(&contents()), &contents()));
    let mut file = tempfile::tempfile().unwrap();
    let error = fake
        .client()
        .download(&digest(), &mut file, u64::MAX, &|| true);
    assert!(matches!(error, Err(ClientError::Cancelled)));
}

#[test]
fn another_server_does_not_learn_the_password() {
    let other = Fake::start(|_, _, stream| send(stream, "200 OK", &length(b"[]"), b"[]"));
    let (_, address) = other.url.split_once('@').unwrap();
    let location = format!("Location: http://{address}/key\r\nContent-Length: 0\r\n");
    let fake = Fake::start(move |_, _, stream| send(stream, "302 Found", &location, b""));
    let list = fake.client().entries("key", &|| false).unwrap();
    assert_eq!(list.map(|list| list.len()), Some(0));
    let authorised = |fake: &Fake| {
        let heads = fake.heads.lock().unwrap();
        assert_eq!(heads.len(), 1);
        heads[0].to_lowercase().contains("authorization")
    };
    assert!(authorised(&fake));
    assert!(!authorised(&other));
}

/// Something that is asked for, until it is told to stop.
type Request = fn(&Client, &(dyn Fn() -> bool + Sync)) -> Result<(), ClientError>;

/// Nothing that is waited for keeps a run from ending: neither an answer, nor the rest of one.
#[test]
fn silence_is_left_when_told() {
    let heads = ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome"];
    let mut requests: Vec<(&str, Request)> = Vec::new();
    for head in heads {
        requests.push((head, |client, told| client.entries("key", told).map(drop)));
        requests.push((head, |client, told| {
            let mut file = tempfile::tempfile().unwrap();
            let received = client.download(&digest(), &mut file, u64::MAX, told);
            received.map(drop)
        }));
    }
    requests.push(("", |client, told| {
        let file = tempfile::tempfile().unwrap();
        client.upload(&digest(), &file, told).map(drop)
    }));
    for (head, request) in requests {
        let fake = Fake::start(move |_, _, stream| {
            let _ = stream.write_all(head.as_bytes());
            // Until the client goes.
            let _ = stream.read(&mut [0]);
        });
        let error = request(&fake.patient_client(), &|| fake.requests() > 0);
        assert!(matches!(error, Err(ClientError::Cancelled)), "{error:?}");
        assert_eq!(fake.requests(), 1);
    }
}

#[test]
fn answers_of_the_directory_are_lists_or_errors() {
    let entries = |body: &'static [u8]| {
        let fake = Fake::start(move |_, _, stream| send(stream, "200 OK", &length(body), body));
        fake.client().entries("key", &|| false)
    };
    let list = entries(br#"[["{}", "sig"], "nonsense", ["{}"], 7]"#)
        .unwrap()
        .unwrap();
    assert_eq!(list.iter().filter(|entry| entry.is_some()).count(), 1);
    assert_eq!(list.len(), 4);
    for body in [&b""[..], b"nonsense", b"{}", b"\xff", b"[[\"{}\", \"\"]"] {
        let error = message(&entries(body).unwrap_err());
        assert!(error.contains("holds no list of entries"), "{error}");
    }
    let fake = Fake::start(|_, _, stream| send(stream, "404 No", "Content-Length: 0\r\n", b""));
    assert_eq!(fake.client().entries("key", &|| false).unwrap(), None);
    let fake = Fake::start(|_, _, stream| {
        send(stream, "200 OK", "Content-Length: 99999\r\n", b"[");
        trickle(stream, b" ");
    });
    let error = message(&fake.client().entries("key", &|| false).unwrap_err());
    assert!(error.contains("timeout"), "{error}");
}
