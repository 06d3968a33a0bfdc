//! Installs software releases and runs computer partitions on a SlapOS node.
//!
//! A run computes first what is to be done ([`plan`]) from what the master wants and what the disk
//! shows, then does it step by step; each release and each partition has its own outcome
//! ([`outcome`]), and no failure of one stops the others.

mod bang;
mod boot;
mod buildout;
mod context;
mod environment;
mod hooks;
mod layout;
mod metrics;
pub mod options;
pub mod outcome;
mod parallel;
mod partition;
pub mod plan;
mod process;
pub mod progress;
mod promise;
mod prune;
mod random;
mod run;
mod services;
pub mod settings;
mod software;
mod space;
pub mod status;
mod supervisord;
mod usage;
pub mod watch;
pub mod watchdog;

pub use process::Interruption;
pub use prune::{PruneError, PrunePlan, plan_prune, prune};
pub use run::{Phase, RunError, export_bundle, import_bundle, plan_run, run};
pub use supervisord::{SupervisordError, become_supervisord, control, ensure_running};
