//! An instance, shown to people and programs.

use serde_json::{Value as Json, json};
use slap_client::proto::documents::SoftwareInstance;
use slapos_cli::{on_one_line, printable};

use crate::parameters::json_values;

/// A few lines for people.
pub(super) fn text(instance: &SoftwareInstance) -> String {
    let shown = |text: &Option<String>| {
        let text = text.as_deref().unwrap_or("unknown");
        on_one_line(text).into_owned()
    };
    let mut lines = format!(
        "State: {}\nPartition: {} of {}\n",
        shown(&instance.requested_state),
        shown(&instance.partition_id),
        shown(&instance.computer_id),
    );
    let published = json_values(&instance.connection_dict);
    if published.is_empty() {
        // A stopped instance is processed, too, and may publish some.
        if instance.requested_state.as_deref() != Some("destroyed") {
            lines += "Connection parameters: none yet; run this again later\n";
        }
        return lines;
    }
    lines += "Connection parameters:\n";
    let width = published.keys().map(|key| key.chars().count()).max();
    let width = width.unwrap_or(0);
    let indent = " ".repeat(width + 4);
    for (key, value) in &published {
        let value = match value {
            Json::String(text) => text.clone(),
            Json::Null => String::new(),
            other => format!("{other:#}"),
        };
        let (key, value) = (on_one_line(key), printable(&value, &indent));
        lines += &format!("  {key:width$}  {value}\n");
    }
    lines
}

/// One JSON object for programs.
pub(super) fn json(instance: &SoftwareInstance) -> String {
    let object = json!({
        "state": instance.requested_state,
        "computer_id": instance.computer_id,
        "partition_id": instance.partition_id,
        "instance_guid": instance.instance_guid,
        "software_release": instance.software_release_url,
        "software_type": instance.software_type,
        "parameters": json_values(&instance.parameter_dict),
        "connection_parameters": json_values(&instance.connection_dict),
    });
    format!("{object:#}\n")
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
    fn only_an_instance_that_is_destroyed_publishes_nothing_more() {
        let mut instance = instance();
        instance.connection_dict.clear();
        for state in [Some("started"), Some("stopped"), None] {
            instance.requested_state = state.map(str::to_owned);
            let shown = text(&instance);
            assert!(
                shown.ends_with("none yet; run this again later\n"),
                "{shown}"
            );
        }
        instance.requested_state = Some("destroyed".to_owned());
        let expected = "State: destroyed\nPartition: slappart0 of COMP-1\n";
        assert_eq!(text(&instance), expected);
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
    fn no_text_of_the_master_makes_a_line_of_ours() {
        let evil = || Some("a\nState: evil\u{1b}[2J".to_owned());
        let instance = SoftwareInstance {
            requested_state: evil(),
            partition_id: evil(),
            computer_id: evil(),
            connection_dict: [("a\nState: evil".to_owned(), "1".into())].into(),
            ..instance()
        };
        let escaped = "a\\nState: evil\\u{1b}[2J";
        let expected = format!(
            "State: {escaped}\nPartition: {escaped} of {escaped}\n\
             Connection parameters:\n  a\\nState: evil  1\n"
        );
        assert_eq!(text(&instance), expected);
    }

    #[test]
    fn what_is_one_json_text_is_shown_by_its_keys() {
        let mut instance = instance();
        let text_value = r#"{"url": "http://x/", "hosts": ["a", "b"]}"#.into();
        instance.connection_dict = [("_".to_owned(), text_value)].into();
        let shown = text(&instance);
        let expected =
            "  hosts  [\n           \"a\",\n           \"b\"\n         ]\n  url    http://x/\n";
        assert!(shown.ends_with(expected), "{shown}");
        let object: Json = serde_json::from_str(&json(&instance)).unwrap();
        assert_eq!(object["connection_parameters"]["hosts"][1], "b");
        // Whoever publishes more than that means nothing by it.
        instance.connection_dict.insert("a".to_owned(), "1".into());
        let object: Json = serde_json::from_str(&json(&instance)).unwrap();
        assert!(object["connection_parameters"]["_"].is_string());
    }

    #[test]
    fn programs_read_the_same() {
        let object: Json = serde_json::from_str(&json(&instance())).unwrap();
        assert_eq!(object["connection_parameters"]["url"], "http://x/");
        assert_eq!(object["state"], "started");
    }
}
