//! By which name slapgrid is called, and what that means where nothing else is said.

use std::path::{Path, PathBuf};

use slapgrid_core::Phase;

/// The tool that runs, or the command of `slapos node` that does the same.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    pub(crate) tool: &'static str,
    pub(crate) phases: &'static [Phase],
    is_command: bool,
}

/// Where the pid files of commands are, if it is there.
const COMMANDS_DIRECTORY: &str = "/opt/slapos";

impl Caller {
    /// A tool of this name, which does these phases.
    pub fn tool(tool: &'static str, phases: &'static [Phase]) -> Self {
        Self {
            tool,
            phases,
            is_command: false,
        }
    }

    /// The command of `slapos node` that does what the tool does. As with slapos.core, it begins at
    /// once unless a delay is configured, and has a pid file unless another is.
    pub fn command(tool: &'static str, phases: &'static [Phase]) -> Self {
        Self {
            is_command: true,
            ..Self::tool(tool, phases)
        }
    }

    /// Tools that do one part of the work may have a pid file of their own.
    pub(crate) fn pidfile_key(&self) -> Option<&'static str> {
        match self.phases {
            [Phase::Software] => Some("pidfile_software"),
            [Phase::Instances] => Some("pidfile_instance"),
            [Phase::Usage] => Some("pidfile_report"),
            _ => None,
        }
    }

    pub(crate) fn default_pidfile(&self) -> Option<PathBuf> {
        let directory = Path::new(COMMANDS_DIRECTORY);
        let is_there = self.is_command && directory.is_dir();
        is_there.then(|| directory.join(format!("{}.pid", self.tool)))
    }

    pub(crate) fn default_maximal_delay(&self) -> Option<u64> {
        self.is_command.then_some(0)
    }
}
