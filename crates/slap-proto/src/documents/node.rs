//! What a node is told: the computer, its releases and its partitions.

use super::fields::Fields;
use super::{Computer, ComputerPartition, DocumentError, SoftwareRelease, SoftwareState};
use crate::marshal::{
    Class, EncodeError, Layout, Part, Value, decode, encode, encode_part, encode_with_list,
};

const PARTITIONS: &str = "_computer_partition_list";

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
        self.layout().to_value()
    }

    fn layout(&self) -> Layout<'_> {
        let partitions = self.computer_partition_list.iter();
        let partitions = partitions.map(|partition| Part::Object(partition.layout()));
        let mut layout = self.layout_without_partitions();
        let known = (PARTITIONS, Part::List(partitions.collect()));
        let at = layout.state.partition_point(|(key, _)| *key < PARTITIONS);
        layout.state.insert(at, known);
        layout
    }

    fn layout_without_partitions(&self) -> Layout<'_> {
        let id = self.computer_id.as_str();
        let releases = self.software_release_list.iter();
        let releases = releases.map(|release| Part::Object(release.layout()));
        let known = vec![
            ("_computer_id", Part::Text(id)),
            ("_software_release_list", Part::List(releases.collect())),
        ];
        Layout::new(Class::Computer, vec![Part::Text(id)], &self.extra, known)
    }

    /// The whole marshal document of a computer with these partitions instead of its own: each
    /// is written before the next is made, so that they are never in memory together.
    ///
    /// # Errors
    /// A text holds a character that XML forbids.
    pub fn to_document_with(
        &self,
        partitions: impl Iterator<Item = ComputerPartition>,
    ) -> Result<String, EncodeError> {
        let layout = self.layout_without_partitions();
        encode_with_list(&layout, PARTITIONS, partitions, |encoder, partition| {
            encoder.item(&partition.layout())
        })
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
        self.layout().to_value()
    }

    fn layout(&self) -> Layout<'_> {
        let state = Part::Text(self.requested_state.as_str());
        self.layout_with(vec![("_requested_state", state)])
    }

    /// The release inside a partition, written without a state.
    fn layout_in_partition(&self) -> Layout<'_> {
        self.layout_with(Vec::new())
    }

    fn layout_with<'a>(&'a self, mut known: Vec<(&'static str, Part<'a>)>) -> Layout<'a> {
        known.extend([
            ("_computer_guid", (&self.computer_guid).into()),
            ("_software_instance_list", Part::List(Vec::new())),
            ("_software_release", (&self.url).into()),
        ]);
        let arguments = vec![(&self.url).into(), (&self.computer_guid).into()];
        Layout::new(Class::SoftwareRelease, arguments, &self.extra, known)
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
        self.layout().to_value()
    }

    fn layout(&self) -> Layout<'_> {
        let request = || self.request_dict.as_ref().map_or(Part::None, Part::Value);
        let release = self.software_release.as_ref();
        let mut known = vec![
            ("_computer_id", Part::Text(&self.computer_id)),
            ("_need_modification", Part::Flag(self.need_modification)),
            ("_partition_id", Part::Text(&self.partition_id)),
            ("_request_dict", request()),
            (
                "_software_release_document",
                release.map_or(Part::None, |release| {
                    Part::Object(release.layout_in_partition())
                }),
            ),
        ];
        if self.need_modification {
            known.push(("_connection_dict", Part::Dict(&self.connection_dict)));
            known.push(("_parameter_dict", Part::Dict(&self.parameter_dict)));
        }
        let texts = [
            ("_requested_state", &self.requested_state),
            ("_instance_guid", &self.instance_guid),
            ("_access_status", &self.access_status),
        ];
        for (name, text) in texts {
            known.extend(text.as_deref().map(|text| (name, Part::Text(text))));
        }
        if !self.filter_dict.is_empty() {
            known.push(("_filter_dict", Part::Dict(&self.filter_dict)));
        }
        let arguments = vec![
            Part::Text(&self.computer_id),
            Part::Text(&self.partition_id),
            request(),
        ];
        Layout::new(Class::ComputerPartition, arguments, &self.extra, known)
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
    ($($type:ty, $this:ident => $written:expr;)*) => {$(
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
                let $this = self;
                $written
            }
        }
    )*};
}

whole_documents!(
    Computer, this => encode_part(&Part::Object(this.layout()));
    SoftwareRelease, this => encode_part(&Part::Object(this.layout()));
    ComputerPartition, this => encode_part(&Part::Object(this.layout()));
    super::SoftwareInstance, this => encode_part(&Part::Object(this.layout()));
    super::ComputerConfiguration, this => encode(&this.to_value());
);
