//! Waiting for supervisord to come up or to go.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::process::SupervisorState;
use crate::xmlrpc::fault::FaultCode;
use crate::xmlrpc::{ProtocolError, XmlRpcError};

const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// supervisord says at once in which state it is, unless it hangs.
const ANSWER_TIME: Duration = Duration::from_secs(15);

/// Whether there is a supervisord to talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It runs and takes calls.
    Running,
    /// None listens on the socket: one may be launched.
    Absent,
}

/// supervisord did not come to a state to work with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The deadline passed first.
    #[error("supervisord on {socket} is still {state}")]
    Deadline {
        /// The socket.
        socket: PathBuf,
        /// What it was doing last.
        state: &'static str,
    },
    /// supervisord says that it cannot go on.
    #[error("supervisord on {socket} is in the state {state:?}")]
    Failed {
        /// The socket.
        socket: PathBuf,
        /// The state it gave.
        state: SupervisorState,
    },
    /// It could not be asked.
    #[error("cannot learn the state of supervisord")]
    Call(#[source] XmlRpcError),
}

/// What one look at supervisord shows.
enum Sight {
    Running,
    Absent,
    Changing,
}

/// Waits for the end of a shutdown or restart in progress, and says what is there then.
pub fn settle(client: &Client, deadline: Instant) -> Result<Presence, WaitError> {
    loop {
        match look(client, deadline)? {
            Sight::Running => return Ok(Presence::Running),
            Sight::Absent => return Ok(Presence::Absent),
            Sight::Changing => pause(client, deadline, "shutting down")?,
        }
    }
}

/// Waits until a supervisord that was just launched takes calls.
pub fn wait_until_running(client: &Client, deadline: Instant) -> Result<(), WaitError> {
    loop {
        match look(client, deadline)? {
            Sight::Running => return Ok(()),
            Sight::Absent => pause(client, deadline, "absent")?,
            Sight::Changing => pause(client, deadline, "starting or shutting down")?,
        }
    }
}

fn look(client: &Client, deadline: Instant) -> Result<Sight, WaitError> {
    let left = deadline.saturating_duration_since(Instant::now());
    let patience = left.clamp(POLL_INTERVAL, ANSWER_TIME).min(client.timeout());
    match client.with_timeout(patience).get_state() {
        Ok(SupervisorState::Running) => Ok(Sight::Running),
        Ok(SupervisorState::Restarting | SupervisorState::Shutdown) => Ok(Sight::Changing),
        Ok(state @ (SupervisorState::Fatal | SupervisorState::Other(_))) => {
            Err(WaitError::Failed {
                socket: client.socket().to_owned(),
                state,
            })
        }
        Err(XmlRpcError::NotRunning { .. }) => Ok(Sight::Absent),
        Err(error) if is_going(&error) => Ok(Sight::Changing),
        Err(error) => Err(WaitError::Call(error)),
    }
}

/// Whether this is what a supervisord on its way down does to a call.
fn is_going(error: &XmlRpcError) -> bool {
    match error {
        XmlRpcError::Fault { code, .. } => *code == FaultCode::ShutdownState,
        XmlRpcError::Io { source, .. } => matches!(
            source.kind(),
            std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe
        ),
        XmlRpcError::Protocol { source, .. } => matches!(source, ProtocolError::Truncated),
        _ => false,
    }
}

fn pause(client: &Client, deadline: Instant, state: &'static str) -> Result<(), WaitError> {
    if Instant::now() >= deadline {
        return Err(WaitError::Deadline {
            socket: client.socket().to_owned(),
            state,
        });
    }
    thread::sleep(POLL_INTERVAL);
    Ok(())
}
