//! The programs of the user database: the only place of this crate that starts any.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where administrators' programs are when the caller's PATH does not say so.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";
/// Most lines of a failed program's output that are shown.
const SHOWN_LINES: usize = 5;

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
    /// It failed.
    #[error("{command} failed ({status}): {output}")]
    Failed {
        /// The program with its arguments.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
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
    fn only_the_last_lines_are_shown() {
        let output = b"1\n2\n\n3\n4\n5\n6\n";
        assert_eq!(last_lines(output), "2; 3; 4; 5; 6");
        assert_eq!(last_lines(b""), "");
    }
}
