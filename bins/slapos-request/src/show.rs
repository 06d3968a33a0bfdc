//! An instance, shown to people and programs.

use serde_json::{Map, Value as Json, json};
use slap_client::proto::documents::{Attributes, SoftwareInstance};
use slapos_cli::printable;

/// A few lines for people.
pub(crate) fn text(instance: &SoftwareInstance) -> String {
    let shown = |text: &Option<String>| text.as_deref().unwrap_or("unknown").to_owned();
    let mut lines = format!(
        "State: {}\nPartition: {} of {}\n",
        shown(&instance.requested_state),
        shown(&instance.partition_id),
        shown(&instance.computer_id),
    );
    if instance.connection_dict.is_empty() {
        lines += "Connection parameters: none yet; run this again later\n";
        return lines;
    }
    lines += "Connection parameters:\n";
    let width = instance
        .connection_dict
        .keys()
        .map(|key| key.chars().count())
        .max()
        .unwrap_or(0);
    let indent = " ".repeat(width + 4);
    for (key, value) in &instance.connection_dict {
        let (key, value) = (printable(key, ""), value.to_text());
        lines += &format!("  {key:width$}  {}\n", printable(&value, &indent));
    }
    lines
}

/// One JSON object for programs.
pub(crate) fn json(instance: &SoftwareInstance) -> String {
    let object = json!({
        "state": instance.requested_state,
        "computer_id": instance.computer_id,
        "partition_id": instance.partition_id,
        "instance_guid": instance.instance_guid,
        "software_release": instance.software_release_url,
        "software_type": instance.software_type,
        "parameters": texts(&instance.parameter_dict),
        "connection_parameters": texts(&instance.connection_dict),
    });
    format!("{object:#}\n")
}

fn texts(attributes: &Attributes) -> Json {
    let pairs = attributes
        .iter()
        .map(|(key, value)| (key.clone(), Json::String(value.to_text())));
    Json::Object(pairs.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance() -> SoftwareInstance {
        SoftwareInstance {
            requested_state: Some("started".to_owned()),
            computer_id: Some("COMP-1".to_owned()),
            partition_id: Some("slappart0".to_owned()),
            connection_dict: [("url".to_owned(), "http://x/".into())].into(),
            ..SoftwareInstance::default()
        }
    }

    #[test]
    fn people_see_state_and_parameters() {
        let shown = text(&instance());
        assert_eq!(
            shown,
            "State: started\nPartition: slappart0 of COMP-1\nConnection parameters:\n  url  http://x/\n"
        );
    }

    #[test]
    fn a_value_of_several_lines_makes_no_line_of_ours() {
        let mut instance = instance();
        let value = "a\nState: evil\u{1b}[2J".into();
        instance.connection_dict.insert("url".to_owned(), value);
        let shown = text(&instance);
        assert!(
            shown.ends_with("  url  a\n       State: evil\\u{1b}[2J\n"),
            "{shown}"
        );
    }

    #[test]
    fn programs_read_the_same() {
        let object: Json = serde_json::from_str(&json(&instance())).unwrap();
        assert_eq!(object["connection_parameters"]["url"], "http://x/");
        assert_eq!(object["state"], "started");
    }
}
