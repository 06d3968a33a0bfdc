//! What a child does between fork and exec. All of it is async-signal-safe: system calls on
//! values that were prepared before the fork, no memory is allocated, no lock is taken.
#![allow(
    unsafe_code,
    reason = "the standard library offers code between fork and exec only as unsafe, \
              and the only place for it is here"
)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{
    Gid, Pid, Uid, getpid, getppid, getresgid, getresuid, setgroups, setresgid, setresuid,
};

use super::account::Account;

/// Group and user ids of root, which no foreign program gets.
const ROOT: u32 = 0;

/// Why privileges are not dropped to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RootRefused;

/// User and groups that a child takes.
struct Identity {
    uid: Uid,
    gid: Gid,
    groups: Vec<Gid>,
}

impl Identity {
    fn of(account: &Account) -> Result<Self, RootRefused> {
        let groups = account.groups.clone();
        let has_root_group = groups.iter().any(|group| group.as_raw() == ROOT);
        if account.ids().0 == ROOT || account.ids().1 == ROOT || has_root_group {
            return Err(RootRefused);
        }
        Ok(Identity {
            uid: account.uid,
            gid: account.gid,
            groups,
        })
    }

    /// Called in the child only.
    fn take(&self) -> io::Result<()> {
        setgroups(&self.groups)?;
        setresgid(self.gid, self.gid, self.gid)?;
        setresuid(self.uid, self.uid, self.uid)?;
        self.verify()
    }

    /// That all ids are the new ones and that there is no way back.
    fn verify(&self) -> io::Result<()> {
        let users = getresuid()?;
        let groups = getresgid()?;
        let user_taken = [users.real, users.effective, users.saved]
            .iter()
            .all(|id| *id == self.uid);
        let group_taken = [groups.real, groups.effective, groups.saved]
            .iter()
            .all(|id| *id == self.gid);
        let root = Uid::from_raw(ROOT);
        let can_go_back = setresuid(root, root, root).is_ok();
        if user_taken && group_taken && !can_go_back {
            Ok(())
        } else {
            // A code without an allocated message: memory must not be allocated here.
            Err(io::Error::from_raw_os_error(nix::libc::EPERM))
        }
    }
}

/// Makes the child of `command` keep no descriptors but the standard ones, set the file mode mask
/// and, if slapgrid runs as root, become `account`. It is killed when the thread that started it
/// ends, as when slapgrid is killed: the next run shall not meet it at work.
pub(super) fn prepare(
    command: &mut Command,
    account: Option<&Account>,
    mask: Option<Mode>,
) -> Result<(), RootRefused> {
    let is_root = nix::unistd::geteuid().is_root();
    let identity = account.filter(|_| is_root).map(Identity::of).transpose()?;
    let parent = getpid();
    let in_child = move || {
        close_on_exec()?;
        if let Some(mask) = mask {
            umask(mask);
        }
        identity.as_ref().map_or(Ok(()), Identity::take)?;
        // Last, since the kernel forgets it when the user changes.
        end_with(parent)
    };
    // SAFETY: the closure makes only system calls on values that it owns since before the fork;
    // it allocates no memory and takes no lock. Its errors are plain OS error codes.
    unsafe { command.pre_exec(in_child) };
    Ok(())
}

/// Called in the child only: it does not outlive its parent.
fn end_with(parent: Pid) -> io::Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    // The parent may have ended before.
    if getppid() == parent {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(nix::libc::ESRCH))
    }
}

/// Marks every descriptor beyond the standard ones: slapgrid may have inherited some that are
/// none of the program's business.
fn close_on_exec() -> io::Result<()> {
    const FIRST: nix::libc::c_uint = 3;
    // SAFETY: close_range with CLOSE_RANGE_CLOEXEC takes numbers only and touches no memory.
    let result = unsafe {
        nix::libc::syscall(
            nix::libc::SYS_close_range,
            FIRST,
            nix::libc::c_uint::MAX,
            nix::libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    let error = io::Error::last_os_error();
    // Kernels before 5.11 do not know it: there our own descriptors, all made close-on-exec, are
    // still not inherited.
    let unknown = matches!(
        error.raw_os_error(),
        Some(nix::libc::ENOSYS | nix::libc::EINVAL)
    );
    if result == 0 || unknown {
        Ok(())
    } else {
        Err(error)
    }
}
