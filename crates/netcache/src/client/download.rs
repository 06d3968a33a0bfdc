//! Downloads: one thread reads from the network, the other hashes and writes.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use ureq::Body;
use ureq::http::{Response, StatusCode, header};

use super::attended::Attended;
use super::paced::{PIECE, PacedPiece};
use super::{Client, ClientError, wait};
use crate::digest::{Digest, Hasher};
use crate::{Cancelled, chain};

/// Bytes that an interrupted download must have brought to count as progress.
const PROGRESS: u64 = 1 << 20;
/// Pieces that may wait to be written.
const WAITING: usize = 8;

impl Client {
    /// Downloads a file to the beginning of another, at most `limit` bytes. Returns its length.
    ///
    /// # Errors
    /// Again and again, the server cannot be reached or breaks off; or what comes is another file.
    pub fn download(
        &self,
        digest: &Digest,
        file: &mut File,
        limit: u64,
        cancelled: Cancelled<'_>,
    ) -> Result<u64, ClientError> {
        let mut download = Download {
            url: self.address.shown(digest.as_str()),
            file,
            hasher: Hasher::default(),
            received: 0,
            limit,
        };
        let mut pauses = self.patience.pauses.iter();
        loop {
            let before = download.received;
            let error = match self.continue_download(digest, &mut download, cancelled) {
                Ok(()) => return download.finish(digest),
                Err(error) if error.is_passing() => error,
                Err(error) => return Err(error),
            };
            if download.received >= before.saturating_add(PROGRESS) {
                pauses = self.patience.pauses.iter();
            }
            let Some(pause) = pauses.next() else {
                return Err(error);
            };
            log::info!("{}; trying again", chain(&error));
            wait(*pause, cancelled)?;
        }
    }

    fn continue_download(
        &self,
        digest: &Digest,
        download: &mut Download<'_>,
        cancelled: Cancelled<'_>,
    ) -> Result<(), ClientError> {
        let (client, digest, received) = (self.clone(), digest.clone(), download.received);
        let pieces = Attended::start(WAITING, move |sender| {
            let read = client.read_from(&digest, received, sender);
            if let Err(error) = read {
                // Nobody waits for it any more once the download was given up.
                let _ = sender.send(Err(error));
            }
        })?;
        while let Some(piece) = pieces.next(cancelled)? {
            match piece? {
                Piece::Anew => download.restart()?,
                Piece::Bytes(bytes) => download.keep(&bytes)?,
                Piece::End => return Ok(()),
                Piece::Broken(source) => return Err(download.broken_off(source)),
            }
        }
        let ended = io::Error::other("the thread that reads has ended");
        Err(download.broken_off(ended))
    }

    /// Sends what the file has behind its first bytes, or all of it where the server has no part.
    fn read_from(
        &self,
        digest: &Digest,
        received: u64,
        sender: &SyncSender<Result<Piece, ClientError>>,
    ) -> Result<(), ClientError> {
        let answer = match self.get(digest.as_str(), received, None) {
            // There is nothing behind what came: the digest says whether that was the file.
            Err(ClientError::Status { status, .. })
                if status == StatusCode::RANGE_NOT_SATISFIABLE && received > 0 =>
            {
                let _ = sender.send(Ok(Piece::End));
                return Ok(());
            }
            answer => answer?,
        };
        let anew = received > 0 && !continues(&answer, received);
        if anew && sender.send(Ok(Piece::Anew)).is_err() {
            return Ok(());
        }
        let body = answer.into_body().into_with_config().limit(u64::MAX);
        send_pieces(body.reader(), self.patience.silence, sender);
        Ok(())
    }
}

/// Until the end, or until nobody takes them any more.
fn send_pieces(
    mut reader: impl Read,
    patience: Duration,
    sender: &SyncSender<Result<Piece, ClientError>>,
) {
    loop {
        let mut bytes = Vec::with_capacity(PIECE);
        let paced = PacedPiece::new(&mut reader, patience);
        let read = paced.take(PIECE as u64).read_to_end(&mut bytes);
        if !bytes.is_empty() && sender.send(Ok(Piece::Bytes(bytes))).is_err() {
            return;
        }
        let last = match read {
            Ok(0) => Piece::End,
            Ok(_) => continue,
            Err(error) => Piece::Broken(error),
        };
        let _ = sender.send(Ok(last));
        return;
    }
}

/// Something of a download.
enum Piece {
    /// What came before does not count.
    Anew,
    Bytes(Vec<u8>),
    End,
    /// There should be more.
    Broken(io::Error),
}

/// A download under way.
struct Download<'a> {
    url: String,
    file: &'a mut File,
    hasher: Hasher,
    received: u64,
    limit: u64,
}

impl Download<'_> {
    fn restart(&mut self) -> Result<(), ClientError> {
        self.hasher = Hasher::default();
        self.received = 0;
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(ClientError::File)
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        self.received += bytes.len() as u64;
        if self.received > self.limit {
            let (url, limit) = (self.url.clone(), self.limit);
            return Err(ClientError::TooLarge { url, limit });
        }
        let kept = self.hasher.write_all(bytes);
        kept.and_then(|()| self.file.write_all(bytes))
            .map_err(ClientError::File)
    }

    fn broken_off(&self, source: io::Error) -> ClientError {
        ClientError::BrokenOff {
            url: self.url.clone(),
            received: self.received,
            source,
        }
    }

    fn finish(self, digest: &Digest) -> Result<u64, ClientError> {
        if self.hasher.finish() != *digest {
            return Err(ClientError::OtherFile { url: self.url });
        }
        self.file.rewind().map_err(ClientError::File)?;
        Ok(self.received)
    }
}

/// Whether an answer begins where the last one ended.
fn continues(answer: &Response<Body>, received: u64) -> bool {
    let range = answer.headers().get(header::CONTENT_RANGE);
    let range = range
        .and_then(|range| range.to_str().ok())
        .unwrap_or_default();
    answer.status() == StatusCode::PARTIAL_CONTENT
        && range.starts_with(&format!("bytes {received}-"))
}
