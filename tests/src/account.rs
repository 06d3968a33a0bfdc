//! Who runs the tools and who owns the partitions.

use std::path::Path;
use std::process::Command;

use nix::unistd::{User, chown, geteuid};

/// Debian's user that owns nothing: software and partitions of a test run by root belong to it.
const NOBODY: &str = "nobody";

/// The owner of software and partitions, and whether the tools run as it.
#[derive(Debug, Clone)]
pub struct Account {
    user: User,
    step_down: bool,
}

impl Account {
    /// The tools run as whoever runs the tests; partitions of root belong to nobody.
    pub fn of_caller() -> Self {
        let user = if geteuid().is_root() {
            User::from_name(NOBODY)
        } else {
            User::from_uid(geteuid())
        };
        let user = user
            .expect("the user database is readable")
            .expect("the user exists");
        Self {
            user,
            step_down: false,
        }
    }

    /// The tools run without root's rights, even when root runs the tests.
    pub fn unprivileged() -> Self {
        let step_down = geteuid().is_root();
        Self {
            step_down,
            ..Self::of_caller()
        }
    }

    /// Name of the owner.
    pub fn name(&self) -> &str {
        &self.user.name
    }

    /// A command with the rights of the account.
    pub fn command(&self, program: &Path) -> Command {
        if !self.step_down {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command
            .arg(format!("--reuid={}", self.user.uid))
            .arg(format!("--regid={}", self.user.gid))
            .args(["--clear-groups", "--"])
            .arg(program);
        command
    }

    /// Whether the tools run as root.
    pub fn is_root(&self) -> bool {
        geteuid().is_root() && !self.step_down
    }

    /// Gives a file or directory to the owner.
    pub fn own(&self, path: &Path) {
        chown(path, Some(self.user.uid), Some(self.user.gid))
            .unwrap_or_else(|error| panic!("cannot give away {}: {error}", path.display()));
    }
}
