//! A small SlapOS master: the calls of the SLAP protocol over a database.
//!
//! [`app`] is the HTTP side: it turns requests into the types of `slap_proto::calls`. Each call is
//! one function of the module `master`, which sees the database only through the traits of
//! [`storage`]. [`serve`] listens and hands connections to it. What people look at, the module
//! `panel` and [`show`](show()), is made from a `survey` of all that the database holds.

#[cfg(not(any(feature = "bundled-sqlite", feature = "system-sqlite")))]
compile_error!("one of the features bundled-sqlite and system-sqlite says which SQLite is used");

mod caller;
mod error;
mod hateoas;
mod http;
mod http_proxy;
mod jsonrpc;
mod master;
mod metrics;
mod multimaster;
mod naming;
mod panel;
mod random;
mod server;
mod settings;
mod shacache;
mod show;
pub mod storage;
mod survey;

pub use caller::NotAllowed;
pub use error::MasterError;
pub use http::app;
pub use multimaster::RemoteError;
pub use server::{ServeError, TlsError, serve};
pub use settings::{
    AllowedHost, ListenAddress, MultimasterSettings, ServerSettings, Settings, SettingsError,
    SettingsOverrides, ShacacheSettings, TlsSettings, database, ignored_parameters,
};
pub use shacache::ShacacheError;
pub use show::{Section, ShowError, ShowFormat, show};
