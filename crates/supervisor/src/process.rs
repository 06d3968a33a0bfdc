//! What supervisord tells of itself and its processes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::xmlrpc::fault::FaultCode;
use crate::xmlrpc::{ProtocolError, Value};

/// The state of supervisord itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SupervisorState {
    Fatal,
    Running,
    Restarting,
    Shutdown,
    /// A code that this crate does not know.
    Other(i64),
}

impl From<i64> for SupervisorState {
    fn from(code: i64) -> Self {
        match code {
            2 => SupervisorState::Fatal,
            1 => SupervisorState::Running,
            0 => SupervisorState::Restarting,
            -1 => SupervisorState::Shutdown,
            other => SupervisorState::Other(other),
        }
    }
}

/// The state of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProcessState {
    Stopped,
    Starting,
    Running,
    /// Ended too early, and will be started again.
    Backoff,
    Stopping,
    /// Ended by itself.
    Exited,
    /// Could not be started.
    Fatal,
    Unknown,
    /// A code that this crate does not know.
    Other(i64),
}

impl ProcessState {
    /// Whether there is, or will soon be, a process, or one is about to end.
    pub fn is_alive(self) -> bool {
        self.is_running() || self == ProcessState::Stopping
    }

    /// Whether there is, or will soon be, a process.
    pub fn is_running(self) -> bool {
        matches!(
            self,
            ProcessState::Starting | ProcessState::Running | ProcessState::Backoff
        )
    }
}

impl From<i64> for ProcessState {
    fn from(code: i64) -> Self {
        match code {
            0 => ProcessState::Stopped,
            10 => ProcessState::Starting,
            20 => ProcessState::Running,
            30 => ProcessState::Backoff,
            40 => ProcessState::Stopping,
            100 => ProcessState::Exited,
            200 => ProcessState::Fatal,
            1000 => ProcessState::Unknown,
            other => ProcessState::Other(other),
        }
    }
}

/// One process that supervisord knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessInfo {
    /// The partition.
    pub group: String,
    /// The process, unique in its group.
    pub name: String,
    /// Its state when supervisord answered.
    pub state: ProcessState,
    /// Its process id while it lives.
    pub pid: Option<u32>,
    /// The last exit status; 0 before the first exit, -1 if a signal ended it.
    pub exit_status: i64,
    /// Why it could not be started.
    pub spawn_error: Option<String>,
    /// When it was last started, in seconds since 1970.
    pub start: Option<i64>,
    /// When it last ended, in seconds since 1970.
    pub stop: Option<i64>,
    /// The time of supervisord when it answered, in seconds since 1970.
    pub now: i64,
    /// The state in words, as supervisorctl shows it.
    pub description: String,
    /// Where its standard output goes.
    pub log_file: Option<PathBuf>,
}

impl ProcessInfo {
    /// The name that calls about one process take.
    pub fn full_name(&self) -> String {
        format!("{}:{}", self.group, self.name)
    }
}

/// What became of one process of a group that was started or stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessOutcome {
    /// The partition.
    pub group: String,
    /// The process, unique in its group.
    pub name: String,
    /// [`FaultCode::Success`], or why not.
    pub status: FaultCode,
    /// The same in words.
    pub description: String,
}

impl ProcessOutcome {
    /// Whether the process is now as the call wanted it.
    pub fn is_success(&self) -> bool {
        let as_wanted = [
            FaultCode::Success,
            FaultCode::AlreadyStarted,
            FaultCode::NotRunning,
        ];
        as_wanted.contains(&self.status)
    }
}

/// How the files differ from the groups that are active.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reload {
    /// Groups that have a file and are not active.
    pub added: Vec<String>,
    /// Active groups whose file says something else.
    pub changed: Vec<String>,
    /// Active groups without a file.
    pub removed: Vec<String>,
}

/// Reads members of a struct one by one.
struct Members {
    members: BTreeMap<String, Value>,
    expected: &'static str,
}

impl Members {
    fn of(value: Value, expected: &'static str) -> Result<Self, ProtocolError> {
        match value {
            Value::Struct(members) => Ok(Members { members, expected }),
            _ => Err(ProtocolError::Shape { expected }),
        }
    }

    fn text(&mut self, name: &str) -> Result<String, ProtocolError> {
        match self.members.remove(name) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(ProtocolError::Shape {
                expected: self.expected,
            }),
        }
    }

    fn number(&mut self, name: &str) -> Result<i64, ProtocolError> {
        match self.members.remove(name) {
            Some(Value::Int(number)) => Ok(number),
            _ => Err(ProtocolError::Shape {
                expected: self.expected,
            }),
        }
    }
}

pub(crate) fn supervisor_state(value: Value) -> Result<SupervisorState, ProtocolError> {
    let mut members = Members::of(value, "the state of supervisord")?;
    members.number("statecode").map(SupervisorState::from)
}

