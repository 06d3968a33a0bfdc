//! The pid file: one run at a time.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use nix::libc;

/// Whoever may read a file may lock it, and so keep us out: nobody else may.
const MODE: u32 = 0o600;

/// A pid file that this process holds. The lock is the kernel's, so it ends with the process and
/// can never be stale; the text is the pid, for other tools. Dropping it removes the file.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    file: Flock<File>,
}

/// The pid file could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PidFileError {
    /// Another process holds it.
    #[error("another run holds {path} (process {pid})")]
    Running {
        /// The file.
        path: PathBuf,
        /// What the file says of the other process.
        pid: String,
    },
    /// It cannot be opened or written.
    #[error("cannot lock {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl PidFileError {
    /// Whether another process holds the file.
    pub fn is_running(&self) -> bool {
        matches!(self, Self::Running { .. })
    }
}

impl PidFile {
    /// Takes the pid file for this process.
    ///
    /// # Errors
    /// Another process holds it, or it cannot be written.
    pub fn acquire(path: &Path) -> Result<Self, PidFileError> {
        let failed = |source| PidFileError::Io {
            path: path.to_owned(),
            source,
        };
        loop {
            let file = open(path).map_err(failed)?;
            let file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(file) => file,
                Err((file, nix::errno::Errno::EWOULDBLOCK)) => return Err(running(path, file)),
                Err((_, errno)) => return Err(failed(errno.into())),
            };
            // The holder of before may have removed the name between our opening and locking.
            if is_named(path, &file) {
                let mut locked = Self {
                    path: path.to_owned(),
                    file,
                };
                locked.write_pid().map_err(failed)?;
                return Ok(locked);
            }
        }
    }

    fn write_pid(&mut self) -> io::Result<()> {
        self.file.set_permissions(Permissions::from_mode(MODE))?;
        self.file.set_len(0)?;
        self.file
            .write_all(std::process::id().to_string().as_bytes())?;
        self.file.flush()
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Only while the lock is held is the name surely ours; nothing can be done about a failure.
        if is_named(&self.path, &self.file) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(MODE)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(path)
}

/// Whether the name still denotes the open file.
fn is_named(path: &Path, file: &File) -> bool {
    match (fs::symlink_metadata(path), file.metadata()) {
        (Ok(named), Ok(open)) => named.ino() == open.ino() && named.dev() == open.dev(),
        _ => false,
    }
}

fn running(path: &Path, file: File) -> PidFileError {
    let mut pid = String::new();
    let read = file.take(20).read_to_string(&mut pid);
    let known = read.is_ok() && !pid.trim().is_empty();
    let pid = if known {
        pid.trim().to_owned()
    } else {
        "unknown".to_owned()
    };
    PidFileError::Running {
        path: path.to_owned(),
        pid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_it_and_gets_it_afterwards() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pid");
        let held = PidFile::acquire(&path).unwrap();
        let pid = std::process::id().to_string();
        assert_eq!(fs::read_to_string(&path).unwrap(), pid);
        match PidFile::acquire(&path) {
            Err(PidFileError::Running { pid: holder, .. }) => assert_eq!(holder, pid),
            other => panic!("{other:?}"),
        }
        drop(held);
        assert!(!path.exists());
        PidFile::acquire(&path).unwrap();
    }

    #[test]
    fn a_file_left_by_a_dead_process_is_no_obstacle_and_nobody_elses_to_lock() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pid");
        fs::write(&path, "1").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let _held = PidFile::acquire(&path).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            std::process::id().to_string()
        );
    }

    #[test]
    fn only_one_of_many_threads_holds_it_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pid");
        let holders = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        if let Ok(_held) = PidFile::acquire(&path) {
                            let before = holders.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                            assert_eq!(before, 0, "two held it at once");
                            holders.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        }
                    }
                });
            }
        });
    }

    #[test]
    fn a_link_and_a_missing_directory_are_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        for path in [link.as_path(), Path::new("/no/such/directory/pid")] {
            let error = PidFile::acquire(path).unwrap_err();
            assert!(
                error.to_string().contains(path.to_str().unwrap()),
                "{error}"
            );
        }
    }
}
