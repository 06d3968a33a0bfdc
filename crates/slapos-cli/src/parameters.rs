//! Parameters of instances, from the command line and from files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use slap_client::proto::documents::Attributes;
use slap_client::proto::instance_xml::{self, InstanceXmlError};
use slap_client::proto::marshal::Value;

/// `KEY=VALUE` of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyValue {
    /// Before the first `=`.
    pub key: String,
    /// After it.
    pub value: String,
}

impl FromStr for KeyValue {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some(("", _)) | None => Err("expected KEY=VALUE"),
            Some((key, value)) => Ok(Self {
                key: key.to_owned(),
                value: value.to_owned(),
            }),
        }
    }
}

/// A parameters file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// It cannot be read.
    #[error("cannot read the parameters file {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no JSON object of parameters.
    #[error("{path} holds no JSON object")]
    Json {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// It is no instance document.
    #[error("{path} holds no <instance> document")]
    Xml {
        /// The file.
        path: PathBuf,
        /// Why.
        source: InstanceXmlError,
    },
}

/// Reads a parameters file: an `<instance>` document or a JSON object. Texts are taken as they
/// are, other JSON values as their JSON text.
///
/// # Errors
/// The file cannot be read or holds something else.
pub fn read_parameters(path: &Path) -> Result<Attributes, ParameterError> {
    let text = std::fs::read_to_string(path).map_err(|source| ParameterError::Read {
        path: path.to_owned(),
        source,
    })?;
    if text.trim_start().starts_with('<') {
        let parameters = instance_xml::from_xml(&text).map_err(|source| ParameterError::Xml {
            path: path.to_owned(),
            source,
        })?;
        let texts = parameters
            .into_iter()
            .map(|(key, value)| (key, value.unwrap_or_default().into()));
        return Ok(texts.collect());
    }
    let object: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(&text).map_err(|source| ParameterError::Json {
            path: path.to_owned(),
            source,
        })?;
    Ok(object
        .into_iter()
        .map(|(key, value)| (key, Value::String(json_text(value))))
        .collect())
}

fn json_text(value: serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Attributes, ParameterError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read_parameters(file.path())
    }

    #[test]
    fn json_and_xml_are_read() {
        let expected: Attributes = [("a".to_owned(), Value::from("1"))].into();
        assert_eq!(read(r#"{"a": "1"}"#).unwrap(), expected);
        assert_eq!(read(r#"{"a": 1}"#).unwrap(), expected);
        assert_eq!(
            read("<instance><parameter id='a'>1</parameter></instance>").unwrap(),
            expected
        );
    }

    #[test]
    fn other_contents_and_arguments_are_refused() {
        assert!(matches!(read("[1]"), Err(ParameterError::Json { .. })));
        assert!(matches!(
            read("<instance>"),
            Err(ParameterError::Xml { .. })
        ));
        let missing = read_parameters(Path::new("/no/such.json")).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "cannot read the parameters file /no/such.json"
        );
        assert!("key".parse::<KeyValue>().is_err());
        assert!("=v".parse::<KeyValue>().is_err());
        let pair: KeyValue = "k=a=b".parse().unwrap();
        assert_eq!((pair.key.as_str(), pair.value.as_str()), ("k", "a=b"));
    }
}
