//! After the start of the machine: `--boot`.
//!
//! Services that are known start at once, since the master may not be reachable for a while. Then
//! the master is told that the machine has started, as soon as it answers, and every instance is
//! processed again, because addresses and devices may be others than before. To wait for the
//! network and to make the addresses is not done here: slapformat has to run before.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::time::Duration;

use slap_client::{ClientError, Slap};

use crate::outcome::{Failure, Severity, error_chain};
use crate::partition::confined::ConfinedDirectory;
use crate::partition::records;
use crate::process::Interruption;
use crate::services;
use crate::settings::Settings;
use crate::supervisord;

/// What the master is told.
const MESSAGE: &str = "Reboot";
/// Between two attempts to reach the master: at first, and at most.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// Does what a start of the machine asks for, and returns what failed, already logged.
pub(crate) fn run(settings: &Settings, slap: &Slap, interruption: &Interruption) -> Vec<Failure> {
    let steps = [
        start_services(settings, interruption),
        bang(settings, slap, interruption),
        forget_timestamps(settings),
    ];
    let failures: Vec<_> = steps.into_iter().filter_map(Result::err).collect();
    failures.iter().for_each(|failure| log::error!("{failure}"));
    failures
}

fn start_services(settings: &Settings, interruption: &Interruption) -> Result<(), Failure> {
    let client = supervisord::ensure_running(settings, interruption)
        .map_err(|error| Failure::new(Severity::Failed, &error))?;
    log::info!("starting the services that are known");
    let started = services::start_known(&client);
    started.map_err(|error| failed("cannot start the known services", &error))
}

/// Waits for the master as long as it takes.
fn bang(settings: &Settings, slap: &Slap, interruption: &Interruption) -> Result<(), Failure> {
    let computer = slap.register_computer(settings.computer_id.as_str());
    let [mut pause, longest] = PAUSES;
    loop {
        match computer.bang(MESSAGE) {
            // A run that is told to end says so itself.
            Ok(()) | Err(ClientError::Cancelled { .. }) => return Ok(()),
            Err(error) if is_transient(&error) => {
                let (error, seconds) = (error_chain(&error), pause.as_secs());
                log::warn!("waiting for the master; the next attempt is in {seconds} s: {error}");
            }
            Err(error) => return Err(failed("cannot bang the computer", &error)),
        }
        if interruption.wait(pause) {
            return Ok(());
        }
        pause = (pause * 2).min(longest);
    }
}

/// Whether the master may do better soon.
pub(crate) fn is_transient(error: &ClientError) -> bool {
    error.is_unreachable() || matches!(error, ClientError::Server { status, .. } if *status >= 500)
}

/// Has every instance processed again, whatever the master's answer to the bang was.
fn forget_timestamps(settings: &Settings) -> Result<(), Failure> {
    let root = &settings.instance_root;
    let names = directories(settings).map_err(|error| {
        let what = format!("cannot list {}", root.display());
        failed(&what, &error)
    })?;
    for name in names {
        let forgotten = ConfinedDirectory::open(&root.join(&name))
            .and_then(|directory| records::forget_timestamp(&directory));
        if let Err(error) = forgotten {
            let name = name.to_string_lossy();
            let error = error_chain(&error);
            log::warn!(target: &name, "it may not be processed again: {error}");
        }
    }
    Ok(())
}

/// The names of the directories below the instance root.
pub(crate) fn directories(settings: &Settings) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(&settings.instance_root)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name());
        }
    }
    names.sort();
    Ok(names)
}

fn failed(what: &str, error: &dyn std::error::Error) -> Failure {
    Failure {
        severity: Severity::Failed,
        message: format!("{what}: {}", error_chain(error)),
    }
}
