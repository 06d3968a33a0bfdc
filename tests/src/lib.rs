//! Fixtures of the whole-tool tests: a node with its master on this machine, driven through the
//! programs as they are built, ours or those of the Python peer.
//!
//! `cargo xtask test` builds the programs, prepares the peer and names it in `SLAPOS_TEST_PEER`.
//! What cannot run says why and fails; nothing is skipped.

mod account;
mod background;
pub mod balancer;
mod browser;
mod certificates;
pub mod database;
pub mod faults;
pub mod http;
mod machine;
mod namespace;
mod node;
mod outcome;
pub mod pair;
pub mod places;
pub mod poll;
pub mod population;
pub mod postgres;
pub mod promises;
mod releases;
pub mod replicas;
pub mod scenario;
mod scripted_master;
mod server;
mod terminal;
mod tree;

pub use account::Account;
pub use background::{Background, Ended};
pub use browser::Browser;
pub use certificates::{Authority, Certificate};
pub use machine::Machine;
pub use namespace::{BRIDGE_ADDRESS, Namespace};
pub use node::{COMPUTER, Node, Side, free_port};
pub use outcome::Outcome;
pub use releases::{instance_script, offline_hello, shell_release, write_program};
pub use scripted_master::{Call, Instance, Misbehaviour, Script, ScriptedMaster};
pub use server::Server;
pub use terminal::Terminal;
pub use tree::Tree;
