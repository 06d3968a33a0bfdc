//! By which name slapgrid is called, and what that means where nothing else is said.

use std::path::{Path, PathBuf};

use slapgrid_core::Phase;

use crate::Tool;

/// The tool that runs, or the command of `slapos node` that does the same.
#[derive(Debug, Clone, Copy)]
pub enum Caller {
    /// The tool.
    Tool(&'static Tool),
    /// The command. As with slapos.core, it begins at once unless a delay is configured, and has a
    /// pid file unless another is.
    Command(&'static Tool),
}

/// Where the pid files of commands are, if it is there.
const COMMANDS_DIRECTORY: &str = "/opt/slapos";

impl Caller {
    pub(crate) fn tool(&self) -> &'static Tool {
        match self {
            Self::Tool(tool) | Self::Command(tool) => tool,
        }
    }

    /// Tools that do one part of the work may have a pid file of their own.
    pub(crate) fn pidfile_key(&self) -> Option<&'static str> {
        match self.tool().phases {
            [Phase::Software] => Some("pidfile_software"),
            [Phase::Instances] => Some("pidfile_instance"),
            [Phase::Usage] => Some("pidfile_report"),
            _ => None,
        }
    }

    pub(crate) fn default_pidfile(&self) -> Option<PathBuf> {
        let directory = Path::new(COMMANDS_DIRECTORY);
        match self {
            Self::Command(tool) if directory.is_dir() => {
                Some(directory.join(format!("{}.pid", tool.name)))
            }
            _ => None,
        }
    }

    pub(crate) fn default_maximal_delay(&self) -> Option<u64> {
        match self {
            Self::Command(_) => Some(0),
            Self::Tool(_) => None,
        }
    }
}
