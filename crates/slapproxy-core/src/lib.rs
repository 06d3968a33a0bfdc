//! A small SlapOS master: the calls of the SLAP protocol over a database.
//!
//! [`app`] is the HTTP side: it turns requests into the types of `slap_proto::calls`. Each call is
//! one function of the module `master`, which sees the database only through the traits of
//! [`storage`].

mod error;
mod master;
mod server;
mod settings;
pub mod storage;

pub use error::MasterError;
pub use server::{ServeError, app, serve};
pub use settings::{Settings, SettingsError, SettingsOverrides};
