//! Exit codes of the tools (`spec/node.md`, "Exit codes").

/// Everything was done.
pub const CLEAN: u8 = 0;
/// Something failed.
pub const FAILED: u8 = 1;
/// The command line is wrong; what clap uses, too.
pub const USAGE: u8 = 2;
/// slapgrid: only promises failed.
pub const PROMISE_FAILED: u8 = 2;
/// slapos-request: the master has taken the request, the instance is not there yet.
pub const NOT_READY: u8 = 2;
/// slapos: the master knows no instance or computer of that name.
pub const NOT_FOUND: u8 = 2;
/// slapgrid: a dry run has found something to change.
pub const CHANGES_WANTED: u8 = 4;
/// Another run of the tool is under way.
pub const ALREADY_RUNNING: u8 = 10;
