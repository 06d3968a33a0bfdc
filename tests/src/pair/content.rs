//! Answers and databases as values, and what differs between two of them.

use std::fmt;

use slap_proto::marshal::{Class, Dict, Object, Value, decode};

use super::clock::Clock;

/// One place at which two masters differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    /// The keys that lead there.
    pub(super) path: String,
    pub(super) ours: String,
    pub(super) theirs: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, ours, theirs } = self;
        write!(f, "{path}: ours {ours}, theirs {theirs}")
    }
}

/// An answer as a value: its status, and what the body stands for. Error pages are for people.
pub(super) fn answer(status: u16, body: &[u8], address: &str, clock: &Clock) -> Value {
    let content = match decode(body) {
        _ if body.starts_with(b"{") => json(status, body, address),
        _ if status != 200 => Value::None,
        Ok(value) => documents(value, clock),
        Err(_) => String::from_utf8_lossy(body).into_owned().into(),
    };
    Value::dict([("status", Value::Int(status.into())), ("body", content)])
}

/// A JSON document without what tells the masters apart by its nature: their address and their
/// clock. What is listed is in no order, and of what is wrong only the kind counts.
fn json(status: u16, body: &[u8], address: &str) -> Value {
    const LIST: &str = "result_list";
    const TIME: &str = "processing_timestamp";
    let text = String::from_utf8_lossy(body).replace(address, "MASTER");
    let document = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let Value::Dict(dict) = &document else {
        return document;
    };
    if status != 200 {
        return dict.get("type").cloned().unwrap_or(Value::None);
    }
    let mut dict = Dict::clone(dict);
    if let Some(time) = dict.get(TIME) {
        let token = if time.is_truthy() { "set" } else { "none" };
        dict.insert(TIME, token.into());
    }
    if let Some(Value::List(items)) = dict.get(LIST) {
        let mut items = items.to_vec();
        items.sort_by_key(Value::to_text);
        dict.insert(LIST, Value::list(items));
    }
    Value::Dict(dict.into())
}

/// The value with every timestamp as whether it is the stored one.
fn documents(value: Value, clock: &Clock) -> Value {
    match value {
        Value::List(items) => {
            let items = items.iter().cloned();
            Value::list(items.map(|item| documents(item, clock)).collect())
        }
        Value::Object(object) => {
            let mut state = Dict::default();
            for (key, value) in object.state.iter() {
                state.insert(key.clone(), documents(value.clone(), clock));
            }
            if let Some(name) = partition(&object) {
                let parameters = state.get("_parameter_dict").and_then(Value::as_dict);
                if let Some(mut parameters) = parameters.cloned()
                    && let Some(timestamp) = parameters.get("timestamp").cloned()
                {
                    let token = clock.told(&name, &timestamp.to_text());
                    parameters.insert("timestamp", token.into());
                    state.insert("_parameter_dict", Value::Dict(parameters.into()));
                }
            }
            Value::Object(
                Object {
                    class: object.class,
                    initargs: object.initargs.clone(),
                    state,
                }
                .into(),
            )
        }
        other => other,
    }
}

/// Computer and partition that an object is about.
fn partition(object: &Object) -> Option<String> {
    let (computer, partition) = match object.class {
        Class::ComputerPartition => ("_computer_id", "_partition_id"),
        Class::SoftwareInstance => ("slap_computer_id", "slap_computer_partition_id"),
        Class::Computer | Class::SoftwareRelease => return None,
    };
    let text = |name: &str| Some(object.state.get(name)?.to_text());
    Some(format!("{}/{}", text(computer)?, text(partition)?))
}

/// Every place below `path` where two values differ.
pub(super) fn differences(path: &str, ours: &Value, theirs: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    collect(path, Some(ours), Some(theirs), &mut found);
    found
}

fn collect(path: &str, ours: Option<&Value>, theirs: Option<&Value>, found: &mut Vec<Difference>) {
    match (ours, theirs) {
        (Some(Value::Dict(ours)), Some(Value::Dict(theirs))) => entries(path, ours, theirs, found),
        (Some(Value::Object(ours)), Some(Value::Object(theirs))) if ours.class == theirs.class => {
            entries(path, &ours.state, &theirs.state, found);
            let arguments = |object: &Object| Value::Tuple(object.initargs.clone());
            let path = format!("{path}.initargs");
            collect(
                &path,
                Some(&arguments(ours)),
                Some(&arguments(theirs)),
                found,
            );
        }
        (Some(Value::List(ours)), Some(Value::List(theirs))) if is_slaves(ours, theirs) => {
            entries(path, &by_reference(ours), &by_reference(theirs), found);
        }
        (Some(Value::List(ours)), Some(Value::List(theirs))) if ours.len() == theirs.len() => {
            for (index, (ours, theirs)) in ours.iter().zip(theirs.iter()).enumerate() {
                collect(&format!("{path}.{index}"), Some(ours), Some(theirs), found);
            }
        }
        (ours, theirs) if ours == theirs => {}
        (ours, theirs) => found.push(Difference {
            path: path.to_owned(),
            ours: show(ours),
            theirs: show(theirs),
        }),
    }
}

/// The key of a slave's name; the order of slaves says nothing.
const SLAVE: &str = "slave_reference";

fn is_slaves(ours: &[Value], theirs: &[Value]) -> bool {
    let mut items = ours.iter().chain(theirs);
    items.all(|item| item.as_dict().is_some_and(|dict| dict.get(SLAVE).is_some()))
}

/// Slaves by their reference.
fn by_reference(slaves: &[Value]) -> Dict {
    let name = |slave: &Value| slave.as_dict()?.get(SLAVE)?.as_str().map(str::to_owned);
    let named = slaves.iter();
    named
        .filter_map(|slave| Some((name(slave)?, slave.clone())))
        .collect()
}

fn entries(path: &str, ours: &Dict, theirs: &Dict, found: &mut Vec<Difference>) {
    let mut keys: Vec<_> = [ours, theirs]
        .iter()
        .flat_map(|dict| dict.iter())
        .map(|(key, _)| key.to_text())
        .collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        collect(
            &format!("{path}.{key}"),
            ours.get(&key),
            theirs.get(&key),
            found,
        );
    }
}

/// A value as the table of differences writes it.
fn show(value: Option<&Value>) -> String {
    match value {
        None => "(absent)".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::None) => "(none)".to_owned(),
        Some(other) => other.to_text(),
    }
}
