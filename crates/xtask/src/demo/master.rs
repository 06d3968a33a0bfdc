//! The demo's slapproxy: a process that outlives the demo's command.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::http;
use super::place::{ADDRESS, Demo};

/// Starts the master unless it answers.
pub(super) fn ensure_running(demo: &Demo) -> Result<()> {
    if answers(demo) {
        return Ok(());
    }
    let log = demo.directory().join("slapproxy.log");
    let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let errors = output
        .try_clone()
        .with_context(|| format!("cannot write {}", log.display()))?;
    let mut child = super::tool(demo, "slapproxy")
        .arg(demo.configuration())
        // A group of its own: Ctrl-C at the demo's terminal is not meant for the master.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn()
        .context("cannot start slapproxy")?;
    fs::write(pid_file(demo), child.id().to_string())
        .with_context(|| format!("cannot write {}", pid_file(demo).display()))?;
    let ended = wait_until("slapproxy answers", || {
        answers(demo) || child.try_wait().is_ok_and(|status| status.is_some())
    });
    if ended.is_err() || !answers(demo) {
        bail!("slapproxy does not run; see {}", log.display());
    }
    Ok(())
}

/// Ends the master that [`ensure_running`] started, if it still runs.
pub(super) fn stop(demo: &Demo) -> Result<()> {
    let Some(pid) = running(demo) else {
        return Ok(());
    };
    kill(pid, Signal::SIGTERM).with_context(|| format!("cannot end slapproxy, process {pid}"))?;
    wait_until("slapproxy has ended", || running(demo).is_none())
}

/// The master's process, if the noted pid still belongs to our slapproxy.
fn running(demo: &Demo) -> Option<Pid> {
    let pid: i32 = fs::read_to_string(pid_file(demo))
        .ok()?
        .trim()
        .parse()
        .ok()?;
    let program = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    // A tool that was replaced since is shown as "PATH (deleted)".
    let ours = demo.tools().join("slapproxy");
    program
        .to_string_lossy()
        .starts_with(&*ours.to_string_lossy())
        .then(|| Pid::from_raw(pid))
}

fn pid_file(demo: &Demo) -> std::path::PathBuf {
    demo.directory().join("slapproxy.pid")
}

/// Whether a slapproxy answers at the demo's address.
fn answers(demo: &Demo) -> bool {
    demo.master_port().is_ok_and(|port| {
        http::get(
            &format!("http://{ADDRESS}:{port}/getRunId"),
            Duration::from_secs(2),
        )
        .is_ok()
    })
}

/// Polls a condition for at most 20 seconds.
pub(super) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        if Instant::now() > deadline {
            bail!("waited 20 s in vain until {what}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
