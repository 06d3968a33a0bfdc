//! What a release says of its parameters: the JSON file beside its profile, `URL.json`.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value as Json;

/// How long a server may take to send the file.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Largest file that is read, in bytes.
const LARGEST: u64 = 16 << 20;
/// The type of instances whose request names none; the other name is that of slapos.core before 1.0.
const DEFAULT_TYPE: &str = "default";
const OLD_DEFAULT_TYPE: &str = "RootSoftwareInstance";

/// How the parameters of an instance are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Serialisation {
    /// Each one for itself
    Xml,
    /// All of them as one JSON text
    JsonInXml,
}

/// A release does not say how it wants parameters.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be downloaded.
    #[error("cannot download {url}")]
    Download {
        /// Its URL.
        url: String,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// It holds something else.
    #[error("{place} holds no JSON")]
    Json {
        /// Its path or URL.
        place: String,
        /// Why.
        source: serde_json::Error,
    },
    /// It says nothing of it.
    #[error("{place} has no serialisation xml or json-in-xml")]
    Undefined {
        /// Its path or URL.
        place: String,
    },
}

impl Serialisation {
    /// As the release wants it for a type of instance. Its file may take as long to come as `patience`
    /// says, and half a minute at most.
    ///
    /// # Errors
    /// The file beside the release cannot be had, or says nothing of it.
    pub(crate) fn of_release(
        url: &str,
        software_type: Option<&str>,
        patience: Option<Duration>,
    ) -> Result<Self, SchemaError> {
        let place = format!("{url}.json");
        let text = read(&place, patience.unwrap_or(TIMEOUT).min(TIMEOUT))?;
        let schema = serde_json::from_slice(&text);
        let schema: Json = schema.map_err(|source| SchemaError::Json {
            place: place.clone(),
            source,
        })?;
        let software_type = match software_type {
            None | Some(OLD_DEFAULT_TYPE) => DEFAULT_TYPE,
            Some(name) => name,
        };
        let own = &schema["software-type"][software_type]["serialisation"];
        let general = &schema["serialisation"];
        let named = if own.is_null() { general } else { own };
        match named.as_str() {
            Some("xml") => Ok(Self::Xml),
            Some("json-in-xml") => Ok(Self::JsonInXml),
            _ => Err(SchemaError::Undefined { place }),
        }
    }
}

fn read(place: &str, timeout: Duration) -> Result<Vec<u8>, SchemaError> {
    if place.starts_with("http://") || place.starts_with("https://") {
        return download(place, timeout).map_err(|error| SchemaError::Download {
            url: place.to_owned(),
            source: Box::new(error),
        });
    }
    let path = place.strip_prefix("file://").unwrap_or(place);
    std::fs::read(path).map_err(|source| SchemaError::Read {
        path: path.into(),
        source,
    })
}

fn download(url: &str, timeout: Duration) -> Result<Vec<u8>, ureq::Error> {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .build();
    let mut answer = config.new_agent().get(url).call()?;
    answer.body_mut().with_config().limit(LARGEST).read_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serialisation(
        schema: Option<&str>,
        software_type: Option<&str>,
    ) -> Result<Serialisation, String> {
        let directory = tempfile::tempdir().unwrap();
        let release = directory.path().join("software.cfg");
        if let Some(schema) = schema {
            std::fs::write(directory.path().join("software.cfg.json"), schema).unwrap();
        }
        let release = release.to_str().unwrap();
        let found = Serialisation::of_release(release, software_type, None);
        let by_url = Serialisation::of_release(&format!("file://{release}"), software_type, None);
        assert_eq!(found.is_ok(), by_url.is_ok());
        found.map_err(|error| error.to_string())
    }

    #[test]
    fn the_type_wins_over_the_release() {
        let schema = r#"{"serialisation": "xml", "software-type": {
            "default": {"title": "no word of it"}, "kvm": {"serialisation": "json-in-xml"}}}"#;
        for (software_type, expected) in [
            (None, Serialisation::Xml),
            (Some("RootSoftwareInstance"), Serialisation::Xml),
            (Some("other"), Serialisation::Xml),
            (Some("kvm"), Serialisation::JsonInXml),
        ] {
            let found = serialisation(Some(schema), software_type);
            assert_eq!(found, Ok(expected), "{software_type:?}");
        }
    }

    #[test]
    fn what_says_nothing_of_it_is_named() {
        for (schema, part) in [
            (None, "cannot read"),
            (Some("{"), "software.cfg.json holds no JSON"),
            (Some("[]"), "software.cfg.json has no serialisation"),
            (
                Some(r#"{"serialisation": "yaml"}"#),
                "software.cfg.json has no serialisation",
            ),
        ] {
            let error = serialisation(schema, None).unwrap_err();
            assert!(error.contains(part), "{schema:?}: {error}");
        }
        let error = Serialisation::of_release("http://127.0.0.1:1/software.cfg", None, None);
        let error = error.unwrap_err().to_string();
        let expected = "cannot download http://127.0.0.1:1/software.cfg.json";
        assert_eq!(error, expected);
    }
}
