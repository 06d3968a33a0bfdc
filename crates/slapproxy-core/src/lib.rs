//! A small SlapOS master: the calls of the SLAP protocol over a database.
//!
//! [`app`] is the HTTP side: it turns requests into the types of `slap_proto::calls`. Each call is
//! one function of the module `master`, which sees the database only through the traits of
//! [`storage`]. [`serve`] listens and hands connections to it.

mod caller;
mod error;
mod http;
mod master;
mod metrics;
mod server;
mod settings;
mod shacache;
pub mod storage;

pub use caller::NotAllowed;
pub use error::MasterError;
pub use http::app;
pub use server::{ServeError, TlsError, serve};
pub use settings::{
    ListenAddress, ServerSettings, Settings, SettingsError, SettingsOverrides, ShacacheSettings,
    TlsSettings,
};
pub use shacache::ShacacheError;
