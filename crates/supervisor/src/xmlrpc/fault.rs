//! The codes by which supervisord says why a call, or its part for one process, failed.

use std::fmt;

/// A fault code of supervisord's XML-RPC interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultCode {
    UnknownMethod,
    IncorrectParameters,
    BadArguments,
    SignatureUnsupported,
    /// supervisord is shutting down and takes no calls any more.
    ShutdownState,
    /// No such process or group.
    BadName,
    BadSignal,
    /// The program's file does not exist.
    NoFile,
    NotExecutable,
    Failed,
    /// The process ended before it counted as started.
    AbnormalTermination,
    SpawnError,
    AlreadyStarted,
    NotRunning,
    /// Not a fault: stands in lists of outcomes.
    Success,
    /// The group is active already.
    AlreadyAdded,
    /// The group cannot be removed: one of its processes runs.
    StillRunning,
    /// A configuration file cannot be read.
    CantReread,
    /// A code that this crate does not know.
    Other(i64),
}

const CODES: [(i64, FaultCode, &str); 18] = [
    (1, FaultCode::UnknownMethod, "UNKNOWN_METHOD"),
    (2, FaultCode::IncorrectParameters, "INCORRECT_PARAMETERS"),
    (3, FaultCode::BadArguments, "BAD_ARGUMENTS"),
    (4, FaultCode::SignatureUnsupported, "SIGNATURE_UNSUPPORTED"),
    (6, FaultCode::ShutdownState, "SHUTDOWN_STATE"),
    (10, FaultCode::BadName, "BAD_NAME"),
    (11, FaultCode::BadSignal, "BAD_SIGNAL"),
    (20, FaultCode::NoFile, "NO_FILE"),
    (21, FaultCode::NotExecutable, "NOT_EXECUTABLE"),
    (30, FaultCode::Failed, "FAILED"),
    (40, FaultCode::AbnormalTermination, "ABNORMAL_TERMINATION"),
    (50, FaultCode::SpawnError, "SPAWN_ERROR"),
    (60, FaultCode::AlreadyStarted, "ALREADY_STARTED"),
    (70, FaultCode::NotRunning, "NOT_RUNNING"),
    (80, FaultCode::Success, "SUCCESS"),
    (90, FaultCode::AlreadyAdded, "ALREADY_ADDED"),
    (91, FaultCode::StillRunning, "STILL_RUNNING"),
    (92, FaultCode::CantReread, "CANT_REREAD"),
];

impl From<i64> for FaultCode {
    fn from(number: i64) -> Self {
        let known = CODES.into_iter().find(|(code, ..)| *code == number);
        known.map_or(FaultCode::Other(number), |(_, code, _)| code)
    }
}

/// supervisord's own name of the code.
impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (CODES.into_iter().find(|(_, code, _)| code == self), self) {
            (Some((_, _, name)), _) => f.write_str(name),
            (None, FaultCode::Other(number)) => write!(f, "fault {number}"),
            (None, _) => f.write_str("fault"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_known_by_number_and_name() {
        assert_eq!(FaultCode::from(10), FaultCode::BadName);
        assert_eq!(FaultCode::from(92).to_string(), "CANT_REREAD");
    }

    #[test]
    fn unknown_codes_keep_their_number() {
        assert_eq!(FaultCode::from(-7), FaultCode::Other(-7));
        assert_eq!(FaultCode::Other(-7).to_string(), "fault -7");
    }
}
