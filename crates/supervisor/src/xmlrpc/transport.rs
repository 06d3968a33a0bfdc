//! One HTTP request to supervisord's Unix socket.
//!
//! HTTP/1.0, so that supervisord closes the connection and never sends chunks.

use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{ProtocolError, XmlRpcError};

/// The longest path that a Unix socket's address holds besides its final NUL.
const SOCKET_PATH_LIMIT: usize = 107;
/// A node with thousands of programs answers getAllProcessInfo with some megabytes.
const ANSWER_LIMIT: usize = 32 << 20;
/// How often it is asked whether a call shall be given up.
const GLANCE: Duration = Duration::from_millis(100);
/// supervisord sends five headers.
const HEADER_COUNT_LIMIT: usize = 32;

/// Where a call goes and how long it may take.
pub(crate) struct Request<'a> {
    pub(crate) socket: &'a Path,
    pub(crate) method: &'static str,
    pub(crate) timeout: Duration,
    pub(crate) is_cancelled: &'a (dyn Fn() -> bool + Send + Sync),
}

impl Request<'_> {
    /// Posts a call and gives the body of the answer.
    pub(crate) fn post(&self, body: &str) -> Result<Vec<u8>, XmlRpcError> {
        let deadline = Instant::now() + self.timeout;
        self.check()?;
        let mut stream = self.connect()?;
        self.send(&mut stream, body, deadline)?;
        let mut answer = Vec::new();
        loop {
            let ended = self.receive(&mut stream, &mut answer, deadline)?;
            if let Some(body) = body_of(&answer, ended).map_err(|source| self.protocol(source))? {
                return Ok(body);
            }
        }
    }

    /// An error about the answer's content.
    pub(crate) fn protocol(&self, source: ProtocolError) -> XmlRpcError {
        XmlRpcError::Protocol {
            socket: self.socket.to_owned(),
            method: self.method,
            source,
        }
    }

    fn connect(&self) -> Result<UnixStream, XmlRpcError> {
        let socket = self.socket.to_owned();
        let length = socket.as_os_str().as_bytes().len();
        if length > SOCKET_PATH_LIMIT {
            return Err(XmlRpcError::SocketPathTooLong { socket, length });
        }
        UnixStream::connect(self.socket).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                XmlRpcError::NotRunning { socket }
            }
            _ => self.io(source),
        })
    }

    fn send(
        &self,
        stream: &mut UnixStream,
        body: &str,
        deadline: Instant,
    ) -> Result<(), XmlRpcError> {
        stream
            .set_write_timeout(Some(self.left(deadline)?))
            .map_err(|source| self.io(source))?;
        let head = format!(
            "POST /RPC2 HTTP/1.0\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        // One write: a call is small, and supervisord reads the whole before it answers.
        stream
            .write_all((head + body).as_bytes())
            .map_err(|source| self.io(source))
    }

    /// Reads once; says whether the connection ended.
    fn receive(
        &self,
        stream: &mut UnixStream,
        answer: &mut Vec<u8>,
        deadline: Instant,
    ) -> Result<bool, XmlRpcError> {
        let mut chunk = [0; 16 << 10];
        let length = loop {
            let patience = self.left(deadline)?.min(GLANCE);
            stream
                .set_read_timeout(Some(patience))
                .map_err(|source| self.io(source))?;
            match stream.read(&mut chunk) {
                Err(error) if is_nothing_yet(&error) => self.check()?,
                result => break result.map_err(|source| self.io(source))?,
            }
        };
        if answer.len() + length > ANSWER_LIMIT {
            return Err(self.protocol(ProtocolError::TooLong {
                limit: ANSWER_LIMIT,
            }));
        }
        answer.extend(chunk.iter().take(length));
        Ok(length == 0)
    }

    /// Fails once the call shall be given up.
    fn check(&self) -> Result<(), XmlRpcError> {
        if (self.is_cancelled)() {
            return Err(XmlRpcError::Cancelled {
                socket: self.socket.to_owned(),
                method: self.method,
            });
        }
        Ok(())
    }

    fn left(&self, deadline: Instant) -> Result<Duration, XmlRpcError> {
        match deadline.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(self.timed_out()),
            left => Ok(left),
        }
    }

    fn timed_out(&self) -> XmlRpcError {
        XmlRpcError::Timeout {
            socket: self.socket.to_owned(),
            method: self.method,
            timeout: self.timeout,
        }
    }

    fn io(&self, source: io::Error) -> XmlRpcError {
        match source.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.timed_out(),
            _ => XmlRpcError::Io {
                socket: self.socket.to_owned(),
                method: self.method,
                source,
            },
        }
    }
}

/// Whether a read ended without news: its time is over, or a signal came.
fn is_nothing_yet(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

/// The body, once all of it has come; `ended` says that nothing more will.
fn body_of(answer: &[u8], ended: bool) -> Result<Option<Vec<u8>>, ProtocolError> {
    let mut headers = [httparse::EMPTY_HEADER; HEADER_COUNT_LIMIT];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head_length) = head.parse(answer)? else {
        return if ended {
            Err(ProtocolError::Truncated)
        } else {
            Ok(None)
        };
    };
    match head.code {
        Some(200) => {}
        status => return Err(ProtocolError::Status(status.unwrap_or_default())),
    }
    let body = answer.get(head_length..).unwrap_or_default();
    match content_length(head.headers)? {
        Some(length) if length <= body.len() => Ok(body.get(..length).map(<[u8]>::to_vec)),
        Some(_) if ended => Err(ProtocolError::Truncated),
        None if ended => Ok(Some(body.to_vec())),
        _ => Ok(None),
    }
}

fn content_length(headers: &[httparse::Header<'_>]) -> Result<Option<usize>, ProtocolError> {
    let named = |name: &'static str| {
        headers
            .iter()
            .find(move |header| header.name.eq_ignore_ascii_case(name))
    };
    if named("Transfer-Encoding").is_some() {
        return Err(ProtocolError::Header("Transfer-Encoding"));
    }
    let Some(header) = named("Content-Length") else {
        return Ok(None);
    };
    let length = str::from_utf8(header.value)
        .ok()
        .and_then(|text| text.parse().ok());
    length
        .map(Some)
        .ok_or(ProtocolError::Header("Content-Length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_complete_at_its_length() {
        let answer = b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabcd";
        assert_eq!(body_of(answer, false).unwrap(), Some(b"abc".to_vec()));
        assert_eq!(body_of(&answer[..answer.len() - 2], false).unwrap(), None);
    }

    #[test]
    fn body_without_length_ends_with_the_connection() {
        let answer = b"HTTP/1.0 200 OK\r\n\r\nabc";
        assert_eq!(body_of(answer, false).unwrap(), None);
        assert_eq!(body_of(answer, true).unwrap(), Some(b"abc".to_vec()));
    }

    #[test]
    fn early_ends_are_errors() {
        for answer in [
            "",
            "HTTP/1.0 20",
            "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nab",
        ] {
            let error = body_of(answer.as_bytes(), true).unwrap_err();
            assert!(
                matches!(error, ProtocolError::Truncated),
                "{answer:?}: {error}"
            );
        }
    }

    #[test]
    fn other_answers_are_errors() {
        for answer in [
            "SSH-2.0-OpenSSH\r\n",
            "HTTP/1.0 401 Unauthorized\r\n\r\n",
            "HTTP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.0 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            assert!(body_of(answer.as_bytes(), false).is_err(), "{answer:?}");
        }
    }
}