pub(crate) fn process_info(value: Value) -> Result<ProcessInfo, ProtocolError> {
    let mut members = Members::of(value, "the description of a process")?;
    let time = |seconds: i64| (seconds != 0).then_some(seconds);
    let text = |text: String| (!text.is_empty()).then_some(text);
    Ok(ProcessInfo {
        group: members.text("group")?,
        name: members.text("name")?,
        state: members.number("state")?.into(),
        pid: u32::try_from(members.number("pid")?)
            .ok()
            .filter(|pid| *pid != 0),
        exit_status: members.number("exitstatus")?,
        spawn_error: text(members.text("spawnerr")?),
        start: time(members.number("start")?),
        stop: time(members.number("stop")?),
        now: members.number("now")?,
        description: members.text("description")?,
        log_file: text(members.text("stdout_logfile")?).map(PathBuf::from),
    })
}

pub(crate) fn process_outcome(value: Value) -> Result<ProcessOutcome, ProtocolError> {
    let mut members = Members::of(value, "the outcome for a process")?;
    Ok(ProcessOutcome {
        group: members.text("group")?,
        name: members.text("name")?,
        status: members.number("status")?.into(),
        description: members.text("description")?,
    })
}

/// Reads an array by one function for its elements.
pub(crate) fn list<T>(
    value: Value,
    element: fn(Value) -> Result<T, ProtocolError>,
) -> Result<Vec<T>, ProtocolError> {
    match value {
        Value::Array(values) => values.into_iter().map(element).collect(),
        _ => Err(ProtocolError::Shape { expected: "a list" }),
    }
}

pub(crate) fn text(value: Value) -> Result<String, ProtocolError> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(ProtocolError::Shape {
            expected: "a string",
        }),
    }
}

pub(crate) fn boolean(value: Value) -> Result<bool, ProtocolError> {
    match value {
        Value::Boolean(boolean) => Ok(boolean),
        _ => Err(ProtocolError::Shape {
            expected: "a boolean",
        }),
    }
}

/// reloadConfig answers its three lists inside two more.
pub(crate) fn reload(value: Value) -> Result<Reload, ProtocolError> {
    const SHAPE: ProtocolError = ProtocolError::Shape {
        expected: "the outcome of a reload",
    };
    let names = |value| list(value, text);
    let [outer] = <[Value; 1]>::try_from(list(value, Ok)?).map_err(|_| SHAPE)?;
    let [added, changed, removed] = <[Value; 3]>::try_from(list(outer, Ok)?).map_err(|_| SHAPE)?;
    Ok(Reload {
        added: names(added)?,
        changed: names(changed)?,
        removed: names(removed)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(fields: &[(&str, Value)]) -> Value {
        Value::Struct(
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
        )
    }

    fn exited() -> Vec<(&'static str, Value)> {
        vec![
            ("name", "web".into()),
            ("group", "slappart0".into()),
            ("start", 1_795_470_345.into()),
            ("stop", 1_795_470_346.into()),
            ("now", 1_795_470_349.into()),
            ("state", 100.into()),
            ("statename", "EXITED".into()),
            ("spawnerr", "".into()),
            ("exitstatus", 3.into()),
            ("stdout_logfile", "/srv/web.log".into()),
            ("pid", 0.into()),
            ("description", "Nov 23 09:45 PM".into()),
        ]
    }

    #[test]
    fn zeros_and_empty_texts_mean_nothing() {
        let info = process_info(fields(&exited())).unwrap();
        assert_eq!(info.full_name(), "slappart0:web");
        assert_eq!((info.state, info.exit_status), (ProcessState::Exited, 3));
        assert_eq!(
            (info.pid, info.spawn_error, info.start),
            (None, None, Some(1_795_470_345))
        );
    }

    #[test]
    fn descriptions_with_a_member_missing_or_of_another_type_are_refused() {
        for place in [0, 1, 2, 5, 7, 8, 10] {
            let mut members = exited();
            members.remove(place);
            assert!(process_info(fields(&members)).is_err(), "{place}");
            let mut members = exited();
            members[place].1 = Value::Boolean(true);
            assert!(process_info(fields(&members)).is_err(), "{place}");
        }
        assert!(process_info("x".into()).is_err());
    }

    #[test]
    fn reload_has_three_lists_inside_two() {
        let names =
            |names: &[&str]| Value::Array(names.iter().map(|name| Value::from(*name)).collect());
        let three = vec![names(&["a"]), names(&["b", "c"]), names(&[])];
        let read = reload(Value::Array(vec![Value::Array(three.clone())])).unwrap();
        assert_eq!(read.added, ["a"]);
        assert_eq!(read.changed, ["b", "c"]);
        assert!(read.removed.is_empty());
        assert!(reload(Value::Array(three)).is_err());
        assert!(reload(Value::Array(vec![])).is_err());
        assert!(reload(Value::Array(vec![Value::Array(vec![names(&[]); 2])])).is_err());
    }

    #[test]
    fn outcomes_count_as_success_when_nothing_was_to_be_done() {
        let outcome = |status: i64| {
            process_outcome(fields(&[
                ("name", "web".into()),
                ("group", "slappart0".into()),
                ("status", status.into()),
                ("description", "OK".into()),
            ]))
            .unwrap()
        };
        assert!(outcome(80).is_success());
        assert!(outcome(60).is_success());
        assert!(!outcome(50).is_success());
    }
}
