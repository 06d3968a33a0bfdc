//! What packages of these tools hold beside the programs, and how they are put together.

pub mod configuration;
pub mod page;
