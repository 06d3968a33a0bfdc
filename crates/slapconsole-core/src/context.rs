//! What functions and methods share: the connection, and where they write.

#![allow(
    unsafe_code,
    unused_qualifications,
    reason = "what starlark derives for its values"
)]

use std::io::{self, IsTerminal};
use std::sync::{Arc, Mutex, PoisonError};

use slap_client::Slap;
use slapos_cli::{print_or_end, printable};
use slapos_user::{Hateoas, HateoasError};
use starlark::PrintHandler;
use starlark::eval::Evaluator;
use starlark::values::ProvidesStaticType;

use crate::api::Refusal;
use crate::interruption::Interruption;

/// A master, and where its hateoas API is if it does not say so itself.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) slap: Slap,
    pub(crate) rest_url: Option<String>,
}

impl Access {
    /// What the master tells users.
    pub(crate) fn hateoas(&self) -> Result<Hateoas, HateoasError> {
        Hateoas::of(self.slap.clone(), self.rest_url.clone())
    }
}

/// The connection that `slap` stands for. Clones share it, so that all see when it is another one.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    access: Arc<Mutex<Access>>,
    pub(crate) interruption: Interruption,
    pub(crate) refusal: Refusal,
}

impl Link {
    pub(crate) fn new(access: Access, interruption: Interruption) -> Self {
        let access = Arc::new(Mutex::new(access));
        Self {
            access,
            interruption,
            refusal: Refusal::default(),
        }
    }

    pub(crate) fn access(&self) -> Access {
        let access = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        access.clone()
    }

    pub(crate) fn replace(&self, access: Access) {
        *self.access.lock().unwrap_or_else(PoisonError::into_inner) = access;
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
    /// A reader that has gone away (`| head`) ends the process: what runs might write for ever.
    pub(crate) fn line(&self, text: &str) -> Result<(), OutputError> {
        let text = if self.is_terminal {
            printable(text, "")
        } else {
            text.into()
        };
        print_or_end(&format!("{text}\n")).map_err(OutputError)
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
