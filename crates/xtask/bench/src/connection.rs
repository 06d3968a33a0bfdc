//! A connection to a master: as little HTTP as it takes, so that the load costs little itself.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection that is opened when it is needed and kept while the server keeps it.
pub(super) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            stream: None,
            buffer: Vec::new(),
        }
    }

    /// Sends a whole request and reads the answer to its end.
    pub(super) fn ask(&mut self, request: &[u8]) -> Result<()> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => open(self.address)?,
        };
        stream.write_all(request).context("cannot send a request")?;
        if self.read(&mut stream)? {
            self.stream = Some(stream);
        }
        Ok(())
    }

    /// Reads an answer; whether the server keeps the connection.
    fn read(&mut self, stream: &mut TcpStream) -> Result<bool> {
        self.buffer.clear();
        let head = loop {
            let end = self.buffer.windows(4).position(|part| part == b"\r\n\r\n");
            if let Some(end) = end {
                break end + 4;
            }
            self.more(stream)?;
        };
        let text = std::str::from_utf8(&self.buffer[..head])?.to_ascii_lowercase();
        let mut lines = text.lines();
        let status = lines.next().unwrap_or_default().to_owned();
        let header = |name: &str| {
            let mut lines = text.lines();
            lines.find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
        };
        let length: usize = header("content-length:")
            .context("an answer without length")?
            .parse()?;
        while self.buffer.len() < head + length {
            self.more(stream)?;
        }
        if status.split(' ').nth(1) != Some("200") {
            let body = String::from_utf8_lossy(&self.buffer[head..]);
            bail!("{status}: {body}");
        }
        Ok(header("connection:").is_none_or(|value| value != "close"))
    }

    fn more(&mut self, stream: &mut TcpStream) -> Result<()> {
        let mut chunk = [0; 1 << 16];
        let count = stream.read(&mut chunk).context("cannot read an answer")?;
        if count == 0 {
            bail!("an answer ended before its end");
        }
        self.buffer.extend_from_slice(&chunk[..count]);
        Ok(())
    }
}

fn open(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).context("cannot connect")?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}
