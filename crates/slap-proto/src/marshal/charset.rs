//! The encoding of a document.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

/// The document as text, whichever encoding its byte order mark or XML declaration names;
/// `None` if the bytes are not of that encoding.
pub(crate) fn to_text(document: &[u8]) -> Option<Cow<'_, str>> {
    let (encoding, bytes) = match Encoding::for_bom(document) {
        Some((encoding, length)) => (encoding, &document[length..]),
        None => (declared(document).unwrap_or(UTF_8), document),
    };
    encoding.decode_without_bom_handling_and_without_replacement(bytes)
}

/// The encoding that the XML declaration names. It can only be read where the encoding is a
/// superset of ASCII; UTF-16 needs its byte order mark (XML 1.0, section 4.3.3).
fn declared(document: &[u8]) -> Option<&'static Encoding> {
    let rest = document.strip_prefix(b"<?xml")?;
    let declaration = &rest[..rest.iter().take(200).position(|byte| *byte == b'>')?];
    let declaration = std::str::from_utf8(declaration).ok()?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value
        .chars()
        .next()
        .filter(|quote| "'\"".contains(*quote))?;
    let label = value[1..].split(quote).next()?;
    Encoding::for_label(label.as_bytes())
}
