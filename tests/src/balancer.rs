//! A balancer of HTTP: each request goes to the next server, or to one of the others if that does
//! not answer.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A balancer. It ends when it is dropped.
#[derive(Debug)]
pub struct Balancer {
    address: String,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    /// The sockets of the servers.
    servers: Vec<PathBuf>,
    turn: AtomicUsize,
    passed_on: AtomicUsize,
    has_ended: AtomicBool,
}

impl Balancer {
    /// Listens on a port of its own for servers on these Unix sockets.
    pub fn start(servers: Vec<PathBuf>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it listens").to_string();
        let state = Arc::new(State {
            servers,
            turn: AtomicUsize::new(0),
            passed_on: AtomicUsize::new(0),
            has_ended: AtomicBool::new(false),
        });
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.has_ended.load(Ordering::Relaxed) {
                    return;
                }
                let shared = shared.clone();
                // A client that goes away has no complaint.
                thread::spawn(move || drop(shared.serve(client)));
            }
        });
        Self { address, state }
    }

    /// HOST:PORT.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How often a request was given to another server than the first.
    pub fn passed_on(&self) -> usize {
        self.state.passed_on.load(Ordering::Relaxed)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.state.has_ended.store(true, Ordering::Relaxed);
        // The thread that listens looks after each connection.
        let _ = TcpStream::connect(&self.address);
    }
}

impl State {
    /// One request of one connection.
    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        client.set_read_timeout(Some(PATIENCE))?;
        let request = read_message(&mut client)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let request = for_one_connection(&request);
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        for attempt in 0..self.servers.len() {
            let server = &self.servers[(first + attempt) % self.servers.len()];
            if let Ok(answer) = ask(server, &request) {
                return client.write_all(&answer);
            }
            self.passed_on.fetch_add(1, Ordering::Relaxed);
        }
        client.write_all(
            b"HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        )
    }
}

/// A whole answer.
fn ask(server: &Path, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(server)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request)?;
    let answer = read_message(&mut stream)?;
    answer.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// A message with its body, as long as its head says; nothing if there is less.
fn read_message(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut message = Vec::new();
    let mut part = [0; 16 << 10];
    loop {
        if let Some(length) = length(&message)
            && message.len() >= length
        {
            return Ok(Some(message));
        }
        match stream.read(&mut part)? {
            0 => return Ok(None),
            count => message.extend_from_slice(&part[..count]),
        }
    }
}

/// How long a message is, once its head is there.
fn length(message: &[u8]) -> Option<usize> {
    let end = message.windows(4).position(|part| part == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&message[..end]).to_lowercase();
    let body = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let body = body.and_then(|length| length.trim().parse().ok());
    Some(end + 4 + body.unwrap_or(0))
}

/// The request with word that no other one follows on its connection.
fn for_one_connection(request: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(request);
    let Some((first, rest)) = text.split_once("\r\n") else {
        return request.to_vec();
    };
    let (head, body) = rest.split_once("\r\n\r\n").unwrap_or((rest, ""));
    let kept = head
        .split("\r\n")
        .filter(|line| !line.to_lowercase().starts_with("connection:"));
    let head = kept.collect::<Vec<_>>().join("\r\n");
    format!("{first}\r\nConnection: close\r\n{head}\r\n\r\n{body}").into_bytes()
}
