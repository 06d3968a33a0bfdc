//! What is to be done, as data: made by pure functions from what the master wants and what the
//! disk shows, before anything is touched.

pub mod partition;
pub mod release;
pub mod usage;
mod whole;

pub use partition::{PartitionAction, PartitionPlan, ProcessReason};
pub use release::{InstallReason, ReleaseAction, ReleasePlan};
pub use usage::{UsageAction, UsagePlan};
pub use whole::{NodeAction, PlannedPartition, RunPlan, SCHEMA_VERSION};
