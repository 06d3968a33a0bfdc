//! XML-RPC over a Unix socket, as far as supervisord speaks it.

pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod fault;
pub(crate) mod transport;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use fault::FaultCode;

/// A value that travels in a call or an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Int(i64),
    Boolean(bool),
    String(String),
    Array(Vec<Value>),
    Struct(BTreeMap<String, Value>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.to_owned())
    }
}

impl From<bool> for Value {
    fn from(boolean: bool) -> Self {
        Value::Boolean(boolean)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

/// What a well-formed answer holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Value(Value),
    Fault { code: FaultCode, message: String },
}

/// A call to supervisord that did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum XmlRpcError {
    /// There is no socket, or nobody listens on it.
    #[error("supervisord does not run: nobody listens on {socket}")]
    NotRunning {
        /// The socket.
        socket: PathBuf,
    },
    /// The kernel takes paths of sockets up to 107 bytes.
    #[error("the path of supervisord's socket has {length} bytes, of at most 107: {socket}")]
    SocketPathTooLong {
        /// The socket.
        socket: PathBuf,
        /// Its length in bytes.
        length: usize,
    },
    /// The answer did not come in time; supervisord may still carry the call out.
    #[error("supervisord did not answer {method} on {socket} within {timeout:?}")]
    Timeout {
        /// The socket.
        socket: PathBuf,
        /// The method called, without its prefix.
        method: &'static str,
        /// The time that the client allows for a call.
        timeout: Duration,
    },
    /// It was given up, as [`cancelled_by`](crate::Client::cancelled_by) was told to; supervisord
    /// may still carry it out.
    #[error("given up before supervisord answered {method} on {socket}")]
    Cancelled {
        /// The socket.
        socket: PathBuf,
        /// The method called, without its prefix.
        method: &'static str,
    },
    /// The connection broke.
    #[error("cannot call {method} on {socket}")]
    Io {
        /// The socket.
        socket: PathBuf,
        /// The method called, without its prefix.
        method: &'static str,
        /// Why.
        source: io::Error,
    },
    /// What came is not an answer of supervisord.
    #[error("cannot understand the answer to {method} on {socket}")]
    Protocol {
        /// The socket.
        socket: PathBuf,
        /// The method called, without its prefix.
        method: &'static str,
        /// Why.
        source: ProtocolError,
    },
    /// supervisord refused the call.
    #[error("supervisord refused {method}: {message}")]
    Fault {
        /// The method called, without its prefix.
        method: &'static str,
        /// Why, for programs.
        code: FaultCode,
        /// Why, for people: begins with the code's name.
        message: String,
    },
}

impl XmlRpcError {
    /// Whether supervisord refused the call with this fault.
    pub fn is_fault(&self, fault: FaultCode) -> bool {
        matches!(self, XmlRpcError::Fault { code, .. } if *code == fault)
    }
}

/// Why bytes are not an answer of supervisord.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    #[error("the connection ended before the answer did")]
    Truncated,
    #[error("the answer has more than {limit} bytes")]
    TooLong {
        /// The longest answer that is read.
        limit: usize,
    },
    #[error("the answer is not HTTP")]
    Http(#[from] httparse::Error),
    #[error("the HTTP status is {0}")]
    Status(u16),
    #[error("the header {0} has no usable value")]
    Header(&'static str),
    #[error("the answer is not XML")]
    Xml(#[source] quick_xml::Error),
    #[error("the answer is not UTF-8")]
    Encoding(#[source] std::str::Utf8Error),
    #[error("the XML has a document type, which XML-RPC has not")]
    DocumentType,
    #[error("the XML refers to the entity {0:?}")]
    Entity(String),
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What XML-RPC has at this place.
        expected: &'static str,
        /// What came.
        found: String,
    },
    #[error("values are nested more than {limit} deep")]
    TooDeep {
        /// The deepest nesting that is read.
        limit: usize,
    },
    #[error("{text:?} is not a value of type {kind}")]
    Literal {
        /// The type named by the element.
        kind: &'static str,
        /// What came.
        text: String,
    },
    #[error("the answer is not {expected}")]
    Shape {
        /// What the method answers.
        expected: &'static str,
    },
}
