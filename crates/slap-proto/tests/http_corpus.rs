//! Requests and answers that both generations of the peer exchanged.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails loudly")]

use std::fs;
use std::path::Path;

use slap_proto::calls::{
    Call, Fields, LoadComputerConfigurationFromXml, RequestComputerPartition,
    SetComputerPartitionConnectionXml, SupplySupply, UpdateComputerPartitionRelatedInstanceList,
};
use slap_proto::documents::{Computer, ComputerPartition, SoftwareInstance};
use slap_proto::marshal::{Value, encode};

struct Exchange {
    name: String,
    request: Vec<u8>,
    response: Vec<u8>,
}

/// The bodies of all exchanges of a call.
fn exchanges(endpoint: &str) -> Vec<Exchange> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/http");
    let mut exchanges = Vec::new();
    for entry in fs::read_dir(corpus).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name.split('-').nth(1) != Some(endpoint) {
            continue;
        }
        let body = |file: &str| {
            let bytes = fs::read(entry.path().join(file)).unwrap();
            let end = b"\r\n\r\n";
            let at = bytes
                .windows(end.len())
                .position(|window| window == end)
                .unwrap();
            bytes[at + end.len()..].to_vec()
        };
        exchanges.push(Exchange {
            name,
            request: body("request.txt"),
            response: body("response.txt"),
        });
    }
    assert!(
        exchanges.len() > 5,
        "only {} exchanges of {endpoint}",
        exchanges.len()
    );
    exchanges
}

/// Whether the newer generation answered, whose bytes we write, too.
fn is_of_today(name: &str) -> bool {
    !name.contains("--v027")
}

#[test]
fn every_computer_is_read_and_those_of_today_are_written_again_byte_for_byte() {
    for exchange in exchanges("getFullComputerInformation") {
        let computer = Computer::from_document(&exchange.response)
            .unwrap_or_else(|error| panic!("{}: {error:?}", exchange.name));
        for partition in &computer.computer_partition_list {
            assert_eq!(
                partition.need_modification,
                !partition.is_free(),
                "{}",
                exchange.name
            );
        }
        if is_of_today(&exchange.name) {
            let expected = String::from_utf8(exchange.response).unwrap();
            assert_eq!(encode(&computer.to_value()).unwrap(), expected);
            let mut bare = computer.clone();
            let partitions = std::mem::take(&mut bare.computer_partition_list);
            let streamed = bare.to_document_with(partitions.into_iter());
            assert_eq!(streamed.unwrap(), expected);
            assert_eq!(
                computer.to_document().unwrap(),
                expected,
                "{}",
                exchange.name
            );
        }
    }
}

#[test]
fn every_partition_is_read_and_those_of_today_are_written_again_byte_for_byte() {
    for exchange in exchanges("registerComputerPartition") {
        let partition = ComputerPartition::from_document(&exchange.response)
            .unwrap_or_else(|error| panic!("{}: {error:?}", exchange.name));
        if is_of_today(&exchange.name) {
            let expected = String::from_utf8(exchange.response).unwrap();
            assert_eq!(encode(&partition.to_value()).unwrap(), expected);
            assert_eq!(
                partition.to_document().unwrap(),
                expected,
                "{}",
                exchange.name
            );
        }
    }
}

#[test]
fn every_answer_to_a_request_is_read() {
    // For a frontend, the peer's proxy answers with a partition that it makes up.
    for exchange in exchanges("requestComputerPartition") {
        let instance = SoftwareInstance::from_document(&exchange.response)
            .unwrap_or_else(|error| panic!("{}: {error:?}", exchange.name));
        assert!(instance.partition_id.is_some(), "{}", exchange.name);
        assert!(instance.computer_id.is_some(), "{}", exchange.name);
        let written = instance.to_document().unwrap();
        assert_eq!(encode(&instance.to_value()).unwrap(), written);
    }
}

/// Reads the form of each exchange, and reads again what is written of it.
fn forms_survive<C: Call>() {
    // 0.27 took any state of a release; ours are refused by name.
    let known = |exchange: &Exchange| !exchange.name.ends_with("-supply-badstate");
    for exchange in exchanges(C::ENDPOINT).into_iter().filter(known) {
        let fields = Fields::from_urlencoded(&exchange.request).unwrap();
        let call =
            C::from_fields(&fields).unwrap_or_else(|error| panic!("{}: {error}", exchange.name));
        let written = call.to_fields().unwrap();
        let read = Fields::from_urlencoded(written.to_urlencoded().as_bytes()).unwrap();
        let again = C::from_fields(&read).unwrap();
        assert_eq!(again.to_fields().unwrap(), written, "{}", exchange.name);
    }
}

#[test]
fn every_form_is_read() {
    forms_survive::<LoadComputerConfigurationFromXml>();
    forms_survive::<SetComputerPartitionConnectionXml>();
    forms_survive::<SupplySupply>();
    forms_survive::<UpdateComputerPartitionRelatedInstanceList>();
    forms_survive::<RequestComputerPartition>();
}

#[test]
fn a_request_of_today_is_written_as_the_peer_writes_it() {
    let exchanges = exchanges("requestComputerPartition");
    let exchange = exchanges
        .iter()
        .find(|exchange| exchange.name.ends_with("--030-request"))
        .unwrap();
    let fields = Fields::from_urlencoded(&exchange.request).unwrap();
    let call = RequestComputerPartition::from_fields(&fields).unwrap();
    assert_eq!(call.to_fields().unwrap(), fields);
}

#[test]
fn partitions_that_are_made_one_after_the_other_are_written_as_those_of_a_whole_computer() {
    let partition = |number: usize| ComputerPartition {
        partition_id: format!("slappart{number}"),
        need_modification: true,
        parameter_dict: (0..5)
            .map(|key| (format!("list{key}"), Value::list(vec!["a".into(); number])))
            .collect(),
        ..ComputerPartition::default()
    };
    for count in [0, 1, 50] {
        let bare = Computer {
            computer_id: "COMP-1".to_owned(),
            ..Computer::default()
        };
        let mut whole = bare.clone();
        whole.computer_partition_list = (0..count).map(partition).collect();
        let streamed = bare.to_document_with((0..count).map(partition)).unwrap();
        assert_eq!(streamed, whole.to_document().unwrap());
        assert_eq!(Computer::from_document(streamed.as_bytes()).unwrap(), whole);
    }
}
