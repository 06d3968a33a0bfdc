//! Requests that may wait long, in threads of their own, while somebody looks whether to stop.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::ClientError;
use crate::Cancelled;

/// How often it is looked whether to stop.
pub(super) const GLANCE: Duration = Duration::from_millis(100);

/// What a thread sends, one after the other. When it is given up, the thread is left alone: it ends with
/// its request, which has its own limits of time, or with the process.
pub(super) struct Attended<T> {
    messages: Receiver<T>,
}

impl<T: Send + 'static> Attended<T> {
    /// Starts the thread; so many messages may wait.
    pub(super) fn start(
        waiting: usize,
        work: impl FnOnce(&SyncSender<T>) + Send + 'static,
    ) -> Result<Self, ClientError> {
        let (sender, messages) = sync_channel(waiting);
        let thread = thread::Builder::new().name("netcache".to_owned());
        let started = thread.spawn(move || work(&sender));
        started.map_err(ClientError::Thread)?;
        Ok(Self { messages })
    }

    /// The next message; `None` at the end.
    pub(super) fn next(&self, cancelled: Cancelled<'_>) -> Result<Option<T>, ClientError> {
        loop {
            if cancelled() {
                return Err(ClientError::Cancelled);
            }
            match self.messages.recv_timeout(GLANCE) {
                Ok(message) => return Ok(Some(message)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

/// Does something that may wait long.
pub(super) fn attend<T: Send + 'static>(
    cancelled: Cancelled<'_>,
    work: impl FnOnce() -> Result<T, ClientError> + Send + 'static,
) -> Result<T, ClientError> {
    let attended = Attended::start(1, move |sender| {
        // Nobody waits for it any more once it was given up.
        let _ = sender.send(work());
    })?;
    // A thread that ends without a message has met a defect of ours, and has said so.
    attended
        .next(cancelled)?
        .unwrap_or(Err(ClientError::Cancelled))
}
