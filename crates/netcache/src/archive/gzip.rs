//! gzip by several threads: blocks are compressed on their own, each to a gzip member; members in a
//! row are one gzip file to every reader. The bytes do not depend on how many threads there are.

use std::io::{self, Write};
use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use libdeflater::{CompressionLvl, Compressor};

/// Bytes that are compressed together. What a block repeats of the one before costs space, larger
/// blocks cost memory.
const BLOCK: usize = 2 << 20;
/// Beats zlib's best level in size, in less time.
const LEVEL: i32 = 8;

/// A block to compress, and where the compressed one is waited for.
type Job = (Vec<u8>, SyncSender<io::Result<Vec<u8>>>);

/// Compresses what is written to it and writes that, in order, to another writer.
pub(super) struct ParallelGzip<W: Write> {
    block: Vec<u8>,
    jobs: Option<SyncSender<Job>>,
    results: Option<SyncSender<Receiver<io::Result<Vec<u8>>>>>,
    workers: Vec<JoinHandle<()>>,
    writer: Option<JoinHandle<io::Result<W>>>,
}

impl<W: Write + Send + 'static> ParallelGzip<W> {
    pub(super) fn new(inner: W, threads: usize) -> Self {
        let (jobs, queue) = sync_channel::<Job>(1);
        let (results, ordered) = sync_channel(threads + 1);
        let queue = Arc::new(Mutex::new(queue));
        let workers = (0..threads).map(|_| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || compress_all(&queue))
        });
        Self {
            block: Vec::with_capacity(BLOCK),
            jobs: Some(jobs),
            results: Some(results),
            workers: workers.collect(),
            writer: Some(thread::spawn(move || write_all(inner, &ordered))),
        }
    }

    /// Writes what is left, and returns the writer beneath.
    pub(super) fn finish(mut self) -> io::Result<W> {
        if !self.block.is_empty() {
            self.send()?;
        }
        self.close()
    }

    fn send(&mut self) -> io::Result<()> {
        let block = mem::replace(&mut self.block, Vec::with_capacity(BLOCK));
        let (answer, result) = sync_channel(1);
        let sent = match (&self.jobs, &self.results) {
            // In this order: the writer waits for results in the order of the blocks.
            (Some(jobs), Some(results)) => {
                results.send(result).is_ok() && jobs.send((block, answer)).is_ok()
            }
            _ => false,
        };
        if sent {
            return Ok(());
        }
        // The writer has ended early: it says why.
        self.close()?;
        Err(io::Error::other("the writer of the archive has ended"))
    }

    fn close(&mut self) -> io::Result<W> {
        (self.jobs, self.results) = (None, None);
        let ended = || io::Error::other("a thread that compresses has ended");
        for worker in self.workers.drain(..) {
            worker.join().map_err(|_| ended())?;
        }
        let writer = self.writer.take().ok_or_else(ended)?;
        writer.join().map_err(|_| ended())?
    }
}

impl<W: Write + Send + 'static> Write for ParallelGzip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..length]);
        if self.block.len() == BLOCK {
            self.send()?;
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn compress_all(queue: &Mutex<Receiver<Job>>) {
    let level = CompressionLvl::new(LEVEL).unwrap_or_default();
    let mut compressor = Compressor::new(level);
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((block, answer)) = job else { return };
        // Nobody waits for it any more once writing has failed.
        let _ = answer.send(compress(&mut compressor, &block));
    }
}

fn compress(compressor: &mut Compressor, block: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressed = vec![0; compressor.gzip_compress_bound(block.len())];
    let length = compressor
        .gzip_compress(block, &mut compressed)
        .map_err(io::Error::other)?;
    compressed.truncate(length);
    Ok(compressed)
}

fn write_all<W: Write>(
    mut inner: W,
    ordered: &Receiver<Receiver<io::Result<Vec<u8>>>>,
) -> io::Result<W> {
    for result in ordered {
        let compressed = result.recv().map_err(io::Error::other)??;
        inner.write_all(&compressed)?;
    }
    inner.flush()?;
    Ok(inner)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::MultiGzDecoder;

    use super::*;

    fn compressed(contents: &[u8], threads: usize) -> Vec<u8> {
        let mut gzip = ParallelGzip::new(Vec::new(), threads);
        gzip.write_all(contents).unwrap();
        gzip.finish().unwrap()
    }

    #[test]
    fn the_number_of_threads_does_not_show() {
        let contents: Vec<u8> = (0..3 * BLOCK + 7).map(|n| (n / 3) as u8).collect();
        let one = compressed(&contents, 1);
        assert_eq!(one, compressed(&contents, 3));
        let mut read = Vec::new();
        MultiGzDecoder::new(&*one).read_to_end(&mut read).unwrap();
        assert!(read == contents);
    }

    #[test]
    fn a_full_disk_is_told() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut gzip = ParallelGzip::new(Full, 2);
        let written = gzip.write_all(&vec![0; 20 * BLOCK]);
        let error = written.and_then(|()| gzip.finish().map(drop)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
