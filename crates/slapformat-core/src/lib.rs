//! Prepares a machine as a SlapOS node: partitions, their directories and addresses.
//!
//! Three steps: [`Settings`] say what is wanted, [`run`] looks at what there is, a pure function
//! makes the [`Plan`] of what differs, and its steps are carried out. A second run has an empty
//! plan. Users and network interfaces are not altered by this version: `alter_user` and
//! `alter_network` must be off.

mod addresses;
mod definition;
mod describe;
mod execute;
mod observe;
mod plan;
mod run;
mod settings;

pub use definition::DefinitionError;
pub use execute::ExecuteError;
pub use observe::ObserveError;
pub use plan::{Plan, PlanError, Step};
pub use run::{FormatError, Outcome, run};
pub use settings::{Options, Settings, SettingsError};
