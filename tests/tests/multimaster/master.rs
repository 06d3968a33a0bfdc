//! Masters whose configuration a test writes.

use std::fs;
use std::time::Duration;

use rusqlite::Connection as Database;
use slap_client::proto::documents::{
    self, Attributes, ComputerConfiguration, PartitionAddress, PartitionConfiguration,
    SoftwareInstance,
};
use slap_client::{ClientError, ComputerPartition, Connection, InstanceRequest, Slap};
use slapos_tests::{COMPUTER, Node, Side};

/// The release that masters list for others.
pub(crate) const LISTED: &str = "http://listed/software.cfg";
/// One that none lists.
pub(crate) const OTHER: &str = "http://other/software.cfg";

/// A master with partitions, and a connection to it.
pub(crate) struct Master {
    pub(crate) node: Node,
    pub(crate) slap: Slap,
}

impl Master {
    /// Not started yet, so that others can be told its URL.
    pub(crate) fn new() -> Self {
        let node = Node::new();
        let connection = Connection::to(&url(&node)).unwrap();
        let slap = connection.timeout(Duration::from_secs(60)).open().unwrap();
        Self { node, slap }
    }

    pub(crate) fn started(side: Side, sections: &str) -> Self {
        let mut master = Self::new();
        master.start(side, sections);
        master
    }

    /// With further sections in its configuration.
    pub(crate) fn start(&mut self, side: Side, sections: &str) {
        let text = fs::read_to_string(self.node.configuration()).unwrap();
        self.node.write("slapos.cfg", &(text + sections));
        self.node.start_master(side);
        let handle = self.slap.register_computer(COMPUTER);
        handle.configure(&computer()).unwrap();
    }

    pub(crate) fn url(&self) -> String {
        url(&self.node)
    }

    pub(crate) fn request(
        &self,
        request: &InstanceRequest,
    ) -> Result<SoftwareInstance, ClientError> {
        self.slap.register_open_order().request(request)
    }

    pub(crate) fn partition(&self, reference: &str) -> ComputerPartition {
        self.slap.register_computer_partition(COMPUTER, reference)
    }

    /// Name, parameters and state of each instance it has allocated: (title, root, `a`, state).
    pub(crate) fn instances(&self) -> Vec<(String, String, String, String)> {
        let computer = self
            .slap
            .register_computer(COMPUTER)
            .full_information()
            .unwrap();
        let partitions = computer.computer_partition_list.into_iter();
        let allocated = partitions.filter(|partition| partition.need_modification);
        let text = |attributes: &Attributes, name: &str| {
            attributes
                .get(name)
                .map_or_else(String::new, |value| value.to_text())
        };
        let line = |partition: documents::ComputerPartition| {
            let parameters = &partition.parameter_dict;
            (
                text(parameters, "instance_title"),
                text(parameters, "root_instance_title"),
                text(parameters, "a"),
                partition.requested_state.unwrap_or_default(),
            )
        };
        allocated.map(line).collect()
    }

    /// The forwarded requests that it remembers: (reference, master).
    pub(crate) fn forwarded(&self) -> Vec<(String, String)> {
        let database = Database::open(self.node.database()).unwrap();
        let sql = "SELECT partition_reference, master_url FROM forwarded_partition_request18 \
                   ORDER BY partition_reference";
        let mut statement = database.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(Result::unwrap).collect()
    }
}

pub(crate) fn computer() -> ComputerConfiguration {
    let partition = |number| PartitionConfiguration {
        reference: format!("slappart{number}"),
        address_list: vec![PartitionAddress {
            addr: format!("10.0.0.{number}"),
            netmask: Some("255.255.255.255".to_owned()),
        }],
        ..PartitionConfiguration::default()
    };
    ComputerConfiguration {
        reference: COMPUTER.to_owned(),
        address: Some("127.0.0.1".to_owned()),
        netmask: Some("255.255.255.255".to_owned()),
        partition_list: (0..4).map(partition).collect(),
        ..ComputerConfiguration::default()
    }
}

pub(crate) fn url(node: &Node) -> String {
    format!("http://127.0.0.1:{}/", node.master_port)
}

pub(crate) fn section(master: &str, keys: &str) -> String {
    format!("\n[multimaster/{master}]\n{keys}")
}

pub(crate) fn to_master(name: &str, master: &str) -> InstanceRequest {
    let mut request = InstanceRequest::new(OTHER, name).parameter("a", "b");
    request
        .filter
        .insert("master_url".to_owned(), master.into());
    request
}
