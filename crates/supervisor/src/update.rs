//! Bringing the active groups in line with the files.

use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::process::Reload;
use crate::xmlrpc::XmlRpcError;
use crate::xmlrpc::fault::FaultCode;

/// How often a group that still has a dying process is tried again.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// What [`Client::update_group`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupChange {
    /// The active group is what the file says, or there is neither.
    Unchanged,
    /// The group is new; its processes are not started.
    Added,
    /// The group was stopped and made anew; its processes are not started.
    Replaced,
    /// The group was stopped and forgotten.
    Removed,
}

impl Client {
    /// Reloads the files and brings only `group` in line with its file. Safe while other threads
    /// do so for other groups.
    pub fn update_group(&self, group: &str) -> Result<GroupChange, XmlRpcError> {
        let reload = self.reload_config()?;
        self.apply(group, planned_change(&reload, group))
    }

    fn apply(&self, group: &str, change: GroupChange) -> Result<GroupChange, XmlRpcError> {
        match change {
            GroupChange::Unchanged => {}
            GroupChange::Added => self.add(group)?,
            GroupChange::Removed => self.stop_and_remove(group)?,
            GroupChange::Replaced => {
                self.stop_and_remove(group)?;
                self.add(group)?;
            }
        }
        Ok(change)
    }

    fn add(&self, group: &str) -> Result<(), XmlRpcError> {
        accept(FaultCode::AlreadyAdded, self.add_process_group(group))
    }

    /// Tries again while a process that somebody else told to stop is still ending:
    /// supervisord's own stop does not wait for such a one.
    fn stop_and_remove(&self, group: &str) -> Result<(), XmlRpcError> {
        let deadline = Instant::now() + self.timeout();
        loop {
            accept(
                FaultCode::BadName,
                self.stop_process_group(group, true).map(drop),
            )?;
            match accept(FaultCode::BadName, self.remove_process_group(group)) {
                Err(error)
                    if error.is_fault(FaultCode::StillRunning) && Instant::now() < deadline =>
                {
                    thread::sleep(POLL_INTERVAL);
                }
                result => return result,
            }
        }
    }
}

fn planned_change(reload: &Reload, group: &str) -> GroupChange {
    let has = |groups: &[String]| groups.iter().any(|name| name == group);
    if has(&reload.removed) {
        GroupChange::Removed
    } else if has(&reload.changed) {
        GroupChange::Replaced
    } else if has(&reload.added) {
        GroupChange::Added
    } else {
        GroupChange::Unchanged
    }
}

/// Takes a fault that says that nothing is left to do for success.
fn accept(fault: FaultCode, result: Result<(), XmlRpcError>) -> Result<(), XmlRpcError> {
    match result {
        Err(error) if error.is_fault(fault) => Ok(()),
        result => result,
    }
}
