//! Typed calls to a running supervisord.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::process::{self, ProcessInfo, ProcessOutcome, Reload, SupervisorState};
use crate::xmlrpc::transport::Request;
use crate::xmlrpc::{Answer, ProtocolError, Value, XmlRpcError, decode, encode};

/// Twice the 60 seconds that supervisord grants a program to end: stopping a group answers
/// when all of its programs have ended.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

/// A supervisord, known by its socket. Nothing is connected between calls.
#[derive(Clone)]
pub struct Client {
    socket: PathBuf,
    timeout: Duration,
    is_cancelled: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("socket", &self.socket)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client with [`DEFAULT_TIMEOUT`].
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Client {
            socket: socket.into(),
            timeout: DEFAULT_TIMEOUT,
            is_cancelled: Arc::new(|| false),
        }
    }

    /// Gives calls up, and begins none any more, once this says so; it is asked ten times a second
    /// while a call is under way. supervisord may still carry out what was given up.
    #[must_use]
    pub fn cancelled_by(mut self, is_requested: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.is_cancelled = Arc::new(is_requested);
        self
    }

    /// The same supervisord, with another time allowed for each call.
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Client {
            timeout,
            ..self.clone()
        }
    }

    /// The Unix socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The time allowed for each call.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The state of supervisord itself. While it shuts down it answers with the fault SHUTDOWN_STATE.
    pub fn get_state(&self) -> Result<SupervisorState, XmlRpcError> {
        self.call("getState", &[], process::supervisor_state)
    }

    /// All processes of all groups.
    pub fn all_process_info(&self) -> Result<Vec<ProcessInfo>, XmlRpcError> {
        self.call("getAllProcessInfo", &[], |value| {
            process::list(value, process::process_info)
        })
    }

    /// One process, by its [full name](ProcessInfo::full_name).
    pub fn process_info(&self, full_name: &str) -> Result<ProcessInfo, XmlRpcError> {
        self.call("getProcessInfo", &[full_name.into()], process::process_info)
    }

    /// Reads the files again and says what differs from the active groups, without changing these.
    pub fn reload_config(&self) -> Result<Reload, XmlRpcError> {
        self.call("reloadConfig", &[], process::reload)
    }

    /// Makes a group active, as the last reload read it.
    pub fn add_process_group(&self, group: &str) -> Result<(), XmlRpcError> {
        self.command("addProcessGroup", &[group.into()])
    }

    /// Forgets a group whose processes have all ended.
    pub fn remove_process_group(&self, group: &str) -> Result<(), XmlRpcError> {
        self.command("removeProcessGroup", &[group.into()])
    }

    /// Starts what does not run in a group; `wait`: answers when each program has run for its `startsecs`.
    pub fn start_process_group(
        &self,
        group: &str,
        wait: bool,
    ) -> Result<Vec<ProcessOutcome>, XmlRpcError> {
        self.outcomes("startProcessGroup", &[group.into(), wait.into()])
    }

    /// Stops what runs in a group; `wait`: answers when it has ended.
    pub fn stop_process_group(
        &self,
        group: &str,
        wait: bool,
    ) -> Result<Vec<ProcessOutcome>, XmlRpcError> {
        self.outcomes("stopProcessGroup", &[group.into(), wait.into()])
    }

    /// Starts one process, by its [full name](ProcessInfo::full_name).
    pub fn start_process(&self, full_name: &str, wait: bool) -> Result<(), XmlRpcError> {
        self.command("startProcess", &[full_name.into(), wait.into()])
    }

    /// Stops one process, by its [full name](ProcessInfo::full_name).
    pub fn stop_process(&self, full_name: &str, wait: bool) -> Result<(), XmlRpcError> {
        self.command("stopProcess", &[full_name.into(), wait.into()])
    }

    /// Tells supervisord to stop everything and end; returns before it has.
    pub fn shutdown(&self) -> Result<(), XmlRpcError> {
        self.command("shutdown", &[])
    }

    /// The last `length` bytes of supervisord's own log.
    pub fn read_log(&self, length: u32) -> Result<String, XmlRpcError> {
        let from_the_end = -i64::from(length);
        self.call("readLog", &[from_the_end.into(), 0.into()], process::text)
    }

    fn outcomes(
        &self,
        method: &'static str,
        arguments: &[Value],
    ) -> Result<Vec<ProcessOutcome>, XmlRpcError> {
        self.call(method, arguments, |value| {
            process::list(value, process::process_outcome)
        })
    }

    /// A call whose answer only says that it was carried out.
    fn command(&self, method: &'static str, arguments: &[Value]) -> Result<(), XmlRpcError> {
        self.call(method, arguments, |value| match process::boolean(value)? {
            true => Ok(()),
            false => Err(ProtocolError::Shape { expected: "true" }),
        })
    }

    fn call<T>(
        &self,
        method: &'static str,
        arguments: &[Value],
        read: impl FnOnce(Value) -> Result<T, ProtocolError>,
    ) -> Result<T, XmlRpcError> {
        let request = Request {
            socket: &self.socket,
            method,
            timeout: self.timeout,
            is_cancelled: &*self.is_cancelled,
        };
        let body = request.post(&encode::call(&format!("supervisor.{method}"), arguments))?;
        match decode::answer(&body) {
            Ok(Answer::Value(value)) => read(value).map_err(|source| request.protocol(source)),
            Ok(Answer::Fault { code, message }) => Err(XmlRpcError::Fault {
                method,
                code,
                message,
            }),
            Err(source) => Err(request.protocol(source)),
        }
    }
}
