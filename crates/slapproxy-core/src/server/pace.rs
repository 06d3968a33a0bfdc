//! The pace that clients must keep, so that nobody holds a connection for ever by sending or taking
//! a byte now and then.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// The slowest pace, in bytes a second.
pub(super) const SLOWEST: u32 = 1024;

/// How long a client is still waited for.
///
/// It is waited for as long as `credit` lasts. What moves adds to the credit the time that it may
/// take at the slowest pace, up to `patience`. Only time that was spent waiting counts.
pub(super) struct Pace {
    patience: Duration,
    credit: Duration,
    wait: Option<Wait>,
}

struct Wait {
    since: Instant,
    end: Pin<Box<Sleep>>,
}

impl Pace {
    /// `patience` is how long a client may stand still.
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            patience,
            credit: patience,
            wait: None,
        }
    }

    /// So many bytes have moved.
    pub(super) fn moved(&mut self, bytes: usize) {
        if let Some(wait) = self.wait.take() {
            self.credit = self.credit.saturating_sub(wait.since.elapsed());
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let earned = Duration::from_secs(1) * bytes / SLOWEST;
        self.credit = (self.credit + earned).min(self.patience);
    }

    /// Ready once the client has been waited for long enough.
    pub(super) fn poll_over(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let credit = self.credit;
        let wait = self.wait.get_or_insert_with(|| Wait {
            since: Instant::now(),
            end: Box::pin(sleep(credit)),
        });
        wait.end.as_mut().poll(context)
    }
}

/// A stream to which writing fails when the other side takes it too slowly.
pub(super) struct PacedWrites<S> {
    stream: S,
    pace: Pace,
}

impl<S> PacedWrites<S> {
    /// `patience` is how long the other side may take nothing.
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Self {
            stream,
            pace: Pace::new(patience),
        }
    }

    /// The outcome of a write of so many bytes, or of another step.
    fn paced<T>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
        bytes: impl FnOnce(&T) -> usize,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(outcome) = outcome {
            self.pace.moved(outcome.as_ref().map_or(0, bytes));
            return Poll::Ready(outcome);
        }
        ready!(self.pace.poll_over(context));
        let text = "the answer is taken too slowly";
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, text)))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for PacedWrites<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PacedWrites<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.paced(context, written, |length| *length)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.paced(context, written, |length| *length)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.paced(context, flushed, |()| 0)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.paced(context, shut, |()| 0)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    /// How many seconds a writer held out whose reader takes so many bytes every ten seconds, for
    /// a thousand seconds at most.
    async fn held_out(taken: usize) -> u64 {
        let (near, mut far) = duplex(64);
        let reader = tokio::spawn(async move {
            let mut bytes = vec![0; taken];
            for _ in 0..100 {
                sleep(Duration::from_secs(10)).await;
                if taken > 0 && far.read_exact(&mut bytes).await.is_err() {
                    break;
                }
            }
        });
        let start = Instant::now();
        let mut writer = PacedWrites::new(near, Duration::from_secs(30));
        let error = loop {
            if let Err(error) = writer.write_all(&[0; 64]).await {
                break error;
            }
        };
        let seconds = start.elapsed().as_secs();
        let is_over = error.kind() == io::ErrorKind::TimedOut;
        assert_eq!(is_over, seconds < 1000, "{error}");
        reader.abort();
        seconds
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_or_little_is_given_up() {
        assert_eq!(held_out(0).await, 30);
        assert_eq!(held_out(1).await, 30);
    }

    #[tokio::test(start_paused = true)]
    async fn the_slowest_pace_is_enough() {
        assert_eq!(held_out(10 * SLOWEST as usize).await, 1000);
    }
}
