//! Reading until told to stop: what is passed over, or copied in one go, may be as long as anything.

use std::io::{self, Read};

use crate::Cancelled;

/// A reader that fails once it was told to stop.
pub(crate) struct Interruptible<'a, R> {
    pub(crate) reader: R,
    pub(crate) cancelled: Cancelled<'a>,
}

/// Marks the error of [`Interruptible`].
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
struct Interrupted;

/// Whether an error says only that it was told to stop.
pub(crate) fn is_interruption(error: &io::Error) -> bool {
    error
        .get_ref()
        .is_some_and(|inner| inner.is::<Interrupted>())
}

impl<R: Read> Read for Interruptible<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if (self.cancelled)() {
            return Err(io::Error::other(Interrupted));
        }
        self.reader.read(buffer)
    }
}
