//! The least pace of what comes and goes: a server that sends or takes a byte now and then is as good as
//! silent.

use std::io::{self, Read};
use std::time::{Duration, Instant};

/// Bytes that must come or go within the patience for silence.
pub(super) const PIECE: usize = 128 << 10;

/// A piece of a download, of which all must come within a time.
pub(super) struct PacedPiece<R> {
    reader: R,
    begin: Instant,
    patience: Duration,
}

impl<R> PacedPiece<R> {
    pub(super) fn new(reader: R, patience: Duration) -> Self {
        Self {
            reader,
            begin: Instant::now(),
            patience,
        }
    }
}

impl<R: Read> Read for PacedPiece<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.begin.elapsed() > self.patience {
            return Err(too_slow("come", self.patience));
        }
        self.reader.read(buffer)
    }
}

/// What is uploaded: each piece must have gone within a time, which is seen when more is read.
pub(super) struct PacedUpload<R> {
    reader: R,
    /// When the piece was begun: the first, when the server was ready for it.
    begin: Option<Instant>,
    /// How much of it was read.
    read: usize,
    patience: Duration,
}

impl<R> PacedUpload<R> {
    pub(super) fn new(reader: R, patience: Duration) -> Self {
        Self {
            reader,
            begin: None,
            read: 0,
            patience,
        }
    }
}

impl<R: Read> Read for PacedUpload<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let begin = self.begin.get_or_insert_with(Instant::now);
        if begin.elapsed() > self.patience {
            return Err(too_slow("go", self.patience));
        }
        let read = self.reader.read(buffer)?;
        self.read += read;
        if self.read >= PIECE {
            *begin = Instant::now();
            self.read = 0;
        }
        Ok(read)
    }
}

fn too_slow(direction: &str, patience: Duration) -> io::Error {
    let slow = format!("{PIECE} bytes did not {direction} within {patience:?}");
    io::Error::new(io::ErrorKind::TimedOut, slow)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn who_takes_little_is_left_however_often_and_who_takes_enough_is_not() {
        let patience = Duration::from_millis(400);
        let take = |bytes: usize| {
            let mut upload = PacedUpload::new(io::repeat(7), patience);
            let (begun, mut buffer) = (Instant::now(), vec![0; bytes]);
            while begun.elapsed() < 3 * patience {
                upload.read_exact(&mut buffer)?;
                thread::sleep(Duration::from_millis(5));
            }
            Ok(())
        };
        take(PIECE / 4).unwrap();
        let slow: io::Error = take(100).unwrap_err();
        assert_eq!(slow.kind(), io::ErrorKind::TimedOut);
        assert_eq!(slow.to_string(), "131072 bytes did not go within 400ms");
    }
}
