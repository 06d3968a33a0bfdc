//! The tools that share the command line of slapgrid.

use clap::{Command, CommandFactory};
use slapgrid_core::Phase;

use crate::Arguments;

/// One of them.
#[derive(Debug)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// The sentence by which its help says what it does.
    pub about: &'static str,
    /// What it does, in this order.
    pub phases: &'static [Phase],
}

/// slapgrid itself.
pub const SLAPGRID: Tool = Tool {
    name: "slapgrid",
    about: "Installs releases, runs partitions and reports usage, until all is as the master wants it",
    phases: &[Phase::Software, Phase::Instances, Phase::Usage],
};

/// The one for software releases.
pub const SLAPGRID_SR: Tool = Tool {
    name: "slapgrid-sr",
    about: "Installs and removes the software releases of this computer, as its master wants",
    phases: &[Phase::Software],
};

/// The one for computer partitions.
pub const SLAPGRID_CP: Tool = Tool {
    name: "slapgrid-cp",
    about: "Installs, starts and stops the instances in the partitions of this computer, and checks their promises",
    phases: &[Phase::Instances],
};

/// The one for usage reports.
pub const SLAPGRID_UR: Tool = Tool {
    name: "slapgrid-ur",
    about: "Reports the usage of instances to the master, and empties the partitions of those no longer wanted",
    phases: &[Phase::Usage],
};

impl Tool {
    /// Its command line.
    pub fn command(&self) -> Command {
        Arguments::command().name(self.name).about(self.about)
    }
}
