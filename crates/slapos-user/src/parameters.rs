//! Parameters of instances, from the command line and from files.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde_json::{Map, Value as Json};
use slap_client::proto::documents::Attributes;
use slap_client::proto::instance_xml::{self, InstanceXmlError};
use slap_client::proto::marshal::Value;

use crate::document::{self, ObjectError};
use crate::schema::Serialisation;

/// The one parameter that holds all others where they are serialised as JSON.
pub(crate) const JSON_PARAMETER: &str = "_";

/// What a parameters file is called that is standard input.
const STANDARD_INPUT: &str = "-";

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

/// A key stands twice on a command line: whichever value was meant, one would be lost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is given twice")]
pub struct DuplicateKey(String);

impl DuplicateKey {
    pub(crate) fn of(key: String) -> Self {
        Self(key)
    }
}

/// The values by key.
///
/// # Errors
/// A key is given twice.
pub(crate) fn by_key(pairs: &[KeyValue]) -> Result<BTreeMap<String, String>, DuplicateKey> {
    let mut values = BTreeMap::new();
    for KeyValue { key, value } in pairs {
        if values.insert(key.clone(), value.clone()).is_some() {
            return Err(DuplicateKey(key.clone()));
        }
    }
    Ok(values)
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
        source: io::Error,
    },
    /// It holds something else.
    #[error("{path} holds no {expected}")]
    Form {
        /// The file.
        path: PathBuf,
        /// What it shall hold.
        expected: &'static str,
        /// Why; never with a value, which may be a password.
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// A key or value cannot be taken.
    #[error("cannot use {path}")]
    Content {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Parameters that a user gives.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Parameters {
    /// As they are sent: those of a command line, and of an `<instance>` document.
    Texts(BTreeMap<String, String>),
    /// Values of any kind, to be serialised as the release wants them.
    Values(Map<String, Json>),
}

/// How the text of a parameters file is to be read.
#[derive(Debug, Clone, Copy)]
enum Syntax {
    Json,
    Yaml,
    Xml,
}

impl Syntax {
    /// By the end of the file's name; what has none of these, by its beginning if it came on standard
    /// input, or else it is JSON. What begins with `<` is XML in any case but YAML's.
    fn of(path: &Path, text: &str) -> Self {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let begin = text.trim_start().chars().next();
        match (extension, begin) {
            (Some("yaml" | "yml"), _) => Self::Yaml,
            (Some("xml"), _) | (_, Some('<')) => Self::Xml,
            (_, Some(begin)) if is_standard_input(path) && begin != '{' => Self::Yaml,
            _ => Self::Json,
        }
    }
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new(STANDARD_INPUT)
}

fn read_text(path: &Path) -> io::Result<String> {
    if is_standard_input(path) {
        io::read_to_string(io::stdin())
    } else {
        fs::read_to_string(path)
    }
}

impl Parameters {
    /// Those of a file, with those of a command line in their place.
    ///
    /// # Errors
    /// The file cannot be used, or a key is given twice.
    pub(crate) fn given(file: Option<&Path>, pairs: &[KeyValue]) -> Result<Self, Box<dyn Error>> {
        let given = by_key(pairs)?;
        Ok(match file.map(Self::read).transpose()? {
            None => Self::Texts(given),
            Some(Self::Texts(mut texts)) => {
                texts.extend(given);
                Self::Texts(texts)
            }
            Some(Self::Values(mut values)) => {
                values.extend(given.into_iter().map(|(key, text)| (key, text.into())));
                Self::Values(values)
            }
        })
    }

    /// As they are sent, values in this way.
    pub(crate) fn sent_as(self, serialisation: Serialisation) -> BTreeMap<String, String> {
        match self {
            Self::Texts(texts) => texts,
            Self::Values(values) => serialised(values, serialisation),
        }
    }

    /// Reads a file, or standard input for `-`.
    ///
    /// # Errors
    /// The file cannot be read or holds something else.
    fn read(path: &Path) -> Result<Self, ParameterError> {
        let text = read_text(path).map_err(|source| ParameterError::Read {
            path: shown(path),
            source,
        })?;
        let syntax = Syntax::of(path, &text);
        match syntax {
            Syntax::Yaml => document::from_yaml(&text).map(Self::Values),
            Syntax::Json => document::from_json(&text).map(Self::Values),
            Syntax::Xml => return Self::of_document(path, &text),
        }
        .map_err(|error| match error {
            ObjectError::Form(source) => wrong_form(path, syntax, source),
            ObjectError::Yaml { .. } => wrong_form(path, syntax, Some(error)),
            ObjectError::Duplicate(_) | ObjectError::Large(_) => ParameterError::Content {
                path: shown(path),
                source: Box::new(error),
            },
        })
    }

    fn of_document(path: &Path, text: &str) -> Result<Self, ParameterError> {
        let parameters = instance_xml::from_xml(text);
        let parameters = parameters.map_err(|error| match error {
            InstanceXmlError::Xml { offset, .. } => {
                wrong_form(path, Syntax::Xml, Some(Malformed(offset)))
            }
            error => wrong_form(path, Syntax::Xml, Some(error)),
        })?;
        let texts = parameters
            .into_iter()
            .map(|(key, value)| (key, value.unwrap_or_default()));
        Ok(Self::Texts(texts.collect()))
    }
}

/// Where a document is wrong; what is wrong may be a part of a value.
#[derive(Debug, thiserror::Error)]
#[error("malformed at byte {0}")]
struct Malformed(u64);

fn wrong_form(
    path: &Path,
    syntax: Syntax,
    source: Option<impl Error + Send + Sync + 'static>,
) -> ParameterError {
    let expected = match syntax {
        _ if is_standard_input(path) => "object of parameters",
        Syntax::Json => "JSON object",
        Syntax::Yaml => "YAML mapping",
        Syntax::Xml => "<instance> document",
    };
    ParameterError::Form {
        path: shown(path),
        expected,
        source: source.map(|error| error.into()),
    }
}

/// For messages.
fn shown(path: &Path) -> PathBuf {
    if is_standard_input(path) {
        "standard input".into()
    } else {
        path.to_owned()
    }
}

/// Values of any kind, as they are sent: each for itself, texts as they are and others as their JSON
/// text; or all of them as one JSON text, unless they are that already.
fn serialised(object: Map<String, Json>, serialisation: Serialisation) -> BTreeMap<String, String> {
    let is_serialised = object.len() == 1 && object.contains_key(JSON_PARAMETER);
    match serialisation {
        Serialisation::JsonInXml if !is_serialised => {
            let text = format!("{:#}", Json::Object(object));
            [(JSON_PARAMETER.to_owned(), text)].into()
        }
        _ => object
            .into_iter()
            .map(|(key, value)| (key, json_text(value)))
            .collect(),
    }
}

/// The parameters themselves, instead of the one JSON text that holds all of them. Only an object does,
/// and only if nothing stands beside it.
pub(crate) fn deserialised(parameters: Map<String, Json>) -> Map<String, Json> {
    let text = parameters.get(JSON_PARAMETER).and_then(Json::as_str);
    let text = text.filter(|_| parameters.len() == 1);
    match text.map(serde_json::from_str) {
        Some(Ok(Json::Object(object))) => object,
        _ => parameters,
    }
}

/// Parameters of the wire for programs, [`deserialised`].
pub(crate) fn json_values(attributes: &Attributes) -> Map<String, Json> {
    let pairs = attributes.iter();
    let values = pairs.map(|(key, value)| (key.clone(), as_json_value(value)));
    deserialised(values.collect())
}

fn json_text(value: Json) -> String {
    match value {
        Json::String(text) => text,
        other => other.to_string(),
    }
}

/// As the client library takes them.
pub(crate) fn attributes(texts: BTreeMap<String, String>) -> Attributes {
    let values = texts.into_iter().map(|(key, value)| (key, value.into()));
    values.collect()
}

/// A value of the wire for programs.
pub(crate) fn as_json_value(value: &Value) -> Json {
    serde_json::to_value(value).unwrap_or_else(|_| value.to_text().into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(name: &str, text: &str) -> Result<Parameters, ParameterError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        Parameters::read(&path)
    }

    fn object(value: Json) -> Map<String, Json> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_file_is_read_by_its_name() {
        let values = object(json!({"a": "1", "b": {"c": [1, true, null]}}));
        let expected = Parameters::Values(values);
        let json = r#"{"a": "1", "b": {"c": [1, true, null]}}"#;
        for name in ["p.json", "p", "p.yaml", "p.yml"] {
            // JSON is YAML.
            assert_eq!(read(name, json).unwrap(), expected, "{name}");
        }
        let yaml = "a: '1'\nb:\n  c:\n  - 1\n  - true\n  - ~\n";
        assert_eq!(read("p.yaml", yaml).unwrap(), expected);
        let xml = "<instance><parameter id='a'>1</parameter><parameter id='e'/></instance>";
        let texts = [("a", "1"), ("e", "")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let document = Parameters::Texts(texts.into());
        for name in ["p.xml", "p.json", "p"] {
            assert_eq!(read(name, xml).unwrap(), document, "{name}");
        }
    }

    #[test]
    fn what_comes_without_a_name_is_read_by_its_beginning() {
        for (text, syntax) in [
            (" {\"a\": 1}", "Json"),
            ("\n<instance/>", "Xml"),
            ("a: 1", "Yaml"),
            ("", "Json"),
        ] {
            let found = Syntax::of(Path::new(STANDARD_INPUT), text);
            assert_eq!(format!("{found:?}"), syntax, "{text:?}");
        }
    }

    #[test]
    fn other_contents_are_refused_by_the_name_of_the_file() {
        for (name, text, part) in [
            ("p.json", "[1]", "p.json holds no JSON object"),
            ("p.json", "{", "p.json holds no JSON object"),
            ("p.yaml", "- 1\n", "p.yaml holds no YAML mapping"),
            ("p.yaml", "a: [", "p.yaml holds no YAML mapping"),
            ("p.yaml", "a: 1\na: 2\n", "cannot use "),
            ("p.xml", "<instance>", "p.xml holds no <instance> document"),
            ("p.xml", "a", "p.xml holds no <instance> document"),
            ("p.xml", "<a/>", "p.xml holds no <instance> document"),
        ] {
            let error = read(name, text).unwrap_err().to_string();
            assert!(error.contains(part), "{text:?}: {error}");
        }
        let missing = Parameters::read(Path::new("/no/such.json")).unwrap_err();
        let expected = "cannot read the parameters file /no/such.json";
        assert_eq!(missing.to_string(), expected);
    }

    #[test]
    fn yaml_that_grows_without_end_is_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let one = format!("*a{}, ", level - 1).repeat(10);
            text += &format!("a{level}: &a{level} [{one}]\n");
        }
        assert!(matches!(
            read("p.yaml", &text),
            Err(ParameterError::Form { .. })
        ));
    }

    #[test]
    fn values_are_sent_as_the_release_wants_them() {
        let values = object(json!({"text": "é", "number": 1, "list": [1]}));
        let each = serialised(values.clone(), Serialisation::Xml);
        assert_eq!(each["text"], "é");
        assert_eq!(each["number"], "1");
        assert_eq!(each["list"], "[1]");
        let one = serialised(values.clone(), Serialisation::JsonInXml);
        let parsed: Json = serde_json::from_str(&one[JSON_PARAMETER]).unwrap();
        assert_eq!((one.len(), parsed), (1, Json::Object(values)));
        let ready = object(json!({"_": "{\"a\": 1}"}));
        let kept = serialised(ready, Serialisation::JsonInXml);
        assert_eq!(kept[JSON_PARAMETER], "{\"a\": 1}");
    }

    #[test]
    fn integers_have_no_bound() {
        let shown = as_json_value(&Value::Int(i128::MAX));
        assert!(shown.is_number(), "{shown}");
        assert_eq!(shown.to_string(), i128::MAX.to_string());
    }

    #[test]
    fn one_object_holds_the_parameters_and_nothing_else_does() {
        for (published, expected) in [
            (json!({"_": "{\"a\": [1]}"}), json!({"a": [1]})),
            (json!({"_": "{}"}), json!({})),
            (json!({}), json!({})),
        ] {
            let attributes: Attributes = object(published.clone())
                .into_iter()
                .map(|(key, value)| (key, json_text(value).into()))
                .collect();
            assert_eq!(json_values(&attributes), object(expected), "{published}");
        }
        for kept in [
            json!({"_": "5"}),
            json!({"_": "\"x\""}),
            json!({"_": "[1]"}),
            json!({"_": "null"}),
            json!({"_": "{"}),
            json!({"a": "{}"}),
            json!({"_": "{\"a\": 1}", "url": "http://x/"}),
        ] {
            let kept = object(kept);
            assert_eq!(deserialised(kept.clone()), kept);
        }
    }

    #[test]
    fn arguments_are_pairs_and_no_key_is_lost() {
        assert!("key".parse::<KeyValue>().is_err());
        assert!("=v".parse::<KeyValue>().is_err());
        let pair: KeyValue = "k=a=b".parse().unwrap();
        assert_eq!((pair.key.as_str(), pair.value.as_str()), ("k", "a=b"));
        let error = by_key(&[pair.clone(), pair]).unwrap_err();
        assert_eq!(error.to_string(), "k is given twice");
    }
}
