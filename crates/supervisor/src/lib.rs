//! Configuration files and XML-RPC control of supervisord.
//!
//! Three parts, which meet only in [`Paths`]:
//! - [`Settings`] and [`GroupConfig`] are rendered as the files that supervisord reads;
//! - [`launch_command`] says how to start it, as data: another crate runs programs;
//! - [`Client`] speaks to the running supervisord through its Unix socket.
//!
//! # Threads
//! A [`Client`] opens one connection for each call, and may be cloned or shared freely.
//! slapgrid works on several partitions at once: each thread may call [`Client::update_group`]
//! and the start and stop calls for *its own* group. reloadConfig compares the files with the
//! groups that are active, not with what the last reload saw, so that a reload by one thread
//! takes nothing away from another.

mod client;
mod configuration;
mod launch;
mod process;
mod update;
mod wait;
mod xmlrpc;

pub use client::{Client, DEFAULT_TIMEOUT};
pub use configuration::files::{ConfigurationFileError, write_group, write_supervisord_conf};
pub use configuration::group::{GroupConfig, ProgramConfig, WATCH_MARK, Watch};
pub use configuration::server::{EventListener, Paths, Settings, render_supervisord_conf};
pub use configuration::{Problem, RenderError};
pub use launch::{LaunchCommand, control_command, foreground_command, launch_command};
pub use process::{ProcessInfo, ProcessOutcome, ProcessState, Reload, SupervisorState};
pub use slapos_fs::Owner;
pub use update::GroupChange;
pub use wait::{Presence, WaitError, settle, wait_until_running};
pub use xmlrpc::fault::FaultCode;
pub use xmlrpc::{ProtocolError, XmlRpcError};
