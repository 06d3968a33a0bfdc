//! What a node is told: the computer, its releases and its partitions.

use super::fields::{Fields, dict, object};
use super::{Computer, ComputerPartition, DocumentError, SoftwareRelease, SoftwareState};
use crate::marshal::{Class, EncodeError, Value, decode, encode};

impl Computer {
    /// From a value of class `Computer`.
    ///
    /// # Errors
    /// The value is another one, or an attribute is missing or has the wrong type.
    pub fn from_value(value: &Value) -> Result<Self, DocumentError> {
        let (mut fields, arguments) = Fields::of_object(value, Class::Computer)?;
        Ok(Self {
            computer_id: fields.required_text("_computer_id", arguments.first())?,
            software_release_list: fields
                .list("_software_release_list", SoftwareRelease::from_value)?,
            computer_partition_list: fields
                .list("_computer_partition_list", ComputerPartition::from_value)?,
            extra: fields.rest(),
        })
    }

    /// The value that masters of today send.
    pub fn to_value(&self) -> Value {
        let partitions = self
            .computer_partition_list
            .iter()
            .map(ComputerPartition::to_value);
        let releases = self
            .software_release_list
            .iter()
            .map(SoftwareRelease::to_value);
        let known = vec![
            ("_computer_id", Value::from(self.computer_id.as_str())),
            (
                "_computer_partition_list",
                Value::list(partitions.collect()),
            ),
            ("_software_release_list", Value::list(releases.collect())),
        ];
        object(
            Class::Computer,
            vec![Value::from(self.computer_id.as_str())],
            &self.extra,
            known,
        )
    }
}

impl SoftwareRelease {
    /// From a value of class `SoftwareRelease`.
    ///
    /// # Errors
    /// The value is another one, or an attribute has the wrong type.
    pub fn from_value(value: &Value) -> Result<Self, DocumentError> {
        let (mut fields, arguments) = Fields::of_object(value, Class::SoftwareRelease)?;
        let argument = |index: usize| {
            let text = arguments.get(index).and_then(Value::as_str);
            text.map(str::to_owned)
        };
        let state = fields.text("_requested_state")?;
        // Always an empty list; nobody reads it.
        fields.take("_software_instance_list");
        Ok(Self {
            url: fields.text("_software_release")?.or_else(|| argument(0)),
            computer_guid: fields.text("_computer_guid")?.or_else(|| argument(1)),
            requested_state: state.map_or(Ok(SoftwareState::Available), |state| state.parse())?,
            extra: fields.rest(),
        })
    }

    /// The value that masters of today send.
    pub fn to_value(&self) -> Value {
        let url = Value::from(self.url.clone());
        let guid = Value::from(self.computer_guid.clone());
        let known = vec![
            ("_computer_guid", guid.clone()),
            (
                "_requested_state",
                Value::from(self.requested_state.as_str()),
            ),
            ("_software_instance_list", Value::list(Vec::new())),
            ("_software_release", url.clone()),
        ];
        object(Class::SoftwareRelease, vec![url, guid], &self.extra, known)
    }

    /// The release inside a partition, written without a state.
    fn to_value_in_partition(&self) -> Value {
        let Value::Object(release) = self.to_value() else {
            return Value::None;
        };
        let state = release
            .state
            .iter()
            .filter(|(key, _)| key.as_str() != Some("_requested_state"))
            .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value.clone())));
        let extra = state.collect();
        object(
            Class::SoftwareRelease,
            release.initargs.clone(),
            &extra,
            Vec::new(),
        )
    }
}

impl ComputerPartition {
    /// From a value of class `ComputerPartition`.
    ///
    /// # Errors
    /// The value is another one, or an attribute is missing or has the wrong type.
    pub fn from_value(value: &Value) -> Result<Self, DocumentError> {
        let (mut fields, arguments) = Fields::of_object(value, Class::ComputerPartition)?;
        let request_dict = fields.take("_request_dict");
        let release = fields.take("_software_release_document");
        Ok(Self {
            computer_id: fields.required_text("_computer_id", arguments.first())?,
            partition_id: fields.required_text("_partition_id", arguments.get(1))?,
            request_dict: request_dict
                .or_else(|| arguments.get(2).cloned())
                .filter(|v| !v.is_none()),
            requested_state: fields.text("_requested_state")?,
            need_modification: fields
                .take("_need_modification")
                .is_some_and(|value| value.is_truthy()),
            instance_guid: fields.text("_instance_guid")?,
            parameter_dict: fields.attributes("_parameter_dict")?,
            connection_dict: fields.attributes("_connection_dict")?,
            software_release: release
                .as_ref()
                .map(SoftwareRelease::from_value)
                .transpose()?,
            access_status: fields.text("_access_status")?,
            filter_dict: fields.attributes("_filter_dict")?,
            extra: fields.rest(),
        })
    }

    /// The value that masters of today send: a free partition has no parameters, an allocated
    /// one always has them.
    pub fn to_value(&self) -> Value {
        let computer = Value::from(self.computer_id.as_str());
        let partition = Value::from(self.partition_id.as_str());
        let request = Value::from(self.request_dict.clone());
        let release = self.software_release.as_ref();
        let mut known = vec![
            ("_computer_id", computer.clone()),
            (
                "_need_modification",
                Value::Int(self.need_modification.into()),
            ),
            ("_partition_id", partition.clone()),
            ("_request_dict", request.clone()),
            (
                "_software_release_document",
                release.map_or(Value::None, SoftwareRelease::to_value_in_partition),
            ),
        ];
        if self.need_modification {
            known.push(("_connection_dict", dict(&self.connection_dict)));
            known.push(("_parameter_dict", dict(&self.parameter_dict)));
        }
        let texts = [
            ("_requested_state", &self.requested_state),
            ("_instance_guid", &self.instance_guid),
            ("_access_status", &self.access_status),
        ];
        for (name, text) in texts {
            known.extend(text.as_deref().map(|text| (name, Value::from(text))));
        }
        if !self.filter_dict.is_empty() {
            known.push(("_filter_dict", dict(&self.filter_dict)));
        }
        object(
            Class::ComputerPartition,
            vec![computer, partition, request],
            &self.extra,
            known,
        )
    }

    /// Text of the master's timestamp: it changes whenever the instance is to be processed again.
    pub fn timestamp(&self) -> Option<String> {
        let value = self
            .parameter_dict
            .get("timestamp")
            .filter(|value| !value.is_none());
        value.map(Value::to_text)
    }

    /// Whether no instance is allocated to the partition. Masters of 0.27 say `started` and leave
    /// the decision to `_need_modification`.
    pub fn is_free(&self) -> bool {
        let url = self
            .software_release
            .as_ref()
            .and_then(|release| release.url.as_ref());
        !self.need_modification && url.is_none()
    }
}

/// Gives a document type its reader and writer of whole documents.
macro_rules! whole_documents {
    ($($type:ty),*) => {$(
        impl $type {
            /// From a whole marshal document.
            ///
            /// # Errors
            /// It is no marshal document, or holds something else.
            pub fn from_document(document: &[u8]) -> Result<Self, DocumentError> {
                Self::from_value(&decode(document)?)
            }

            /// The whole marshal document.
            ///
            /// # Errors
            /// A text holds a character that XML forbids.
            pub fn to_document(&self) -> Result<String, EncodeError> {
                encode(&self.to_value())
            }
        }
    )*};
}

whole_documents!(
    Computer,
    SoftwareRelease,
    ComputerPartition,
    super::SoftwareInstance,
    super::ComputerConfiguration
);
