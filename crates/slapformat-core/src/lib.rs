//! Prepares a machine as a SlapOS node: users, partitions, interfaces, addresses.
//!
//! [`Settings`] say what is wanted, [`run`] looks at what there is, pure functions make the
//! [`Plan`] of what differs, and its steps are carried out. A second run has an empty plan. A run
//! that was killed is completed by the next one: what it was about to have of the network is
//! written down beside `computer_xml` before, so that the next run knows it as its own.

mod accounts;
mod addresses;
mod allocate;
mod backups;
mod claims;
mod compose;
mod computer;
mod definition;
mod describe;
mod execute;
mod hooks;
mod listing;
mod lock;
mod lookup;
mod machine;
mod names;
mod netlink;
mod network;
mod observe;
mod plan;
mod program;
mod run;
mod settings;
mod sysctl;
mod tunnel;
mod warnings;

pub use allocate::AllocateError;
pub use backups::BackupError;
pub use definition::DefinitionError;
pub use execute::ExecuteError;
pub use hooks::FormatHookError;
pub use names::InvalidName;
pub use netlink::NetlinkError;
pub use network::{Layer, NoInterface};
pub use observe::ObserveError;
pub use plan::{Plan, PlanError, RoutedTo, Step};
pub use program::{Program, ProgramError};
pub use run::{FormatError, Outcome, check_rights, run};
pub use settings::{Options, Settings, SettingsError};
pub use tunnel::TunnelError;
