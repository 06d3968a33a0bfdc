//! What a service manager such as systemd is told, by the protocol of sd_notify. Without one,
//! nothing is.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sd_notify::NotifyState;

use crate::process::Interruption;

/// From now on slapgrid does its work.
pub(super) fn ready() {
    notify(&[NotifyState::Ready]);
}

/// The configuration is read again; [`ready`] follows.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(error) => cannot(&error),
    }
}

/// A line for people.
pub(super) fn status(line: &str) {
    notify(&[NotifyState::Status(line)]);
}

/// Tells as long as slapgrid lives that it lives, if that is asked for, and that it ends as soon as
/// it was told to. A pass may take hours, in which what could hang has deadlines of its own: that it
/// takes long is no reason to be killed. The thread ends with the order to end.
pub(super) fn accompany(interruption: &Interruption) -> io::Result<JoinHandle<()>> {
    let interruption = interruption.clone();
    let watchdog = sd_notify::watchdog_enabled();
    // Twice as often as asked for, as the protocol advises.
    let pause = watchdog.map_or(Duration::MAX, |timeout| timeout / 2);
    thread::Builder::new().spawn(move || {
        while !interruption.wait(pause) {
            if watchdog.is_some() {
                notify(&[NotifyState::Watchdog]);
            }
        }
        notify(&[NotifyState::Stopping]);
    })
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        cannot(&error);
    }
}

/// The work goes on without.
fn cannot(error: &io::Error) {
    log::debug!("cannot tell the service manager: {error}");
}
