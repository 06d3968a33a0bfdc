//! The requests, whole as they go over the wire.

use slap_proto::calls::{
    Call, DestroyedComputerPartition, GetFullComputerInformation, GetRunId,
    LoadComputerConfigurationFromXml, Method, RegisterComputerPartition, RequestComputerPartition,
    SetComputerPartitionConnectionXml,
};
use slap_proto::documents::{
    Attributes, ComputerConfiguration, PartitionAddress, PartitionConfiguration,
};
use slap_proto::marshal::EncodeError;

/// The computer that the masters know.
pub(super) const COMPUTER: &str = "COMP-BENCH";

fn reference(partition: usize) -> String {
    format!("slappart{partition}")
}

/// A call as a request that keeps the connection. What this module makes can be written.
fn request(call: &impl Call) -> Vec<u8> {
    let fields = call.to_fields().map(|fields| fields.to_urlencoded());
    let form = fields.unwrap_or_else(|error: EncodeError| error.to_string());
    wire(call, &form)
}

fn wire<C: Call>(_: &C, form: &str) -> Vec<u8> {
    let endpoint = C::ENDPOINT;
    let text = match C::METHOD {
        Method::Get => format!("GET /{endpoint}?{form} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        Method::Post => format!(
            "POST /{endpoint} HTTP/1.1\r\nHost: localhost\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{form}",
            form.len()
        ),
    };
    text.into_bytes()
}

/// What any master answers at once.
pub(super) fn run_id() -> Vec<u8> {
    request(&GetRunId {})
}

/// Gives the computer that many partitions.
pub(super) fn format(partitions: usize) -> Vec<u8> {
    let partition = |number| PartitionConfiguration {
        reference: reference(number),
        tap: Some(format!("slaptap{number}")),
        address_list: vec![
            PartitionAddress {
                addr: format!("10.0.{}.{}", number / 256, number % 256),
                netmask: Some("255.255.255.255".to_owned()),
            },
            PartitionAddress {
                addr: format!("fd00::{number:x}"),
                netmask: Some("ffff:ffff:ffff::".to_owned()),
            },
        ],
        ..PartitionConfiguration::default()
    };
    request(&LoadComputerConfigurationFromXml {
        configuration: ComputerConfiguration {
            reference: COMPUTER.to_owned(),
            partition_list: (0..partitions).map(partition).collect(),
            ..ComputerConfiguration::default()
        },
    })
}

/// The whole computer.
pub(super) fn full() -> Vec<u8> {
    request(&GetFullComputerInformation {
        computer_id: COMPUTER.to_owned(),
    })
}

/// One partition.
pub(super) fn register(partition: usize) -> Vec<u8> {
    request(&RegisterComputerPartition {
        computer_reference: COMPUTER.to_owned(),
        computer_partition_reference: reference(partition),
    })
}

/// An instance by its number; another value changes it.
pub(super) fn instance(number: usize, value: &str) -> Vec<u8> {
    named_instance(&format!("instance-{number}"), value)
}

/// An instance by its name; another value changes it.
pub(super) fn named_instance(name: &str, value: &str) -> Vec<u8> {
    request(&RequestComputerPartition {
        software_release: "http://release.example/software.cfg".to_owned(),
        partition_reference: name.to_owned(),
        partition_parameter_dict: parameters(value),
        ..RequestComputerPartition::default()
    })
}

/// Connection parameters of a partition; another value changes them.
pub(super) fn publish(partition: usize, value: &str) -> Vec<u8> {
    request(&SetComputerPartitionConnectionXml {
        computer_id: COMPUTER.to_owned(),
        computer_partition_id: reference(partition),
        connection_dict: parameters(value),
        slave_reference: None,
    })
}

/// Frees a partition.
pub(super) fn free(partition: usize) -> Vec<u8> {
    request(&DestroyedComputerPartition {
        computer_id: COMPUTER.to_owned(),
        computer_partition_id: reference(partition),
    })
}

/// As many parameters as a small instance has.
fn parameters(value: &str) -> Attributes {
    let fixed = [
        ("url", "https://[fd00::1]:8443/"),
        ("user", "admin"),
        ("backend", "postgresql://[fd00::1]:5432/db"),
    ];
    let named = fixed.into_iter().chain([("value", value)]);
    named
        .map(|(name, text)| (name.to_owned(), text.into()))
        .collect()
}
