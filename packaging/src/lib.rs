//! What packages of these tools hold beside the programs, and how they are put together.

pub mod configuration;
pub mod generated;
mod man;
mod page;
pub mod paths;
pub mod stage;
#[cfg(test)]
mod third_party;
pub mod tools;
pub mod tree;
