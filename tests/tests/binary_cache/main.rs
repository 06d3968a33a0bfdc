//! slapgrid-sr and the binary cache.

mod bundles;
mod cached;
mod connections;
mod tools;
mod transfers;
