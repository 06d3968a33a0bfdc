//! The files that supervisord reads.
//!
//! supervisord reads them with Python's `RawConfigParser` (inline comments begin with white
//! space and `;` or `#`) and expands `%(name)s` in nearly every value. What cannot be said in
//! that language is refused here: a file that supervisord cannot read stops every group.

pub(crate) mod files;
pub(crate) mod group;
pub(crate) mod section;
pub(crate) mod server;
pub(crate) mod text;

use std::path::PathBuf;

/// Why a text cannot stand in supervisord's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    #[error("it is empty")]
    Empty,
    #[error("it contains a control character")]
    ControlCharacter,
    #[error("white space at its beginning or end would be lost")]
    OuterWhiteSpace,
    #[error("`;` or `#` after white space would begin a comment")]
    Comment,
    #[error("names have no white space and none of : / , [ ]")]
    NameCharacter,
    #[error("environment variables are named by letters, digits and _")]
    VariableName,
    #[error("quotes at its ends, or both kinds of quotes, cannot be written in environment")]
    Quotes,
    #[error("it is not an absolute path")]
    RelativePath,
    #[error("it is not UTF-8")]
    NotUtf8,
}

/// A configuration that supervisord would not read as it is meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// A value that supervisord's parser would read differently.
    #[error("[{section}] {key}: {value:?} cannot be given to supervisord: {problem}")]
    Value {
        /// The section, without brackets.
        section: String,
        /// The key in that section.
        key: String,
        /// The value as it was meant; lossy if it is not UTF-8.
        value: String,
        /// What is wrong with it.
        problem: Problem,
    },
    /// The name of a group, program or event listener.
    #[error("{name:?} cannot be the name of a {kind} of supervisord: {problem}")]
    Name {
        /// `group`, `program` or `eventlistener`.
        kind: &'static str,
        /// The name as it was meant.
        name: String,
        /// What is wrong with it.
        problem: Problem,
    },
    /// supervisord first binds `SOCKET.PID`, and the kernel bounds the path of a socket.
    #[error("the path of supervisord's socket has {length} bytes, of at most {limit}: {socket}")]
    SocketPathTooLong {
        /// The path of the socket.
        socket: PathBuf,
        /// Its length in bytes.
        length: usize,
        /// The longest length that works with every process id.
        limit: usize,
    },
    /// Two programs of a group would share one section.
    #[error("group {group} has two programs for a file named {program:?}")]
    DuplicateProgram {
        /// The group, which is the partition.
        group: String,
        /// The file name both programs have.
        program: String,
    },
    /// supervisord refuses a group without programs.
    #[error("group {group} has no programs")]
    EmptyGroup {
        /// The group, which is the partition.
        group: String,
    },
}
