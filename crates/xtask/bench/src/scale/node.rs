//! One node, and as little HTTP as it takes: ten thousand of them shall cost less than the master.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until};

use super::Way;
use super::fill;
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
    /// How long to have the master wait the next time, in seconds.
    wait: u64,
}

impl Node {
    pub(super) fn new(fleet: Arc<Fleet>, number: usize) -> Self {
        let client = Client::new(fleet.address(number));
        Self {
            fleet,
            number,
            client,
            known: None,
            wait: WAIT,
        }
    }

    /// Asks for the first time. The nodes began to at that moment.
    pub(super) async fn ask_first(&mut self, begun: Instant) -> Result<()> {
        self.ask().await?;
        // The ends of waiting are spread as if the nodes had been at it for long.
        let end = WAIT as f64 * self.fleet.part_before(self.number);
        let wait = (end - begun.elapsed().as_secs_f64()).rem_euclid(WAIT as f64);
        self.wait = (wait as u64).max(1);
        Ok(())
    }

    /// Asks for ever.
    pub(super) async fn work(mut self) {
        let mut next = None;
        loop {
            if self.fleet.way != Way::Wait {
                // As slapgrid does: the master would not keep the connection for so long.
                self.client.close();
                let turn = match next {
                    Some(turn) => turn,
                    None => self.fleet.turn(self.number).await,
                };
                sleep_until(turn).await;
                next = Some(turn + self.fleet.interval);
            }
            if self.ask().await.is_err() {
                self.fleet.note_failure();
                sleep(PAUSE).await;
            }
            self.wait = WAIT;
        }
    }

    async fn ask(&mut self) -> Result<()> {
        let answer = self.client.ask(self.request().as_bytes()).await?;
        self.fleet.note(self.number, answer.status, answer.bytes);
        if self.fleet.way != Way::Plain {
            self.known = answer.tag;
        }
        Ok(())
    }

    fn request(&self) -> String {
        let computer = fill::computer(self.number);
        let mut text = format!(
            "GET /getFullComputerInformation?computer_id={computer} HTTP/1.1\r\nHost: localhost\r\n"
        );
        if let Some(known) = &self.known {
            text += &format!("If-None-Match: {known}\r\n");
        }
        if self.fleet.way == Way::Wait {
            text += &format!("Prefer: wait={}\r\n", self.wait);
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
