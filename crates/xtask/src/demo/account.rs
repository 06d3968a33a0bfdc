//! The user that software and partitions of the demo belong to.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use nix::unistd::{User, chown, geteuid};

use super::place::Demo;
use crate::{command, places};

/// Name of the user that root makes: neither software nor partitions may be root's.
const ROOTS_USER: &str = "slapos-demo";

/// A user of this machine.
pub(super) struct Account {
    user: User,
}

impl Account {
    /// The caller; or, for root, a system user made for the demo.
    pub(super) fn ensure(demo: &Demo) -> Result<Self> {
        if !places::is_root() {
            let user = User::from_uid(geteuid())
                .context("cannot look up the current user")?
                .context("the current user has no name in the user database")?;
            return Ok(Self { user });
        }
        if let Some(user) = look_up(ROOTS_USER)? {
            println!("    running as root: partitions belong to the user {ROOTS_USER}");
            return Ok(Self { user });
        }
        println!("    running as root: making the system user {ROOTS_USER} for the partitions");
        command::run(Command::new("useradd").args([
            "--system",
            "--user-group",
            "--no-create-home",
            "--shell",
            "/bin/false",
            ROOTS_USER,
        ]))?;
        let mark = demo.directory().join("made-user");
        fs::write(&mark, ROOTS_USER).with_context(|| format!("cannot write {}", mark.display()))?;
        let user = look_up(ROOTS_USER)?.context("useradd made no user")?;
        Ok(Self { user })
    }

    pub(super) fn name(&self) -> &str {
        &self.user.name
    }

    /// Removes the user that [`Account::ensure`] made.
    pub(super) fn remove(demo: &Demo) -> Result<()> {
        if demo.directory().join("made-user").exists() && look_up(ROOTS_USER)?.is_some() {
            command::run(Command::new("userdel").arg(ROOTS_USER))?;
        }
        Ok(())
    }

    /// Hands the software root to the user: what slapgrid-sr builds runs as its owner.
    pub(super) fn own_software_root(&self, demo: &Demo) -> Result<()> {
        if !places::is_root() {
            return Ok(());
        }
        let root = demo.software_root();
        chown(&root, Some(self.user.uid), Some(self.user.gid))
            .with_context(|| format!("cannot give {} to {ROOTS_USER}", root.display()))
    }
}

fn look_up(name: &str) -> Result<Option<User>> {
    User::from_name(name).with_context(|| format!("cannot look up the user {name}"))
}
