//! A master on loopback within the test's own process.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::thread;

use slap_client::proto::documents::{
    ComputerConfiguration, PartitionAddress, PartitionConfiguration,
};
use slap_client::{Connection, Slap};
use slapos_tests::database;
use slapproxy_core::storage::{AnyStorage, Database};
use slapproxy_core::{Settings, app};

pub(crate) struct Master {
    address: SocketAddr,
    pub(crate) database: Database,
    directory: tempfile::TempDir,
}

impl Master {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::parse(database::uri(directory.path()).as_ref()).unwrap();
        let settings = Settings {
            software_products: [("kvm".to_owned(), "http://kvm/".to_owned())].into(),
            ..Settings::new(database.clone(), "COMP-1")
        };
        let storage = AnyStorage::open(&database, "COMP-1").unwrap();
        let (sender, receiver) = channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                sender.send(listener.local_addr().unwrap()).unwrap();
                let app = app(settings, storage, "run-id".to_owned());
                axum::serve(listener, app).await.unwrap();
            });
        });
        Self {
            address: receiver.recv().unwrap(),
            database,
            directory,
        }
    }

    /// Another server's view of its database.
    #[allow(dead_code, reason = "not every test looks")]
    pub(crate) fn storage(&self) -> AnyStorage {
        AnyStorage::open(&self.database, "COMP-1").unwrap()
    }

    /// What its database holds now, as a file.
    #[allow(dead_code, reason = "not every test looks")]
    pub(crate) fn file(&self) -> PathBuf {
        database::file(self.directory.path())
    }

    fn client(&self) -> Slap {
        Connection::to(&format!("http://{}/", self.address))
            .unwrap()
            .open()
            .unwrap()
    }

    /// A master that knows COMP-1 with that many partitions.
    pub(crate) fn with_partitions(count: usize) -> (Self, Slap) {
        let master = Self::start();
        let slap = master.client();
        slap.register_computer("COMP-1")
            .configure(&computer(count))
            .unwrap();
        (master, slap)
    }

    /// Status and body of a request made by hand.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let length = body.len();
        let head = format!(
            "{method} /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }
}

/// COMP-1 with that many partitions.
pub(crate) fn computer(count: usize) -> ComputerConfiguration {
    let partition = |number| PartitionConfiguration {
        reference: format!("slappart{number}"),
        tap: Some(format!("slaptap{number}")),
        address_list: vec![PartitionAddress {
            addr: format!("10.0.0.{number}"),
            netmask: None,
        }],
        ..PartitionConfiguration::default()
    };
    ComputerConfiguration {
        reference: "COMP-1".to_owned(),
        partition_list: (0..count).map(partition).collect(),
        ..ComputerConfiguration::default()
    }
}
