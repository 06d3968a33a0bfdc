//! What functions and methods share: the connection, and where they write.

#![allow(
    unsafe_code,
    unused_qualifications,
    reason = "what starlark derives for its values"
)]

use std::io::{self, IsTerminal};
use std::sync::{Arc, Mutex, PoisonError};

use slap_client::Slap;
use slapos_cli::printable;
use starlark::PrintHandler;
use starlark::eval::Evaluator;
use starlark::values::ProvidesStaticType;

use crate::interruption::Interruption;

/// The connection that `slap` stands for. Clones share it, so that all see when it is another one.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    slap: Arc<Mutex<Slap>>,
    pub(crate) interruption: Interruption,
}

impl Link {
    pub(crate) fn new(slap: Slap, interruption: Interruption) -> Self {
        let slap = Arc::new(Mutex::new(slap));
        Self { slap, interruption }
    }

    pub(crate) fn slap(&self) -> Slap {
        let slap = self.slap.lock().unwrap_or_else(PoisonError::into_inner);
        slap.clone()
    }

    pub(crate) fn replace(&self, slap: Slap) {
        *self.slap.lock().unwrap_or_else(PoisonError::into_inner) = slap;
    }
}

/// What functions reach by way of their evaluator.
#[derive(Debug, ProvidesStaticType)]
pub(crate) struct Context {
    pub(crate) link: Link,
    pub(crate) output: Output,
}

/// Standard output.
#[derive(Debug)]
pub(crate) struct Output {
    is_terminal: bool,
    interruption: Interruption,
}

impl Output {
    /// Programs write to it until they are interrupted.
    pub(crate) fn new(interruption: Interruption) -> Self {
        Self {
            is_terminal: io::stdout().is_terminal(),
            interruption,
        }
    }

    /// Writes a line. Nothing that a master said may command a terminal; into a file it goes as it is.
    pub(crate) fn line(&self, text: &str) -> Result<(), OutputError> {
        let text = if self.is_terminal {
            printable(text, "")
        } else {
            text.into()
        };
        slapos_cli::print(&format!("{text}\n")).map_err(OutputError)
    }
}

/// Standard output cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output")]
pub struct OutputError(#[source] io::Error);

impl PrintHandler for Output {
    fn println(&self, text: &str) -> starlark::Result<()> {
        self.interruption.check()?;
        self.line(text).map_err(starlark::Error::new_native)
    }
}

/// A function was called without a session.
#[derive(Debug, thiserror::Error)]
#[error("there is no connection here")]
struct NoContext;

/// What a running function shares with the others.
pub(crate) fn context<'a>(evaluator: &Evaluator<'_, 'a, '_>) -> starlark::Result<&'a Context> {
    let extra = evaluator.extra.and_then(|extra| extra.downcast_ref());
    extra.ok_or_else(|| starlark::Error::new_native(NoContext))
}
