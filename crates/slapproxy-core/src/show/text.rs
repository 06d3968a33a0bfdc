//! Sections as tables and lines.

use jiff::Timestamp;

use super::Section;
use super::table::{Table, one_line};
use crate::survey::{Partition, Survey, md5, parameters, slap_state};

/// Sections with a blank line between two.
pub(super) fn render(survey: &Survey, sections: &[Section]) -> String {
    let sections: Vec<_> = sections
        .iter()
        .map(|section| self::section(survey, *section))
        .collect();
    sections.join("\n")
}

fn section(survey: &Survey, section: Section) -> String {
    match section {
        Section::Computers => computers(survey),
        Section::Software => software(survey),
        Section::Partitions => partitions(survey),
        Section::Slaves => slaves(survey),
        Section::Params => survey.partitions().map(published).collect(),
        Section::Network => survey.instances().map(network).collect(),
        Section::Reports => reports(survey),
        Section::Unrequested => unrequested(survey),
    }
}

fn computers(survey: &Survey) -> String {
    let mut table = Table::new("computer18", &[], &["reference", "address", "netmask"]);
    for row in survey.described() {
        table.row([
            Some(row.reference.as_str()),
            row.address.as_deref(),
            row.netmask.as_deref(),
        ]);
    }
    table.render()
}

fn software(survey: &Survey) -> String {
    let columns = ["url", "computer_reference", "requested_state", "md5"];
    let mut table = Table::new("software18", &[], &columns);
    for release in survey.releases() {
        table.row([
            Some(release.row.url.as_str()),
            Some(&release.computer),
            Some(&release.row.requested_state),
            Some(&md5(&release.row.url)),
        ]);
    }
    table.render()
}

fn partitions(survey: &Survey) -> String {
    const COLUMNS: [&str; 10] = [
        "reference",
        "computer_reference",
        "slap_state",
        "software_release",
        "software_type",
        "partition_reference",
        "requested_by",
        "requester_id",
        "requested_state",
        "timestamp",
    ];
    const SKIPPED: &[&str] = &["xml", "connection_xml", "slave_instance_list"];
    let mut table = Table::new("partition18", SKIPPED, &COLUMNS);
    for Partition { row, .. } in survey.instances() {
        let timestamp = row.timestamp.map(|time| format!("{time:?}"));
        table.row([
            Some(row.reference.as_str()),
            Some(&row.computer_reference),
            Some(slap_state(row)),
            row.software_release.as_deref(),
            row.software_type.as_deref(),
            row.partition_reference.as_deref(),
            Some(&row.requested_by),
            Some(&row.requester_id),
            Some(&row.requested_state),
            timestamp.as_deref(),
        ]);
    }
    table.render()
}

fn slaves(survey: &Survey) -> String {
    let columns = [
        "reference",
        "computer_reference",
        "hosted_by",
        "requester_id",
    ];
    let mut table = Table::new("slave18", &["connection_xml"], &columns);
    for slave in survey.slaves() {
        let row = &slave.row;
        table.row([
            Some(row.reference.as_str()),
            Some(&row.computer_reference),
            Some(&row.hosted_by),
            Some(&row.requester_id),
        ]);
    }
    table.render()
}

/// What an instance published, a parameter a line.
fn published(partition: &Partition) -> String {
    let row = &partition.row;
    let published = parameters(row.connection_xml.as_deref());
    if published.is_empty() {
        return String::new();
    }
    let name = |name: &Option<String>| one_line(name.as_deref().unwrap_or("-"));
    let mut text = format!(
        "{}: {} (type {})\n",
        one_line(&row.reference),
        name(&row.partition_reference),
        name(&row.software_type)
    );
    for (key, value) in &published {
        let value = readable(key, value.as_deref().unwrap_or_default());
        let line = format!("    {} = {value}", one_line(key));
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// A published text: JSON one entry a line, keys of SSH without their middle.
fn readable(key: &str, value: &str) -> String {
    let text = match key {
        "_" => serde_json::from_str(value).map_or_else(
            |_| value.to_owned(),
            |json: serde_json::Value| format!("{json:#}"),
        ),
        "ssh-key" | "ssh-public-key" => without_middle(value),
        _ => value.to_owned(),
    };
    text.replace('\n', "\n    ")
}

/// The first and the last twenty characters.
fn without_middle(text: &str) -> String {
    let count = text.chars().count();
    if count <= 40 {
        return text.to_owned();
    }
    let start: String = text.chars().take(20).collect();
    let end: String = text.chars().skip(count - 20).collect();
    format!("{start}...{end}")
}

fn network(partition: &Partition) -> String {
    if partition.addresses.is_empty() {
        return String::new();
    }
    let addresses: Vec<_> = partition
        .addresses
        .iter()
        .map(|row| row.address.as_str())
        .collect();
    let line = format!("{}: {}", partition.row.reference, addresses.join(", "));
    one_line(&line) + "\n"
}

fn reports(survey: &Survey) -> String {
    let columns = [
        "kind",
        "computer_reference",
        "subject",
        "state",
        "time",
        "message",
    ];
    let mut table = Table::new("report18", &[], &columns);
    for (kind, computer, report) in survey.reports() {
        let last = report.message.trim_end().lines().next_back();
        table.row([
            Some(kind),
            Some(computer),
            Some(&report.subject),
            Some(&report.state),
            Some(&time(report.time)),
            Some(last.unwrap_or_default()),
        ]);
    }
    table.render()
}

fn unrequested(survey: &Survey) -> String {
    let columns = [
        "reference",
        "computer_reference",
        "partition_reference",
        "time",
    ];
    let mut table = Table::new("unrequested18", &[], &columns);
    for (Partition { row, .. }, since) in survey.unrequested() {
        table.row([
            Some(row.reference.as_str()),
            Some(&row.computer_reference),
            row.partition_reference.as_deref(),
            Some(&time(since)),
        ]);
    }
    table.render()
}

fn time(seconds: f64) -> String {
    // The cast saturates; what is out of range is shown as the number that it is.
    let time = Timestamp::from_second(seconds.floor() as i64);
    time.map_or_else(|_| seconds.to_string(), |time| time.to_string())
}
