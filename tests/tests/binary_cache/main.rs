//! slapgrid-sr and the binary cache.

mod bundles;
mod cached;
mod tools;
mod transfers;
