//! Running the programs that a task is made of.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// How a program is named in messages: its file name and arguments.
fn describe(command: &Command) -> String {
    let name = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let words: Vec<_> = std::iter::once(name)
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect();
    words.join(" ")
}

/// Runs a program whose output the user should see as it comes.
///
/// # Errors
/// It cannot be started, or fails.
pub fn run(command: &mut Command) -> Result<()> {
    let code = exit_code(command)?;
    if code != 0 {
        bail!("{} failed with exit code {code}", describe(command));
    }
    Ok(())
}

/// Runs a program like [`run`] and tells its exit code, 128 + N for signal N as shells do.
///
/// # Errors
/// It cannot be started.
pub fn exit_code(command: &mut Command) -> Result<i32> {
    use std::os::unix::process::ExitStatusExt;
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot run {}", describe(command)))?;
    Ok(status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
}

/// Runs a program quietly; its output is kept in `log` and shown only when it fails.
///
/// # Errors
/// It cannot be started, or fails, or the log cannot be written.
pub fn run_logged(command: &mut Command, log: &Path) -> Result<()> {
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let copy = file
        .try_clone()
        .with_context(|| format!("cannot write {}", log.display()))?;
    if let Err(error) = run(command.stdout(file).stderr(copy)) {
        let text = std::fs::read(log).unwrap_or_default();
        eprintln!("{}", String::from_utf8_lossy(&text).trim_end());
        return Err(error);
    }
    Ok(())
}

/// Runs a program whose output is wanted rather than shown.
///
/// # Errors
/// It cannot be started, or fails.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", describe(command)))?;
    if !output.status.success() {
        bail!("{} failed: {}", describe(command), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
