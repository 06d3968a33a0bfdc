//! Answers that the master has compressed.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use ureq::http::{HeaderMap, header};

/// The coding that is asked for.
pub(crate) const ACCEPTED: &str = "gzip";

/// The body of an answer as it was before it was compressed, of at most so many bytes.
pub(crate) fn decode(
    headers: &HeaderMap,
    body: Vec<u8>,
    limit: u64,
) -> Result<Vec<u8>, ureq::Error> {
    let coding = headers.get(header::CONTENT_ENCODING);
    match coding.map(|coding| coding.as_bytes().to_ascii_lowercase()) {
        None => Ok(body),
        Some(coding) if coding == b"identity" => Ok(body),
        Some(coding) if coding == ACCEPTED.as_bytes() => gunzip(&body, limit),
        Some(coding) => {
            let coding = String::from_utf8_lossy(&coding).into_owned();
            let text = format!("the answer has the coding {coding:?}, which was not asked for");
            Err(io::Error::other(text).into())
        }
    }
}

fn gunzip(body: &[u8], limit: u64) -> Result<Vec<u8>, ureq::Error> {
    let mut decoded = Vec::new();
    let mut bounded = MultiGzDecoder::new(body).take(limit.saturating_add(1));
    bounded.read_to_end(&mut decoded)?;
    if u64::try_from(decoded.len()).is_ok_and(|length| length <= limit) {
        Ok(decoded)
    } else {
        Err(ureq::Error::BodyExceedsLimit(limit))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn zip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(coding: &'static str, body: Vec<u8>) -> Result<Vec<u8>, String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, coding.parse().unwrap());
        decode(&headers, body, 1000).map_err(|error| error.to_string())
    }

    #[test]
    fn an_answer_is_decoded_whole_or_not_at_all() {
        let text = b"word ".repeat(100);
        let plain = decode(&HeaderMap::new(), text.clone(), 1000);
        assert_eq!(plain.unwrap(), text);
        assert_eq!(decoded("GZIP", zip(&text)).unwrap(), text);
        assert_eq!(decoded("identity", text.clone()).unwrap(), text);
        assert_eq!(decoded("gzip", zip(&[0; 1000])).unwrap(), [0; 1000]);
    }

    #[test]
    fn bombs_rubbish_and_unknown_codings_are_refused() {
        let bomb = decoded("gzip", zip(&vec![0; 10 << 20])).unwrap_err();
        assert!(bomb.contains("limit"), "{bomb}");
        let mut cut = zip(b"something longer");
        cut.truncate(cut.len() - 5);
        decoded("gzip", cut).unwrap_err();
        decoded("gzip", b"no gzip".to_vec()).unwrap_err();
        let unknown = decoded("br", Vec::new()).unwrap_err();
        assert!(unknown.contains("\"br\""), "{unknown}");
    }
}
