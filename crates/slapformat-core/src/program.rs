//! The programs of the user database, and hooks: the only place of this crate that starts any.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::memfd::{MFdFlags, memfd_create};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use slapos_hooks::TIMEOUT;

/// Where administrators' programs are when the caller's PATH does not say so.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";
/// Most lines of a failed program's output that are shown.
const SHOWN_LINES: usize = 5;

/// Most of a hook's output that is logged, in bytes.
const MOST_OUTPUT: u64 = 64 << 10;

/// A program that slapformat may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Program {
    /// `groupadd`
    Groupadd,
    /// `useradd`
    Useradd,
    /// `usermod`
    Usermod,
}

/// A program could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// It is not installed.
    #[error("{} {} needed and not in {path}; on Debian: apt install passwd", list(.programs), if .programs.len() == 1 { "is" } else { "are" })]
    Missing {
        /// The programs.
        programs: Vec<Program>,
        /// Where they were looked for.
        path: String,
    },
    /// It cannot be started.
    #[error("cannot start {}", .path.display())]
    Start {
        /// The program.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It took too long, and its process group was killed.
    #[error("{} took longer than {} seconds and was killed", .path.display(), .timeout.as_secs())]
    TimedOut {
        /// The program.
        path: PathBuf,
        /// The time it had.
        timeout: Duration,
    },
    /// It failed.
    #[error("{command} failed ({status}): {output}")]
    Failed {
        /// The program with its arguments.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// The last lines that it wrote.
        output: String,
    },
}

fn list(programs: &[Program]) -> String {
    let names: Vec<_> = programs.iter().map(Program::to_string).collect();
    names.join(", ")
}

impl fmt::Display for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Groupadd => "groupadd",
            Self::Useradd => "useradd",
            Self::Usermod => "usermod",
        })
    }
}

/// Says which of the programs are not installed, before anything is changed.
pub(crate) fn check_installed(
    programs: impl IntoIterator<Item = Program>,
) -> Result<(), ProgramError> {
    let missing: Vec<_> = programs
        .into_iter()
        .filter(|program| find(*program).is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(ProgramError::Missing {
        programs: missing,
        path: search_path(),
    })
}

/// Runs a program to its end. It holds the lock of this run, too: killed meanwhile, this run leaves
/// the program behind, and the next one waits for it.
pub(crate) fn run<A: AsRef<OsStr>>(
    program: Program,
    arguments: &[A],
    lock: &File,
) -> Result<(), ProgramError> {
    let path = find(program).ok_or_else(|| ProgramError::Missing {
        programs: vec![program],
        path: search_path(),
    })?;
    let start = |source| ProgramError::Start {
        path: path.clone(),
        source,
    };
    // A lock lasts as long as any copy of its descriptor is open; these programs read nothing.
    let input = lock.try_clone().map_err(start)?;
    let mut command = Command::new(&path);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", SYSTEM_PATH)
        .env("LC_ALL", "C")
        .current_dir("/")
        // Ctrl-C ends this run, not the program in the middle of its files.
        .process_group(0)
        .stdin(input);
    log::debug!("{command:?}");
    let output = command.output().map_err(start)?;
    if output.status.success() {
        return Ok(());
    }
    let words = arguments.iter().map(|word| word.as_ref().to_string_lossy());
    Err(ProgramError::Failed {
        command: std::iter::once(program.to_string().into())
            .chain(words)
            .collect::<Vec<_>>()
            .join(" "),
        status: output.status,
        output: last_lines(&[output.stdout, output.stderr].concat()),
    })
}

/// Runs a hook to its end, for [`TIMEOUT`] at most. It reads a document, and the last of what it
/// writes is logged.
pub(crate) fn run_hook(path: &Path, document: &[u8]) -> Result<(), ProgramError> {
    let start = |source| ProgramError::Start {
        path: path.to_owned(),
        source,
    };
    let mut output = memory_file(&[]).map_err(start)?;
    let mut command = Command::new(path);
    command
        .env_clear()
        .env("PATH", SYSTEM_PATH)
        .current_dir("/")
        .process_group(0)
        .stdin(memory_file(document).map_err(start)?)
        .stdout(output.try_clone().map_err(start)?)
        .stderr(output.try_clone().map_err(start)?);
    let mut child = command.spawn().map_err(start)?;
    let status = wait(&mut child, TIMEOUT).map_err(start)?;
    let output = read_end(&mut output).map_err(start)?;
    for line in String::from_utf8_lossy(&output).lines() {
        log::info!("{}: {line}", path.display());
    }
    match status {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(ProgramError::Failed {
            command: path.display().to_string(),
            status,
            output: last_lines(&output),
        }),
        None => Err(ProgramError::TimedOut {
            path: path.to_owned(),
            timeout: TIMEOUT,
        }),
    }
}

/// A file without name that holds this, to be read from its beginning.
fn memory_file(contents: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create(c"hook", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(contents)?;
    file.rewind()?;
    Ok(file)
}

/// The last bytes that a program wrote, as many as are of interest.
fn read_end(file: &mut File) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MOST_OUTPUT)))?;
    let mut end = Vec::new();
    file.take(MOST_OUTPUT).read_to_end(&mut end)?;
    Ok(end)
}

