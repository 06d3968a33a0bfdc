//! `slapos`: the tools of SlapOS by the name and the commands of slapos.core. Each command calls the
//! library of the tool that does the same.

mod arguments;
mod boot;
mod commands;
mod configuration;
mod missing;
mod node;

use std::process::ExitCode;

use clap::CommandFactory;

/// The command line of slapos.
pub fn command() -> clap::Command {
    arguments::Arguments::command()
}

/// Runs slapos.
pub fn main() -> ExitCode {
    slapos_cli::finish("slapos", commands::run(slapos_cli::parse()))
}
