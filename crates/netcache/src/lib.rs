//! The network cache of SlapOS: files known by their SHA-512 (shacache), and a directory of signed
//! entries that say what the files are (shadir).
//!
//! Nothing that comes from the network is believed. An entry counts when a certificate of the
//! configuration verifies its signature, a file when its bytes have the digest that such an entry
//! names, and what is unpacked cannot leave the directory that it is unpacked into.

mod archive;
mod bundle;
mod client;
mod digest;
mod entry;
mod interruptible;
mod platform;
mod policy;
mod private_key;
mod server;
mod trust;

mod generate;
mod lookup;
mod release;
mod settings;

pub use archive::{
    Format, Limits, PackError, Packed, UNPACKED_MARK, UnpackError, pack, unfinished, unpack,
};
pub use bundle::{
    BundleError, BundleReader, BundleWriter, ExportError, ImportError, Offer, Verified,
};
pub use client::{Client, ClientError, Patience};
pub use digest::Digest;
pub use entry::{Description, Entry, ReleaseKey, Signer, Unusable, parse_list};
pub use generate::{GenerateError, KeyKind, generate_key};
pub use lookup::{LookupError, describe_file, describe_release, url_key};
pub use platform::{Distribution, Platform};
pub use policy::{Algorithm, SignaturePolicy};
pub use private_key::{PrivateKey, SignatureHash};
pub use release::{FetchError, Place, PrepareError, PublishError, Published, fetch, publish};
pub use server::Server;
pub use settings::{Servers, Settings, SettingsError};
pub use trust::{Trust, Untrusted};

/// Asked between steps whether to stop.
pub type Cancelled<'a> = &'a (dyn Fn() -> bool + Sync);

/// An error with all that caused it, in one line for the log.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
