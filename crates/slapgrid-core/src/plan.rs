//! What is to be done, as data: made by pure functions from what the master wants and what the
//! disk shows, before anything is touched.

pub mod partition;
pub mod release;

pub use partition::{PartitionAction, PartitionPlan, ProcessReason};
pub use release::{ReleaseAction, ReleasePlan};
