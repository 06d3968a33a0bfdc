//! Blocking client of a SlapOS master: the SLAP protocol of slapos.core 0.27 to 1.26.
//!
//! In SlapOS, a *master* knows what is wanted, and *nodes* (computers) ask it and make it so. A node
//! has *partitions*; each holds one *instance* of a *software release*, which is named by the URL of
//! its buildout profile. Users request instances; an instance reads its parameters, publishes
//! connection parameters (URLs, passwords), and may request instances itself. This crate is for
//! programs of all three: users, nodes and instances.
//!
//! ```
//! use slap_client::{Connection, InstanceRequest};
//!
//! # let master = slap_testing::Master::start()?;
//! # let url = master.url();
//! // let url = "http://127.0.0.1:5000/";
//! let slap = Connection::to(url)?.open()?;
//! let request = InstanceRequest::new("https://example.org/hello/software.cfg", "my-hello")
//!     .parameter("greeting", "Hello!");
//! let instance = slap.register_open_order().request(&request)?;
//! println!("{:?}", instance.connection_dict);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to begin
//!
//! A [`Connection`] says how to reach a master; opened, it is a [`Slap`], which is cheap to clone and
//! may be shared by threads. From it come handles to what the master knows. A handle holds names
//! only, and each of its methods is one request; at masters that do not know the call
//! [`Computer::full_information`] makes, it is two.
//!
//! | who you are | handle | what for |
//! | --- | --- | --- |
//! | a user | [`OpenOrder`] | request instances, by an [`InstanceRequest`] |
//! | | [`Supply`] | have computers install releases |
//! | a node | [`Computer`] | describe the computer, ask what it shall hold |
//! | | [`SoftwareRelease`], [`ComputerPartition`] | report what became of it |
//! | an instance | [`ComputerPartition`] | read parameters, publish, request other instances |
//!
//! Methods have the names of the Python library `slapos.slap`, in Rust's spelling. What masters
//! answer are the documents of [`proto`], which is the crate `slap-proto`; those that are met most
//! are here, too. In the folder `examples` are whole programs.
//!
//! # Errors and time
//!
//! Nothing panics on what a master answers or a caller passes. Each call fails with a
//! [`ClientError`], which tells what the master answered from why it could not be asked. A call
//! takes no longer than [`Connection::timeout`] (those that wait for a change take the time to wait
//! besides: [`Computer::full_information_unless`]), and can be given up before
//! ([`Connection::cancelled_by`]). Nothing is retried: whether a call may be sent twice is the
//! caller's to know.
//!
//! # In asynchronous programs
//!
//! The client is blocking, and has no asynchronous twin: it would be this crate written twice, as
//! little is in it besides sending. A [`Slap`] and all handles are `Send`, `Sync`, `'static` and
//! cheap to clone, so that a call is handed to a thread for blocking work:
//!
//! ```
//! # let master = slap_testing::Master::start()?;
//! # let slap = master.slap().clone();
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! let computer = slap.register_computer("COMP-1");
//! let information = tokio::task::spawn_blocking(move || computer.full_information()).await??;
//! assert_eq!(information.computer_partition_list.len(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Who wants another HTTP client takes `slap-proto` alone: its calls say method, path and form, its
//! documents read the answers, and neither does I/O.
//!
//! # Tests of your program
//!
//! The crate `slap-testing` runs a real master within the process of a test; all examples here run
//! against it.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod cancellation;
mod coding;
mod computer;
mod condition;
mod connection;
mod error;
mod order;
mod partition;
mod release;
mod tls;
mod url;

pub use computer::Computer;
pub use condition::{EntityTag, Refreshed};
pub use connection::{Connection, OpenError, Slap};
pub use error::ClientError;
pub use order::{InstanceRequest, OpenOrder, Supply};
pub use partition::{Certificate, ComputerPartition, Destruction};
pub use release::SoftwareRelease;
pub use slap_proto as proto;
pub use slap_proto::documents::{Attributes, InstanceState, SoftwareInstance, SoftwareState};
pub use slap_proto::marshal::Value;
pub use url::{UrlError, without_user};
