//! What the tools share on their command lines. Each tool's `main` parses with [`parse`], calls one
//! function of a library and hands its outcome to [`finish`].

mod alias;
mod arguments;
pub mod exit;
mod logging;
mod master;
mod outcome;
mod parameters;
mod printable;

pub use alias::{AliasError, Aliases};
pub use arguments::{parse, parse_as, parse_from};
pub use logging::{
    LogError, LogFormat, LogOptions, ToolLog, Verbosity, init_logging, init_tool_logging,
};
pub use master::{ConnectError, MasterOptions};
pub use outcome::{describe, finish, print, tell};
pub use parameters::{KeyValue, ParameterError, read_parameters};
pub use printable::printable;
