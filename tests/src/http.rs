//! As much of HTTP as it takes to look at a page or to make a call of any shape.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Status and body of `GET http://HOST:PORT/PATH`.
pub fn get(address: &str, path: &str) -> io::Result<(u16, String)> {
    let (status, body) = ask(address, &format!("GET {path}"), &[], None)?;
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

/// Status and body of a request of one connection. `target` is method and path, `headers` are
/// whole lines.
pub fn ask(
    address: &str,
    target: &str,
    headers: &[String],
    body: Option<&[u8]>,
) -> io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut head = format!("{target} HTTP/1.0\r\nHost: {address}\r\n");
    for header in headers {
        head += &format!("{header}\r\n");
    }
    if let Some(body) = body {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    head += "\r\n";
    let mut request = head.into_bytes();
    request.extend_from_slice(body.unwrap_or_default());
    stream.write_all(&request)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&answer).ok_or_else(|| {
        let text = String::from_utf8_lossy(&answer);
        io::Error::other(format!("not an HTTP answer: {text:?}"))
    })
}

/// Status and body of a whole answer.
fn parse(answer: &[u8]) -> Option<(u16, Vec<u8>)> {
    const END: &[u8] = b"\r\n\r\n";
    let end = answer.windows(END.len()).position(|part| part == END)?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer[end + END.len()..].to_vec()))
}
