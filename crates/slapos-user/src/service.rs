//! `slapos service`: the instances of a user.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Map, Value as Json, json};
use slap_client::proto::instance_xml::{self, InstanceXmlError};
use slapos_cli::{MasterOptions, Unmet};

use crate::hateoas::{Hateoas, HateoasError, field};
use crate::parameters::{JSON_PARAMETER, deserialised};

const KIND: &str = "Instance Tree";

/// What is known of an instance cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The master's API cannot be used.
    #[error(transparent)]
    Hateoas(#[from] HateoasError),
    /// Its parameters are no document.
    #[error("the master tells the parameters of {reference} in another form")]
    Parameters {
        /// Name of the instance.
        reference: String,
        /// Why.
        source: InstanceXmlError,
    },
}

/// How much to tell of an instance.
#[derive(Debug, clap::Args)]
pub struct InfoOptions {
    /// What nodes reported, too
    #[arg(long)]
    news: bool,
}

/// Prints the names of a user's instances and their releases, as one JSON object.
///
/// # Errors
/// The configuration cannot be used, or the master's API cannot.
pub fn list(configuration: &Path, master: &MasterOptions) -> Result<ExitCode, Box<dyn Error>> {
    let releases = releases(&Hateoas::of_user(configuration, master)?)?;
    slapos_cli::print(&format!("{:#}\n", json!(releases)))?;
    Ok(ExitCode::SUCCESS)
}

/// The names of a user's instances, and the URLs of their releases.
///
/// # Errors
/// A call failed, or the answer is something else.
pub fn releases(hateoas: &Hateoas) -> Result<BTreeMap<String, Json>, HateoasError> {
    let trees = hateoas.search(KIND, "", &["title", "url_string"])?;
    let releases = trees.into_iter().filter_map(|mut tree| {
        let release = tree.remove("url_string")?;
        Some((field(&tree, "title")?.to_owned(), release))
    });
    Ok(releases.collect())
}

