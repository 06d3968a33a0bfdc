//! What the tools share on their command lines. Each tool's `main` parses with [`parse`], calls one
//! function of a library and hands its outcome to [`finish`].

mod alias;
mod arguments;
mod delay;
pub mod exit;
mod logging;
mod master;
mod outcome;
mod printable;

pub use alias::{AliasError, Aliases};
pub use arguments::{parse, parse_as, parse_from};
pub use delay::random_delay;
pub use logging::{
    LogError, LogFormat, LogOptions, ToolLog, Verbosity, init_logging, init_tool_logging,
};
pub use master::{ConnectError, MasterOptions, with_home};
pub use outcome::{Unmet, describe, exit_code, finish, print, print_or_end, tell};
pub use printable::{on_one_line, printable};
