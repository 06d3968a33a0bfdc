//! slapconsole: a prompt to speak to a SlapOS master, in Starlark, which has Python's syntax.
//!
//! [`run`] is all that a tool needs: it reads `slapos.cfg`, connects and runs an expression, a script
//! or the prompt. The methods and their names are those of slapos.core's library (`api/`); what they
//! do is slap-client's.

mod api;
mod complete;
mod context;
mod convert;
mod error;
mod globals;
mod help;
mod history;
mod infer;
mod input;
mod interruption;
mod prompt;
mod run;
mod session;
mod show;

pub use context::OutputError;
pub use error::{ConsoleError, Failure};
pub use run::{Options, Program, run};
