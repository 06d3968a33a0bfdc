//! Closing a connection so that the last answer arrives.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long what still comes is read after the last answer.
const LONGEST: Duration = Duration::from_secs(2);

/// A stream that reads on for a while after it was shut down, if a request was answered before all
/// of it was read: to close at once would reset the connection, and the client, which still sends,
/// would not see the answer.
pub(super) struct Lingering<S> {
    stream: S,
    unread: Arc<AtomicBool>,
    end: Option<Pin<Box<Sleep>>>,
}

impl<S> Lingering<S> {
    /// `unread` becomes true when a request was not read to its end.
    pub(super) fn new(stream: S, unread: Arc<AtomicBool>) -> Self {
        Self {
            stream,
            unread,
            end: None,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.end.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        if !this.unread.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        let end = this.end.get_or_insert_with(|| Box::pin(sleep(LONGEST)));
        let mut discarded = [0; 16 << 10];
        while end.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut discarded);
            match ready!(Pin::new(&mut this.stream).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_still_comes_is_read_for_a_while() {
        for (unread, seconds) in [(true, LONGEST.as_secs()), (false, 0)] {
            let (near, mut far) = duplex(64);
            let sender = tokio::spawn(async move {
                let mut end = [0];
                assert_eq!(far.read(&mut end).await.unwrap(), 0);
                while far.write_all(&[0; 64]).await.is_ok() {
                    sleep(Duration::from_millis(100)).await;
                }
            });
            let start = Instant::now();
            let mut stream = Lingering::new(near, Arc::new(unread.into()));
            stream.shutdown().await.unwrap();
            assert_eq!(start.elapsed().as_secs(), seconds);
            drop(stream);
            sender.await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_over_when_the_other_side_closes() {
        let (near, mut far) = duplex(64);
        far.write_all(b"rest").await.unwrap();
        drop(far);
        let start = Instant::now();
        let mut stream = Lingering::new(near, Arc::new(true.into()));
        stream.shutdown().await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
