//! The instance document against those that the peer wrote and read.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use std::collections::BTreeMap;

use serde_json::Value as Json;
use slap_proto::documents::Attributes;
use slap_proto::instance_xml::{from_xml, to_xml};
use slap_proto::marshal::Value;

fn recorded() -> Json {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/corpus/marshal/_dict2xml.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn attributes<const N: usize>(entries: [(&str, Value); N]) -> Attributes {
    entries
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

#[test]
fn documents_are_written_as_the_peer_writes_them() {
    let one = |value| attributes([("a", value)]);
    let inner = Value::dict([("b", Value::from("é"))]);
    let table = [
        ("simple", one("1".into())),
        ("none", one(Value::None)),
        ("int", one(Value::from(5))),
        ("float", one(Value::Float(1.5))),
        ("bool", one(true.into())),
        ("list", one(Value::list(vec![Value::from(1), "b".into()]))),
        ("dict", one(inner)),
        ("empty_str", one("".into())),
        ("nl", one("l1\nl2\n".into())),
        ("cr", one("a\rb".into())),
        ("special", attributes([("<k&\"", "<v&\">'".into())])),
        ("unicode", attributes([("é", "😀".into())])),
        (
            "order",
            attributes([
                ("b", "1".into()),
                ("a", "2".into()),
                ("B", "3".into()),
                ("_", "4".into()),
            ]),
        ),
        ("empty", attributes([])),
        ("ws", one("  x  ".into())),
    ];
    let recorded = recorded();
    for (name, parameters) in table {
        let expected = recorded[name]["xml"].as_str().unwrap();
        assert_eq!(to_xml(&parameters).unwrap(), expected, "{name}");
    }
}

#[test]
fn every_recorded_document_is_read() {
    for (name, case) in recorded().as_object().unwrap() {
        if let Some(xml) = case["xml"].as_str() {
            assert!(from_xml(xml).is_ok(), "{name}");
        }
    }
}

#[test]
fn empty_repeated_and_nested_parameters() {
    let read = |xml| from_xml(xml).unwrap();
    let expected = |text: Option<&str>| BTreeMap::from([("a".to_owned(), text.map(str::to_owned))]);
    let table = [
        ("<instance><parameter id='a'/></instance>", None),
        (
            "<instance><parameter id='a'>1</parameter><parameter id='a'>2</parameter></instance>",
            Some("1 2"),
        ),
        (
            "<instance><parameter id='a'>1<b>2</b></parameter></instance>",
            Some("1"),
        ),
        (
            "<instance><parameter id='a'><![CDATA[<1>]]></parameter></instance>",
            Some("<1>"),
        ),
        (
            "<instance><!-- c -->\n<parameter id='a'>1</parameter></instance>\n",
            Some("1"),
        ),
    ];
    for (xml, text) in table {
        assert_eq!(read(xml), expected(text), "{xml}");
    }
    assert!(read("").is_empty());
    assert!(read("<instance><x><parameter id='a'>1</parameter></x></instance>").is_empty());
}

#[test]
fn what_is_no_instance_document_is_refused_with_the_reason() {
    let table = [
        ("<instance>x</instance>", "text outside of parameters"),
        ("<instance/><instance/>", "more than one root"),
        ("<instance/>x", "text outside of parameters"),
        ("<html/>", "no instance"),
        ("plain text", "text outside of parameters"),
        ("<!-- nothing -->", "no element"),
        ("<instance><parameter id='a'>", "ends inside"),
        (
            "<instance><parameter>1</parameter></instance>",
            "without id",
        ),
        (
            "<instance><parameter id='a'>&x;</parameter></instance>",
            "entity",
        ),
        ("<!DOCTYPE a><instance/>", "document type"),
        ("<instance></other>", "byte"),
    ];
    for (xml, reason) in table {
        let message = from_xml(xml).unwrap_err().to_string();
        assert!(message.contains(reason), "{xml}: {message}");
    }
    let control = attributes([("a", "\u{1}".into())]);
    assert!(to_xml(&control).is_err(), "XML has no such character");
}