/// Waits for the end of a program that leads a process group, which is killed when that takes longer
/// or cannot be waited for.
fn wait(child: &mut Child, timeout: Duration) -> io::Result<Option<ExitStatus>> {
    let group = Pid::from_child(child);
    let ended = wait_until(Instant::now() + timeout, child, group);
    if !matches!(ended, Ok(Some(_))) {
        // It may have ended at this moment.
        let _ = kill_process_group(group, Signal::KILL);
        child.wait()?;
    }
    ended
}

fn wait_until(deadline: Instant, child: &mut Child, pid: Pid) -> io::Result<Option<ExitStatus>> {
    let end = pidfd_open(pid, PidfdFlags::empty())?;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match child.try_wait()? {
            None if !left.is_zero() => {}
            ended => return Ok(ended),
        }
        let mut watched = [PollFd::new(&end, PollFlags::IN)];
        // A signal ends the wait early, which does no harm.
        let _ = poll(&mut watched, Timespec::try_from(left).ok().as_ref());
    }
}

fn last_lines(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("; ")
}

/// The caller's PATH, then the system's.
fn search_path() -> String {
    match std::env::var("PATH") {
        Ok(path) if !path.is_empty() => format!("{path}:{SYSTEM_PATH}"),
        _ => SYSTEM_PATH.to_owned(),
    }
}

fn find(program: Program) -> Option<PathBuf> {
    std::env::split_paths(&search_path())
        // What is found shall not depend on where root happens to be.
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(program.to_string()))
        .find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failed_program_said_is_told() {
        let lock = File::open("/").unwrap();
        let error = run(Program::Groupadd, &["--no-such-option"], &lock).unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("groupadd --no-such-option failed"),
            "{text}"
        );
        assert!(text.contains("option"), "{text}");
    }

    #[test]
    fn a_program_that_takes_too_long_is_killed_with_what_it_has_started() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "sleep 1000 & wait"]).process_group(0);
        let mut child = command.spawn().unwrap();
        let group = Pid::from_child(&child);
        let ended = wait(&mut child, Duration::from_millis(50)).unwrap();
        assert_eq!(ended, None);
        let deadline = Instant::now() + Duration::from_secs(10);
        while rustix::process::test_kill_process_group(group).is_ok() {
            assert!(Instant::now() < deadline, "something of it still runs");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn only_the_last_lines_are_shown() {
        let output = b"1\n2\n\n3\n4\n5\n6\n";
        assert_eq!(last_lines(output), "2; 3; 4; 5; 6");
        assert_eq!(last_lines(b""), "");
    }
}
