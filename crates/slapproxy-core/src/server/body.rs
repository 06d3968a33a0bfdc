//! Bodies of requests that must come at a minimum pace.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

use super::pace::Pace;

/// A body that fails when it comes too slowly. The time that its reader takes does not count.
pub(super) struct PacedBody<B> {
    body: B,
    is_read: Arc<AtomicBool>,
    pace: Pace,
}

impl<B: HttpBody> PacedBody<B> {
    /// `patience` is how long the body may stand still.
    pub(super) fn new(body: B, patience: Duration) -> Self {
        Self {
            is_read: Arc::new(body.is_end_stream().into()),
            body,
            pace: Pace::new(patience),
        }
    }

    /// Becomes true once all of the body was read.
    pub(super) fn is_read(&self) -> Arc<AtomicBool> {
        self.is_read.clone()
    }
}

impl<B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Unpin> HttpBody for PacedBody<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            let data = frame
                .as_ref()
                .and_then(|frame| frame.as_ref().ok()?.data_ref());
            let bytes = data.map_or(0, Bytes::len);
            self.pace.moved(bytes);
            if frame.is_none() || self.body.is_end_stream() {
                self.is_read.store(true, Ordering::Relaxed);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        ready!(self.pace.poll_over(context));
        let error = io::Error::new(io::ErrorKind::TimedOut, "the body comes too slowly");
        Poll::Ready(Some(Err(error.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use tokio::time::{Instant, Sleep, sleep};

    use super::super::pace::SLOWEST;
    use super::*;

    /// Chunks, each after a pause in seconds; then it stands still.
    struct Scripted {
        chunks: VecDeque<(u64, usize)>,
        pause: Option<Pin<Box<Sleep>>>,
    }

    impl HttpBody for Scripted {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
            let Some((seconds, size)) = self.chunks.front().copied() else {
                return Poll::Pending;
            };
            let pause = self
                .pause
                .get_or_insert_with(|| Box::pin(sleep(Duration::from_secs(seconds))));
            ready!(pause.as_mut().poll(context));
            self.pause = None;
            self.chunks.pop_front();
            Poll::Ready(Some(Ok(Frame::data(vec![0; size].into()))))
        }
    }

    /// How many chunks came, and after how many seconds the body was given up.
    async fn outcome(chunks: impl IntoIterator<Item = (u64, usize)>) -> (usize, u64) {
        let script = Scripted {
            chunks: chunks.into_iter().collect(),
            pause: None,
        };
        let mut body = PacedBody::new(script, Duration::from_secs(30));
        let start = Instant::now();
        for count in 0.. {
            let next = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context));
            if next.await.unwrap().is_err() {
                return (count, start.elapsed().as_secs());
            }
        }
        unreachable!("the script ends in standing still")
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_stand_still_for_a_while() {
        assert_eq!(outcome([]).await, (0, 30));
        assert_eq!(outcome([(25, 1 << 20), (25, 1 << 20)]).await, (2, 80));
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickle_is_given_up() {
        assert_eq!(outcome((0..100).map(|_| (10, 1))).await, (3, 30));
    }

    #[tokio::test(start_paused = true)]
    async fn the_slowest_pace_is_enough() {
        let pace = (0..100).map(|_| (10, 10 * SLOWEST as usize));
        assert_eq!(outcome(pace).await, (100, 1030));
    }
}
