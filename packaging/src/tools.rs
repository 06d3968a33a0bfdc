//! The tools: which package has each, and its command line.

use clap::Command;

/// A tool.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// Its name, and that of its binary and of its package in the workspace.
    pub name: &'static str,
    /// The package for systems that holds it.
    pub package: &'static str,
    /// The section of its man page: 1 for users, 8 for administrators.
    pub section: u8,
    command: fn() -> Command,
}

const fn tool(
    package: &'static str,
    name: &'static str,
    section: u8,
    command: fn() -> Command,
) -> Tool {
    Tool {
        name,
        package,
        section,
        command,
    }
}

/// Every tool.
pub const TOOLS: &[Tool] = &[
    tool("slapgrid", "slapgrid", 8, || {
        slapgrid_cli::SLAPGRID.command()
    }),
    tool("slapgrid", "slapgrid-sr", 8, || {
        slapgrid_cli::SLAPGRID_SR.command()
    }),
    tool("slapgrid", "slapgrid-cp", 8, || {
        slapgrid_cli::SLAPGRID_CP.command()
    }),
    tool("slapgrid", "slapgrid-ur", 8, || {
        slapgrid_cli::SLAPGRID_UR.command()
    }),
    tool(
        "slapgrid",
        "slapgrid-supervisord",
        8,
        slapgrid_cli::start_command,
    ),
    tool(
        "slapgrid",
        "slapgrid-supervisorctl",
        8,
        slapgrid_cli::control_command,
    ),
    tool(
        "slapgrid",
        "slapos-watchdog",
        8,
        slapgrid_cli::watch_command,
    ),
    tool("slapformat", "slapformat", 8, slapformat_cli::command),
    tool("slapproxy", "slapproxy", 8, slapproxy_cli::command),
    tool("slapos-client", "slapos", 1, slapos_commands::command),
    tool("slapos-client", "slapconsole", 1, slapconsole_cli::command),
    tool(
        "slapos-client",
        "slapos-request",
        1,
        slapos_user::request::command,
    ),
    tool(
        "slapos-client",
        "slapos-supply",
        1,
        slapos_user::supply::supply_command,
    ),
    tool(
        "slapos-client",
        "slapos-remove",
        1,
        slapos_user::supply::remove_command,
    ),
    tool(
        "slapos-client",
        "slapos-bang",
        1,
        slapos_user::bang::command,
    ),
    tool(
        "slapos-client",
        "slapos-instance",
        1,
        slapos_user::instance::command,
    ),
    tool(
        "slapos-netcache",
        "slapcache-lookup",
        8,
        netcache_cli::slapcache_lookup::command,
    ),
    tool(
        "slapos-netcache",
        "generate-signature-key",
        8,
        netcache_cli::generate_signature_key::command,
    ),
];

impl Tool {
    /// Its command line, as it understands it.
    pub fn command(&self) -> Command {
        (self.command)()
    }

    /// Pages that its page names: of the other tools of its package, and of slapos.cfg.
    pub fn related(&self) -> Vec<(&'static str, u8)> {
        let others = TOOLS.iter().filter(|other| other.package == self.package);
        let others = others.filter(|other| other.name != self.name);
        let mut pages: Vec<_> = others.map(|other| (other.name, other.section)).collect();
        pages.push(("slapos.cfg", 5));
        pages
    }
}
