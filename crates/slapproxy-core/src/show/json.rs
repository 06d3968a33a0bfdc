//! Sections as one JSON object.

use serde_json::{Map, Value, json};

use super::Section;
use crate::survey::{Parameters, Partition, Survey, md5, parameters, slap_state};

/// The sections, a key each.
pub(super) fn render(survey: &Survey, sections: &[Section]) -> String {
    let entries = sections
        .iter()
        .map(|section| (name(*section).to_owned(), self::section(survey, *section)));
    let object: Map<_, _> = entries.collect();
    without_controls(&format!("{:#}\n", Value::Object(object)))
}

/// JSON whose texts cannot command a terminal: the control characters that JSON lets stand.
fn without_controls(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '\u{7f}'..='\u{9f}' => safe += &format!("\\u{:04x}", u32::from(character)),
            other => safe.push(other),
        }
    }
    safe
}

/// The word of the section's option.
fn name(section: Section) -> &'static str {
    match section {
        Section::Computers => "computers",
        Section::Software => "software",
        Section::Partitions => "partitions",
        Section::Slaves => "slaves",
        Section::Params => "params",
        Section::Network => "network",
        Section::Reports => "reports",
        Section::Unrequested => "unrequested",
    }
}

fn section(survey: &Survey, section: Section) -> Value {
    match section {
        Section::Computers => computers(survey),
        Section::Software => software(survey),
        Section::Partitions => survey.instances().map(partition).collect(),
        Section::Slaves => slaves(survey),
        Section::Params => survey.instances().map(params).collect(),
        Section::Network => survey.instances().map(network).collect(),
        Section::Reports => reports(survey),
        Section::Unrequested => unrequested(survey),
    }
}

fn computers(survey: &Survey) -> Value {
    let entries = survey.described().map(|row| {
        json!({
            "reference": row.reference,
            "address": row.address,
            "netmask": row.netmask,
        })
    });
    entries.collect()
}

fn software(survey: &Survey) -> Value {
    let entries = survey.releases().map(|release| {
        json!({
            "url": release.row.url,
            "computer_reference": release.computer,
            "requested_state": release.row.requested_state,
            "md5": md5(&release.row.url),
        })
    });
    entries.collect()
}

fn partition(partition: &Partition) -> Value {
    let row = &partition.row;
    json!({
        "reference": row.reference,
        "computer_reference": row.computer_reference,
        "slap_state": slap_state(row),
        "software_release": row.software_release,
        "software_type": row.software_type,
        "partition_reference": row.partition_reference,
        "requested_by": row.requested_by,
        "requester_id": row.requester_id,
        "requested_state": row.requested_state,
        "timestamp": row.timestamp,
    })
}

fn slaves(survey: &Survey) -> Value {
    let entries = survey.slaves().map(|slave| {
        json!({
            "reference": slave.row.reference,
            "computer_reference": slave.row.computer_reference,
            "hosted_by": slave.row.hosted_by,
            "requester_id": slave.row.requester_id,
            "parameters": texts(&slave.parameters),
            "connection": texts(&parameters(slave.row.connection_xml.as_deref())),
        })
    });
    entries.collect()
}

fn params(partition: &Partition) -> Value {
    let row = &partition.row;
    json!({
        "reference": row.reference,
        "computer_reference": row.computer_reference,
        "partition_reference": row.partition_reference,
        "software_type": row.software_type,
        "parameters": texts(&parameters(row.xml.as_deref())),
        "connection": texts(&parameters(row.connection_xml.as_deref())),
    })
}

/// Parameters as they are, an empty one as the empty text.
fn texts(parameters: &Parameters) -> Value {
    let texts = parameters
        .iter()
        .map(|(key, value)| (key.clone(), json!(value.as_deref().unwrap_or_default())));
    Value::Object(texts.collect())
}

fn network(partition: &Partition) -> Value {
    let addresses = partition.addresses.iter().map(|row| &row.address);
    json!({
        "reference": partition.row.reference,
        "computer_reference": partition.row.computer_reference,
        "addresses": addresses.collect::<Vec<_>>(),
    })
}

fn reports(survey: &Survey) -> Value {
    let entries = survey.reports().map(|(kind, computer, report)| {
        json!({
            "kind": kind,
            "computer_reference": computer,
            "subject": report.subject,
            "state": report.state,
            "time": report.time,
            "message": report.message,
        })
    });
    entries.collect()
}

fn unrequested(survey: &Survey) -> Value {
    let entries = survey.unrequested().map(|(partition, time)| {
        json!({
            "reference": partition.row.reference,
            "computer_reference": partition.row.computer_reference,
            "partition_reference": partition.row.partition_reference,
            "time": time,
        })
    });
    entries.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_the_same_and_cannot_command_the_terminal() {
        let value = json!({"a": "\u{1b}[2J \u{9b}2J \u{7f} é"});
        let text = without_controls(&value.to_string());
        assert!(!text.contains(char::is_control), "{text:?}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
