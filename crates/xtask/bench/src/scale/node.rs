//! One node, and as little HTTP as it takes: ten thousand of them shall cost less than the master.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until};

use super::Way;
use super::database;
use super::fleet::Fleet;

/// How long a node that waits has the master wait, in seconds.
const WAIT: u64 = 50;
/// After a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// A node.
pub(super) struct Node {
    fleet: Arc<Fleet>,
    number: usize,
    client: Client,
    known: Option<String>,
}

impl Node {
    pub(super) fn new(fleet: Arc<Fleet>, number: usize) -> Self {
        let client = Client::new(fleet.address);
        Self {
            fleet,
            number,
            client,
            known: None,
        }
    }

    /// Asks for ever.
    pub(super) async fn work(mut self) {
        let mut next = Instant::now();
        let mut is_ready = false;
        loop {
            match self.client.ask(self.request().as_bytes()).await {
                Ok(answer) => {
                    self.fleet.note(self.number, answer.status, answer.bytes);
                    if self.fleet.way != Way::Plain {
                        self.known = answer.tag;
                    }
                    if !is_ready {
                        self.fleet.is_ready();
                        is_ready = true;
                    }
                }
                Err(_) => {
                    self.fleet.note_failure();
                    sleep(PAUSE).await;
                }
            }
            if self.fleet.way != Way::Wait {
                // As slapgrid does: the master would not keep the connection for so long.
                self.client.close();
                next += self.fleet.interval;
                sleep_until(next).await;
            }
        }
    }

    fn request(&self) -> String {
        let computer = database::computer(self.number);
        let mut text = format!(
            "GET /getFullComputerInformation?computer_id={computer} HTTP/1.1\r\nHost: localhost\r\n"
        );
        if let Some(known) = &self.known {
            text += &format!("If-None-Match: {known}\r\n");
        }
        if self.fleet.way == Way::Wait {
            text += &format!("Prefer: wait={WAIT}\r\n");
        }
        text + "\r\n"
    }
}

/// A connection that is opened when it is needed.
pub(super) struct Client {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

/// What is of interest of an answer.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    tag: Option<String>,
    /// Of all of it.
    bytes: usize,
}

impl Client {
    pub(super) fn new(address: SocketAddr) -> Self {
        let stream = None;
        Self { address, stream }
    }

    fn close(&mut self) {
        self.stream = None;
    }

    /// Sends a request and reads the answer to its end.
    pub(super) async fn ask(&mut self, request: &[u8]) -> Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => BufReader::new(TcpStream::connect(self.address).await?),
        };
        stream.write_all(request).await?;
        let answer = read(&mut stream).await?;
        if !matches!(answer.status, 200 | 304) {
            bail!("answered {}", answer.status);
        }
        self.stream = Some(stream);
        Ok(answer)
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Result<Answer> {
    let (mut answer, mut length, mut line) = (Answer::default(), 0, String::new());
    loop {
        line.clear();
        let count = stream.read_line(&mut line).await?;
        answer.bytes += count;
        let text = line.trim_end();
        match text.split_once(": ") {
            _ if count == 0 => bail!("the connection ended"),
            _ if text.is_empty() => break,
            Some(("etag", tag)) => answer.tag = Some(tag.to_owned()),
            Some(("content-length", number)) => length = number.parse()?,
            Some(_) => {}
            None => {
                let status = text.split(' ').nth(1);
                answer.status = status.context("no status")?.parse()?;
            }
        }
    }
    let mut body = stream.take(length);
    let read = tokio::io::copy(&mut body, &mut tokio::io::sink()).await?;
    if read < length {
        bail!("the answer ended before its end");
    }
    answer.bytes += usize::try_from(length)?;
    Ok(answer)
}
