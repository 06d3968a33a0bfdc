//! Decompressing in a thread of its own, so that it goes on while files are written.

use std::io::{self, BufReader, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use flate2::bufread::MultiGzDecoder;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Bytes that are handed over together.
const CHUNK: usize = 256 << 10;
/// Chunks that may wait.
const WAITING: usize = 8;
/// Largest window of zstd that is accepted, as a power of two: 8 MiB, which readers are bound to accept.
const WINDOW: u32 = 23;

/// An archive cannot be decompressed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// It cannot be read.
    #[error("cannot read the archive")]
    Read(#[source] io::Error),
    /// It begins with nothing known.
    #[error("the archive is neither gzip nor zstd")]
    Format,
}

/// Decompresses an archive in another thread, and hands what comes to `consume`. Ends when both have.
pub(super) fn decoded<T>(
    archive: impl Read + Send,
    consume: impl FnOnce(&mut Decoded) -> T,
) -> Result<T, DecodeError> {
    let (mut archive, decoder) = choose(archive)?;
    Ok(thread::scope(|scope| {
        let (sender, chunks) = sync_channel(WAITING);
        scope.spawn(move || match decoder {
            Decoder::Gzip => hand_over(MultiGzDecoder::new(&mut archive), &sender),
            Decoder::Zstd => match zstd::Decoder::with_buffer(&mut archive) {
                Ok(mut zstd) => match zstd.window_log_max(WINDOW) {
                    Ok(()) => hand_over(zstd, &sender),
                    Err(error) => drop(sender.send(Err(error))),
                },
                Err(error) => drop(sender.send(Err(error))),
            },
        });
        consume(&mut Decoded::new(chunks))
    }))
}

enum Decoder {
    Gzip,
    Zstd,
}

type Buffered<R> = BufReader<io::Chain<io::Cursor<Vec<u8>>, R>>;

fn choose<R: Read>(mut archive: R) -> Result<(Buffered<R>, Decoder), DecodeError> {
    let mut start = Vec::new();
    let read = (&mut archive).take(4).read_to_end(&mut start);
    read.map_err(DecodeError::Read)?;
    let decoder = if start.starts_with(&GZIP_MAGIC) {
        Decoder::Gzip
    } else if start.starts_with(&ZSTD_MAGIC) {
        Decoder::Zstd
    } else {
        return Err(DecodeError::Format);
    };
    let whole = io::Cursor::new(start).chain(archive);
    Ok((BufReader::with_capacity(CHUNK, whole), decoder))
}

/// Sends chunks until the end, which is an empty one, or the first error.
fn hand_over(mut decoder: impl Read, sender: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        let read = decoder.by_ref().take(CHUNK as u64).read_to_end(&mut chunk);
        let done = chunk.is_empty() || read.is_err();
        if sender.send(read.map(|_| chunk)).is_err() || done {
            return;
        }
    }
}

/// What was decompressed.
pub(super) struct Decoded {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: io::Cursor<Vec<u8>>,
    ended: bool,
}

impl Decoded {
    fn new(chunks: Receiver<io::Result<Vec<u8>>>) -> Self {
        Self {
            chunks,
            chunk: io::Cursor::default(),
            ended: false,
        }
    }
}

impl Read for Decoded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.chunk.read(buffer)?;
            if read > 0 || self.ended || buffer.is_empty() {
                return Ok(read);
            }
            let ended = |_| io::Error::other("the thread that decompresses has ended");
            self.chunk = io::Cursor::new(self.chunks.recv().map_err(ended)??);
            self.ended = self.chunk.get_ref().is_empty();
        }
    }
}