/// Prints what is known of an instance, as one JSON object.
///
/// # Errors
/// As [`list`], or there is no such instance.
pub fn info(
    configuration: &Path,
    master: &MasterOptions,
    reference: &str,
    options: &InfoOptions,
) -> Result<ExitCode, Box<dyn Error>> {
    let hateoas = Hateoas::of_user(configuration, master)?;
    let Some(shown) = information(&hateoas, reference, options.news)? else {
        return Err(Unmet::not_found(format!("there is no instance {reference}")).into());
    };
    slapos_cli::print(&format!("{shown:#}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// What is known of an instance, by the names of `slapos service info`; with what nodes reported, if
/// that is wanted. `None` if there is no such instance.
///
/// # Errors
/// A call failed, or the answer is something else.
pub fn information(
    hateoas: &Hateoas,
    reference: &str,
    with_news: bool,
) -> Result<Option<Json>, ServiceError> {
    let Some(fields) = hateoas.find(KIND, "title", reference)? else {
        return Ok(None);
    };
    let described = describe(&fields, with_news);
    let described = described.map_err(|source| ServiceError::Parameters {
        reference: reference.to_owned(),
        source,
    })?;
    Ok(Some(described))
}

/// By the names of slapos.core.
fn describe(fields: &Map<String, Json>, with_news: bool) -> Result<Json, InstanceXmlError> {
    let value = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let mut parameters = by_key(field(fields, "text_content").unwrap_or_default())?;
    let is_serialised = parameters.len() == 1;
    if let Some(serialised) = parameters.get_mut(JSON_PARAMETER)
        && is_serialised
        && let Some(object) = parsed(serialised)
    {
        *serialised = object;
    }
    let published = deserialised(connection_parameters(&value("connection_parameter_list"))?);
    let news = fields.get("news").and_then(|news| news.get("instance"));
    let mut description = json!({
        "software-url": value("url_string"),
        "software-type": value("source_reference"),
        "shared": matches!(value("root_slave").as_i64(), Some(1)),
        "requested-state": value("slap_state"),
        "instance-parameters": parameters,
        "connection-parameters": published,
        "status": news.map_or("unsupported", status),
    });
    if with_news && let Some(news) = news {
        description["news"] = news.clone();
    }
    Ok(description)
}

/// The parameters that were published: a list of keys and values of ERP5, or the document of others.
fn connection_parameters(published: &Json) -> Result<Map<String, Json>, InstanceXmlError> {
    match published {
        Json::Array(list) => {
            let pairs = list.iter().filter_map(|parameter| {
                let key = parameter["connection_key"].as_str()?;
                Some((key.to_owned(), parameter["connection_value"].clone()))
            });
            Ok(pairs.collect())
        }
        document => by_key(document.as_str().unwrap_or_default()),
    }
}

fn by_key(document: &str) -> Result<Map<String, Json>, InstanceXmlError> {
    if document.is_empty() {
        return Ok(Map::new());
    }
    let parameters = instance_xml::from_xml(document)?;
    let texts = parameters
        .into_iter()
        .map(|(key, text)| (key, text.map_or(Json::Null, Json::String)));
    Ok(texts.collect())
}

/// The value that a text serialises.
fn parsed(serialised: &Json) -> Option<Json> {
    serde_json::from_str(serialised.as_str()?).ok()
}

/// What the reports of nodes come to.
fn status(news: &Json) -> &'static str {
    let reports = news.as_array().map(Vec::as_slice).unwrap_or_default();
    let begins = |prefix| {
        let texts = reports.iter().filter_map(|report| report["text"].as_str());
        texts.into_iter().any(|text| text.starts_with(prefix))
    };
    match (begins("#access"), begins("#error")) {
        (false, false) => "none",
        (true, false) => "green",
        (false, true) => "red",
        (true, true) => "orange",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(value: Json) -> Map<String, Json> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn reports_come_to_a_colour() {
        for (texts, colour) in [
            (&[][..], "none"),
            (&["#access x"], "green"),
            (&["#error x", "#error y"], "red"),
            (&["#error x", "#access y"], "orange"),
        ] {
            let news: Vec<_> = texts.iter().map(|text| json!({"text": text})).collect();
            assert_eq!(status(&Json::Array(news)), colour);
        }
    }

    #[test]
    fn parameters_of_erp5_and_of_slapproxy_are_read() {
        let list = json!([{"connection_key": "url", "connection_value": "http://x/"}]);
        let xml = "<instance><parameter id='url'>http://x/</parameter></instance>";
        for published in [list, json!(xml)] {
            let document = fields(json!({"connection_parameter_list": published}));
            let shown = describe(&document, true).unwrap();
            assert_eq!(shown["connection-parameters"], json!({"url": "http://x/"}));
            assert_eq!(shown["status"], "unsupported");
        }
    }

    #[test]
    fn serialised_parameters_are_shown_by_their_keys() {
        let xml = "<instance><parameter id='_'>{\"a\": [1]}</parameter></instance>";
        let document = fields(json!({"connection_parameter_list": xml, "text_content": xml}));
        let shown = describe(&document, false).unwrap();
        assert_eq!(shown["connection-parameters"], json!({"a": [1]}));
        assert_eq!(shown["instance-parameters"], json!({"_": {"a": [1]}}));
    }

    #[test]
    fn nothing_that_was_published_is_dropped() {
        for published in ["5", "\"x\"", "{\"a\": 1}"] {
            let list = json!([
                {"connection_key": "_", "connection_value": published},
                {"connection_key": "url", "connection_value": "http://x/"},
            ]);
            let document = fields(json!({"connection_parameter_list": list}));
            let shown = describe(&document, false).unwrap();
            let expected = json!({"_": published, "url": "http://x/"});
            assert_eq!(shown["connection-parameters"], expected);
        }
        let list = json!([{"connection_key": "_", "connection_value": "5"}]);
        let document = fields(json!({"connection_parameter_list": list}));
        let shown = describe(&document, false).unwrap();
        assert_eq!(shown["connection-parameters"], json!({"_": "5"}));
    }
}
