//! The documents that a search leads to, as forms: what clients want of one are its fields.

use std::fmt;

use serde_json::{Map, Value, json};
use slap_proto::documents::InstanceState;
use slap_proto::instance_xml;

use crate::MasterError;
use crate::master::{report, slave};
use crate::naming::{self, Found, Names, Shared};
use crate::storage::{PartitionRow, Records, ReportKind};

/// Path of a document, which is its key, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// An instance that is the root of a tree, by its title.
    Instance(String),
    /// A slave that is the root of a tree, by its title.
    Slave(String),
    /// A computer, by its reference.
    Computer(String),
}

/// Where the documents of each kind begin.
const INSTANCES: &str = "/hateoas/partitions/";
const SLAVES: &str = "/hateoas/shared/";
const COMPUTERS: &str = "/hateoas/computers/";

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance(title) => write!(formatter, "{INSTANCES}{title}"),
            Self::Slave(title) => write!(formatter, "{SLAVES}{title}"),
            Self::Computer(reference) => write!(formatter, "{COMPUTERS}{reference}"),
        }
    }
}

impl Key {
    pub(super) fn parse(text: &str) -> Result<Self, MasterError> {
        if let Some(title) = text.strip_prefix(INSTANCES) {
            Ok(Self::Instance(title.to_owned()))
        } else if let Some(title) = text.strip_prefix(SLAVES) {
            Ok(Self::Slave(title.to_owned()))
        } else if let Some(reference) = text.strip_prefix(COMPUTERS) {
            Ok(Self::Computer(reference.to_owned()))
        } else {
            Err(no_document(&text))
        }
    }
}

fn no_document(key: &dyn fmt::Display) -> MasterError {
    MasterError::NotFound(format!("there is no document {key}"))
}

/// The document of a key.
pub(super) fn read(records: &dyn Records, key: &Key) -> Result<Value, MasterError> {
    let title = match key {
        Key::Computer(reference) if records.has_computer(reference)? => {
            return Ok(computer(reference));
        }
        Key::Computer(_) => return Err(no_document(key)),
        Key::Instance(title) | Key::Slave(title) => title,
    };
    let names = Names {
        title: title.clone(),
        root: String::new(),
        shared: matches!(key, Key::Slave(_)),
    };
    match naming::look_up(records, &names)? {
        Some(Found::Instance(row)) => instance(records, row),
        Some(Found::Shared(shared)) => shared_instance(shared),
        None => Err(no_document(key)),
    }
}

fn computer(reference: &str) -> Value {
    let texts = [("reference", reference), ("title", reference)];
    form("Computer", texts.map(|(name, text)| (name, json!(text))))
}

fn instance(records: &dyn Records, row: PartitionRow) -> Result<Value, MasterError> {
    let title = row.partition_reference.clone().unwrap_or_default();
    let news = news(records, &title, &row)?;
    Ok(form(
        "Instance Tree",
        [
            ("reference", json!(title)),
            ("slap_state", json!(row.requested_state)),
            ("text_content", json!(row.xml)),
            ("connection_parameter_list", json!(row.connection_xml)),
            ("url_string", json!(row.software_release)),
            ("source_reference", json!(row.software_type)),
            ("root_slave", json!(0)),
            ("news", json!({"instance": news})),
        ],
    ))
}

/// What was reported last of each instance of a tree.
fn news(
    records: &dyn Records,
    title: &str,
    root: &PartitionRow,
) -> Result<Vec<Value>, MasterError> {
    let mut members = vec![root.clone()];
    members.extend(records.children(title)?);
    let mut news = Vec::new();
    for member in members {
        let computer = &member.computer_reference;
        let reported = records.report(ReportKind::Instance, computer, &member.reference)?;
        news.extend(reported.map(|reported| {
            json!({
                "title": member.partition_reference,
                "text": report::news(&reported),
                "created_at": reported.time,
            })
        }));
    }
    Ok(news)
}

fn shared_instance(shared: Shared) -> Result<Value, MasterError> {
    let xml = instance_xml::to_xml(&slave::parameters(&shared.entry))?;
    Ok(form(
        "Instance Tree",
        [
            ("reference", json!(shared.names.title)),
            ("slap_state", json!(InstanceState::Started.as_str())),
            ("text_content", json!(xml)),
            (
                "connection_parameter_list",
                json!(shared.slave.connection_xml),
            ),
            ("url_string", json!(shared.host.software_release)),
            (
                "source_reference",
                json!(slave::software_type(&shared.entry)),
            ),
            ("root_slave", json!(1)),
        ],
    ))
}

/// A form of a portal type: clients read fields of some types only, and take off `my_`.
fn form<const COUNT: usize>(portal_type: &str, fields: [(&str, Value); COUNT]) -> Value {
    let field = |name: &str, value: Value| {
        let kind = if value.is_number() {
            "IntegerField"
        } else {
            "StringField"
        };
        json!({"type": kind, "key": name, "default": value})
    };
    let mut view = Map::new();
    view.insert("form_id".to_owned(), field("form_id", json!("view")));
    for (name, value) in fields {
        view.insert(
            format!("my_{name}"),
            field(&format!("field_my_{name}"), value),
        );
    }
    json!({
        "_links": {"type": {"name": portal_type}},
        "_embedded": {"_view": view},
    })
}
