//! The codec against documents that the real `xml_marshaller` wrote or was given.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;
use slap_proto::marshal::{Class, Dict, Object, Value, decode, encode};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/marshal")
}

fn read_json(name: &str) -> Json {
    let path = corpus().join(name);
    let text = fs::read(&path).unwrap();
    let mut reader = serde_json::Deserializer::from_slice(&text);
    // One description is nested deeper than the reader's default.
    reader.disable_recursion_limit();
    serde::Deserialize::deserialize(&mut reader).unwrap()
}

/// Builds values from the corpus's descriptions; containers are numbered so that `$ref` finds them.
#[derive(Default)]
struct Builder {
    containers: BTreeMap<u64, Value>,
}

impl Builder {
    /// `None` for a value that is unlike any of ours (bytes, cycles, complex numbers).
    fn value(&mut self, json: &Json) -> Option<Value> {
        Some(match json {
            Json::Null => Value::None,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => Value::Int(number.to_string().parse().ok()?),
            Json::String(text) => Value::from(text.as_str()),
            Json::Array(_) => return None,
            Json::Object(object) => return self.tagged(object),
        })
    }

    fn items(&mut self, json: &Json) -> Option<Vec<Value>> {
        json.as_array()?
            .iter()
            .map(|item| self.value(item))
            .collect()
    }

    fn entries(&mut self, json: &Json) -> Option<Dict> {
        let mut dict = Dict::default();
        for pair in json.as_array()? {
            let key = self.value(&pair[0])?;
            dict.insert(key, self.value(&pair[1])?);
        }
        Some(dict)
    }

    fn tagged(&mut self, object: &serde_json::Map<String, Json>) -> Option<Value> {
        if let Some(text) = object.get("$float") {
            return Some(Value::Float(text.as_str()?.parse().ok()?));
        }
        if let Some(text) = object.get("$int") {
            return Some(Value::Int(text.as_str()?.parse().ok()?));
        }
        if let Some(items) = object.get("$tuple") {
            return Some(Value::Tuple(self.items(items)?));
        }
        if let Some(items) = object.get("$set") {
            return Some(Value::Set(Arc::new(self.items(items)?)));
        }
        if let Some(number) = object.get("$ref") {
            return self.containers.get(&number.as_u64()?).cloned();
        }
        let (number, value) = if let Some(number) = object.get("$list#") {
            (number, Value::list(self.items(&object["items"])?))
        } else if let Some(number) = object.get("$dict#") {
            (
                number,
                Value::Dict(Arc::new(self.entries(&object["items"])?)),
            )
        } else {
            return None;
        };
        self.containers.insert(number.as_u64()?, value.clone());
        Some(value)
    }
}

#[test]
fn every_recorded_document_is_read_and_written_again_byte_for_byte() {
    let mut count = 0;
    for entry in fs::read_dir(corpus()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "xml") {
            continue;
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let document = fs::read_to_string(&path).unwrap();
        let value = match decode(document.as_bytes()) {
            Ok(value) => value,
            Err(error)
                if ["complex", "cycle", "obj_SoftwareInstance_empty"]
                    .iter()
                    .any(|part| name.contains(part)) =>
            {
                println!("{name} is refused by design: {error}");
                continue;
            }
            Err(error) => panic!("{name}: {error}"),
        };
        assert_eq!(
            encode(&value).unwrap(),
            document.trim_end_matches('\n'),
            "{name}"
        );
        count += 1;
    }
    assert!(count > 80, "only {count} documents");
}

#[test]
fn every_recorded_document_means_what_its_description_says() {
    let mut count = 0;
    for entry in fs::read_dir(corpus()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let xml = path.with_extension("xml");
        if !name.ends_with(".json") || !xml.exists() {
            continue;
        }
        let description = read_json(&name);
        let Some(expected) = Builder::default().value(&description["value"]) else {
            continue;
        };
        let document = fs::read(&xml).unwrap();
        let value = decode(&document).unwrap_or_else(|error| panic!("{name}: {error}"));
        // NaN is the one value unlike itself; its text tells it.
        assert!(
            value == expected || value.to_text() == expected.to_text(),
            "{name}: {value:?}"
        );
        count += 1;
    }
    assert!(count > 60, "only {count} descriptions");
}

/// Inputs of which we make something else than the peer does, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "ref_self",
        "a value that contains itself has no use here and no end",
    ),
    (
        "ref_to_object",
        "the peer yields an empty placeholder, we the object",
    ),
    (
        "int_unicode_digits",
        "digits of other scripts are no numbers of the protocol",
    ),
    ("string_pi", "processing instructions are refused"),
    ("complex", "complex numbers are refused"),
    (
        "stray_text",
        "text between elements is refused rather than lost",
    ),
    ("dtd_entity", "document types are refused"),
    ("dtd_external", "document types are refused"),
    (
        "obj_bad_args",
        "the arguments are the reader's matter, not the codec's",
    ),
    ("obj_set_dunder", "attributes are data here, not Python's"),
];

#[test]
fn hand_made_inputs_are_accepted_and_refused_as_by_the_peer() {
    let table = read_json("_loads_accept_reject.json");
    for (name, case) in table.as_object().unwrap() {
        if DIFFERENCES.iter().any(|(different, _)| different == name) {
            continue;
        }
        let document = input(case["xml"].as_str().unwrap());
        let outcome = decode(&document);
        match case.get("error") {
            Some(error) => assert!(
                outcome.is_err(),
                "{name}: the peer says {error}, we {outcome:?}"
            ),
            None => {
                let value = outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
                if let Some(expected) = Builder::default().value(&case["result"]) {
                    assert!(
                        value == expected || value.to_text() == expected.to_text(),
                        "{name}: {value:?}"
                    );
                }
            }
        }
    }
}

/// The table holds text, or the Python literal of bytes.
fn input(text: &str) -> Vec<u8> {
    let Some(literal) = text
        .strip_prefix("b'")
        .and_then(|rest| rest.strip_suffix('\''))
    else {
        return text.as_bytes().to_vec();
    };
    let mut bytes = Vec::new();
    let mut rest = literal;
    while let Some(character) = rest.chars().next() {
        if let Some(hexadecimal) = rest.strip_prefix("\\x") {
            bytes.push(u8::from_str_radix(&hexadecimal[..2], 16).unwrap());
            rest = &hexadecimal[2..];
        } else {
            bytes.push(u8::try_from(character).unwrap());
            rest = &rest[1..];
        }
    }
    bytes
}

#[test]
fn the_differences_are_as_described() {
    let table = read_json("_loads_accept_reject.json");
    let refused = |name: &str| decode(table[name]["xml"].as_str().unwrap().as_bytes()).is_err();
    for (name, _) in DIFFERENCES {
        let accepted = ["ref_to_object", "obj_bad_args", "obj_set_dunder"].contains(name);
        assert_eq!(refused(name), !accepted, "{name}");
    }
}

#[test]
fn a_reference_to_an_object_is_the_object() {
    let document = r#"<marshal><list><object id="i3" module="slapos.slap.slap" class="SoftwareRelease"><tuple><string>u</string><string>c</string></tuple><dictionary/></object><reference id="i3"/></list></marshal>"#;
    let value = decode(document.as_bytes()).unwrap();
    let [Value::Object(first), Value::Object(second)] = value.as_list().unwrap() else {
        panic!("{value:?}");
    };
    assert!(Arc::ptr_eq(first, second));
    let expected = Object {
        class: Class::SoftwareRelease,
        initargs: vec![Value::from("u"), Value::from("c")],
        state: Dict::default(),
    };
    assert_eq!(**second, expected);
}
