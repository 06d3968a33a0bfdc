//! The calls of the scenarios, as short as they can be written.

use slap_proto::calls::{
    LoadComputerConfigurationFromXml, Method, RequestComputerPartition,
    SetComputerPartitionConnectionXml,
};
use slap_proto::documents::{ComputerConfiguration, PartitionAddress, PartitionConfiguration};
use slap_proto::marshal::{Value, encode};
use slapos_tests::pair::Step;

/// The computer that the configuration names.
pub const COMPUTER: &str = slapos_tests::COMPUTER;
/// A release.
pub const RELEASE: &str = "http://release/software.cfg";

/// A GET with plain fields.
pub fn get(call: &str, fields: &[(&str, &str)]) -> Step {
    plain(Step::new(Method::Get, call), fields)
}

/// A POST with plain fields.
pub fn post(call: &str, fields: &[(&str, &str)]) -> Step {
    plain(Step::new(Method::Post, call), fields)
}

fn plain(step: Step, fields: &[(&str, &str)]) -> Step {
    fields
        .iter()
        .fold(step, |step, (name, value)| step.with(name, value))
}

/// A POST about a partition of [`COMPUTER`].
pub fn on(partition: &str, call: &str, fields: &[(&str, &str)]) -> Step {
    let named = [
        ("computer_id", COMPUTER),
        ("computer_partition_id", partition),
    ];
    post(call, &[&named[..], fields].concat())
}

/// The whole computer.
pub fn full(computer: &str) -> Step {
    get("getFullComputerInformation", &[("computer_id", computer)])
}

/// One partition of [`COMPUTER`].
pub fn register(partition: &str) -> Step {
    let fields = [
        ("computer_reference", COMPUTER),
        ("computer_partition_reference", partition),
    ];
    get("registerComputerPartition", &fields)
}

/// Formats a computer with partitions slappart0 and so on.
pub fn format(computer: &str, partitions: usize) -> Step {
    let partition = |number| PartitionConfiguration {
        reference: format!("slappart{number}"),
        path: Some(format!("/srv/slappart{number}")),
        user: Some(format!("slapuser{number}")),
        tap: Some(format!("slaptap{number}")),
        address_list: vec![
            PartitionAddress {
                addr: format!("10.0.0.{number}"),
                netmask: Some("255.255.255.255".to_owned()),
            },
            PartitionAddress {
                addr: format!("fd00::{number}"),
                netmask: None,
            },
        ],
        ..PartitionConfiguration::default()
    };
    Step::of(&LoadComputerConfigurationFromXml {
        configuration: ComputerConfiguration {
            reference: computer.to_owned(),
            address: Some("127.0.0.1".to_owned()),
            netmask: Some("255.0.0.0".to_owned()),
            partition_list: (0..partitions).map(partition).collect(),
            ..ComputerConfiguration::default()
        },
    })
}

/// A user's request for an instance of [`RELEASE`].
pub fn request(name: &str) -> Step {
    Step::of(&RequestComputerPartition {
        software_release: RELEASE.to_owned(),
        partition_reference: name.to_owned(),
        ..RequestComputerPartition::default()
    })
}

/// A marshal document.
pub fn document(value: &Value) -> String {
    encode(value).expect("the value of a test can be written")
}

/// A dictionary of texts as a document.
pub fn texts(entries: &[(&str, &str)]) -> String {
    let entries = entries
        .iter()
        .map(|(key, value)| (*key, Value::from(*value)));
    document(&Value::dict(entries))
}

/// What the steps of a request are refined by.
pub trait Refine {
    /// Parameters.
    fn parameters(self, entries: &[(&str, &str)]) -> Step;
    /// A filter.
    fn filter(self, entries: &[(&str, &str)]) -> Step;
    /// A wanted state.
    fn state(self, state: &str) -> Step;
    /// A slave instead of an instance.
    fn shared(self) -> Step;
}

impl Refine for Step {
    fn parameters(self, entries: &[(&str, &str)]) -> Step {
        self.with("partition_parameter_xml", texts(entries))
    }

    fn filter(self, entries: &[(&str, &str)]) -> Step {
        self.with("filter_xml", texts(entries))
    }

    fn state(self, state: &str) -> Step {
        self.with("state", document(&state.into()))
    }

    fn shared(self) -> Step {
        self.with("shared_xml", document(&true.into()))
    }
}

/// Publishes connection parameters of a partition of [`COMPUTER`].
pub fn publish(partition: &str, entries: &[(&str, &str)]) -> Step {
    let entries = entries.iter();
    Step::of(&SetComputerPartitionConnectionXml {
        computer_id: COMPUTER.to_owned(),
        computer_partition_id: partition.to_owned(),
        connection_dict: entries
            .map(|(key, value)| ((*key).to_owned(), (*value).into()))
            .collect(),
        slave_reference: None,
    })
}
