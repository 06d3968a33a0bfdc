//! Blocking client of a SlapOS master: the SLAP protocol of slapos.core 0.27 to 1.26.
//!
//! A [`Slap`] is a connection to one master; it is cheap to clone and may be shared by threads.
//! From it come handles to what the master knows: [`Computer`], [`ComputerPartition`],
//! [`SoftwareRelease`], [`OpenOrder`] and [`Supply`]. A handle holds names only; each of its
//! methods is one request.
//!
//! ```no_run
//! use slap_client::{Connection, InstanceRequest};
//!
//! let slap = Connection::to("http://127.0.0.1:5000/")?.open()?;
//! let order = InstanceRequest::new("https://example.org/hello/software.cfg", "my-hello")
//!     .parameter("greeting", "Hello!");
//! let instance = slap.register_open_order().request(&order)?;
//! println!("{:?}", instance.connection_dict);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod cancellation;
mod computer;
mod connection;
mod error;
mod order;
mod partition;
mod release;
mod url;

pub use computer::Computer;
pub use connection::{Connection, OpenError, Slap};
pub use error::ClientError;
pub use order::{InstanceRequest, OpenOrder, Supply};
pub use partition::{Certificate, ComputerPartition, Destruction};
pub use release::SoftwareRelease;
pub use slap_proto as proto;
pub use url::UrlError;
