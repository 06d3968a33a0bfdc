//! The calls with marshal documents among their fields.

use super::fields::{FieldProblem, LONGEST_NAME};
use super::{Call, Fields, FormError, Method};
use crate::documents::{Attributes, ComputerConfiguration, DocumentError, SoftwareState};
use crate::marshal::{EncodeError, Value};

/// A computer shall have a release, or no longer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SupplySupply {
    /// URL of the release.
    pub url: String,
    /// Reference of the computer.
    pub computer_id: String,
    /// Clients of 0.27 may leave it out.
    pub state: Option<SoftwareState>,
}

impl Call for SupplySupply {
    const METHOD: Method = Method::Post;
    const ENDPOINT: &'static str = "supplySupply";

    fn to_fields(&self) -> Result<Fields, EncodeError> {
        let mut fields = Fields::default();
        fields.push("url", self.url.as_str());
        fields.push("computer_id", self.computer_id.as_str());
        if let Some(state) = self.state {
            fields.push("state", state.as_str());
        }
        Ok(fields)
    }

    fn from_fields(fields: &Fields) -> Result<Self, FormError> {
        let state = fields.name("state")?.map(|text| {
            let unknown = |_| FormError::new("state", FieldProblem::State(text.to_owned()));
            text.parse().map_err(unknown)
        });
        Ok(Self {
            url: fields.require("url")?.to_owned(),
            computer_id: fields.require("computer_id")?.to_owned(),
            state: state.transpose()?,
        })
    }
}

/// An instance shall exist; answered by [`crate::documents::SoftwareInstance`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RequestComputerPartition {
    /// URL of the release.
    pub software_release: String,
    /// The requester's name of the instance.
    pub partition_reference: String,
    /// Type of the instance; `None` is up to the master (`default`).
    pub software_type: Option<String>,
    /// Parameters.
    pub partition_parameter_dict: Attributes,
    /// Where it may be placed, and other wishes (`computer_guid`, `retention_delay`, …).
    pub filter_dict: Attributes,
    /// The wanted state; `None` leaves it as it is, `started` for a new instance.
    pub state: Option<String>,
    /// Whether a slave is wanted: a share of an instance that exists.
    pub shared: bool,
    /// Computer of the requesting partition; `None` when a user requests.
    pub computer_id: Option<String>,
    /// The requesting partition.
    pub computer_partition_id: Option<String>,
}

impl Call for RequestComputerPartition {
    const METHOD: Method = Method::Post;
    const ENDPOINT: &'static str = "requestComputerPartition";

    fn to_fields(&self) -> Result<Fields, EncodeError> {
        let mut fields = Fields::default();
        fields.push("software_release", self.software_release.as_str());
        fields.push("partition_reference", self.partition_reference.as_str());
        let parameters = Value::dict(self.partition_parameter_dict.clone());
        fields.push_document("partition_parameter_xml", &parameters)?;
        fields.push_document("filter_xml", &Value::dict(self.filter_dict.clone()))?;
        fields.push(
            "software_type",
            self.software_type.as_deref().unwrap_or("default"),
        );
        fields.push_document("state", &Value::from(self.state.clone()))?;
        fields.push_document("shared_xml", &Value::Bool(self.shared))?;
        let requester = [
            ("computer_id", &self.computer_id),
            ("computer_partition_id", &self.computer_partition_id),
        ];
        for (name, value) in requester {
            if let Some(value) = value {
                fields.push(name, value.as_str());
            }
        }
        Ok(fields)
    }

    fn from_fields(fields: &Fields) -> Result<Self, FormError> {
        let name = |name: &str| fields.name(name).map(|value| value.map(str::to_owned));
        Ok(Self {
            software_release: fields.require("software_release")?.to_owned(),
            partition_reference: fields.require("partition_reference")?.to_owned(),
            software_type: name("software_type")?,
            partition_parameter_dict: fields.attributes("partition_parameter_xml")?,
            filter_dict: filter(fields)?,
            state: state(fields)?,
            shared: shared(fields)?,
            computer_id: name("computer_id")?,
            computer_partition_id: name("computer_partition_id")?,
        })
    }
}

/// The `filter_xml` of a request: a document with wishes, none of them longer than a name.
fn filter(fields: &Fields) -> Result<Attributes, FormError> {
    const FIELD: &str = "filter_xml";
    let filter = fields.attributes(FIELD)?;
    if filter
        .values()
        .any(|value| value.to_text().len() > LONGEST_NAME)
    {
        return Err(FormError::new(FIELD, FieldProblem::TooLong(LONGEST_NAME)));
    }
    Ok(filter)
}

/// The `shared_xml` of a request: a document with a truth value, of some clients as a number.
fn shared(fields: &Fields) -> Result<bool, FormError> {
    const FIELD: &str = "shared_xml";
    match fields.document(FIELD)? {
        None | Some(Value::None) => Ok(false),
        Some(value @ (Value::Bool(_) | Value::Int(_))) => Ok(value.is_truthy()),
        Some(_) => Err(FormError::new(FIELD, FieldProblem::Type("a truth value"))),
    }
}

/// The `state` of a request: a document with a text or `None`.
fn state(fields: &Fields) -> Result<Option<String>, FormError> {
    match fields.document("state")? {
        None | Some(Value::None) => Ok(None),
        Some(Value::String(text)) if text.len() > LONGEST_NAME => {
            Err(FormError::new("state", FieldProblem::TooLong(LONGEST_NAME)))
        }
        // What `str()` makes of an absent value; nobody means a state of that name.
        Some(Value::String(text)) => {
            Ok(Some(text).filter(|text| !text.is_empty() && text != "None"))
        }
        Some(_) => Err(FormError::new("state", FieldProblem::Type("a text"))),
    }
}

/// What an instance publishes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SetComputerPartitionConnectionXml {
    /// Reference of the computer.
    pub computer_id: String,
    /// Reference of the partition.
    pub computer_partition_id: String,
    /// The connection parameters.
    pub connection_dict: Attributes,
    /// The slave that they are for.
    pub slave_reference: Option<String>,
}

impl Call for SetComputerPartitionConnectionXml {
    const METHOD: Method = Method::Post;
    const ENDPOINT: &'static str = "setComputerPartitionConnectionXml";

    fn to_fields(&self) -> Result<Fields, EncodeError> {
        let mut fields = Fields::default();
        fields.push("computer_id", self.computer_id.as_str());
        fields.push("computer_partition_id", self.computer_partition_id.as_str());
        fields.push_document("connection_xml", &Value::dict(self.connection_dict.clone()))?;
        // The peer writes the word; some masters want the field.
        fields.push(
            "slave_reference",
            self.slave_reference.as_deref().unwrap_or("None"),
        );
        Ok(fields)
    }

    fn from_fields(fields: &Fields) -> Result<Self, FormError> {
        Ok(Self {
            computer_id: fields.require("computer_id")?.to_owned(),
            computer_partition_id: fields.require("computer_partition_id")?.to_owned(),
            connection_dict: fields.require_attributes("connection_xml")?,
            slave_reference: fields.name("slave_reference")?.map(str::to_owned),
        })
    }
}

/// The instances that a partition requested in its last run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UpdateComputerPartitionRelatedInstanceList {
    /// Reference of the computer.
    pub computer_id: String,
    /// Reference of the partition.
    pub computer_partition_id: String,
    /// Their references.
    pub instance_reference_list: Vec<String>,
}

impl Call for UpdateComputerPartitionRelatedInstanceList {
    const METHOD: Method = Method::Post;
    const ENDPOINT: &'static str = "updateComputerPartitionRelatedInstanceList";

    fn to_fields(&self) -> Result<Fields, EncodeError> {
        let references = self
            .instance_reference_list
            .iter()
            .map(|text| Value::from(text.as_str()));
        let mut fields = Fields::default();
        fields.push("computer_id", self.computer_id.as_str());
        fields.push("computer_partition_id", self.computer_partition_id.as_str());
        fields.push_document("instance_reference_xml", &Value::list(references.collect()))?;
        Ok(fields)
    }

    fn from_fields(fields: &Fields) -> Result<Self, FormError> {
        const FIELD: &str = "instance_reference_xml";
        let list = fields.require_document(FIELD)?;
        let references = list.as_list().and_then(|items| {
            items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect()
        });
        Ok(Self {
            computer_id: fields.require("computer_id")?.to_owned(),
            computer_partition_id: fields.require("computer_partition_id")?.to_owned(),
            instance_reference_list: references
                .ok_or_else(|| FormError::new(FIELD, FieldProblem::Type("a list of texts")))?,
        })
    }
}

/// The computer as slapformat made it; answered by `done`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LoadComputerConfigurationFromXml {
    /// The description.
    pub configuration: ComputerConfiguration,
}

impl Call for LoadComputerConfigurationFromXml {
    const METHOD: Method = Method::Post;
    const ENDPOINT: &'static str = "loadComputerConfigurationFromXML";

    fn to_fields(&self) -> Result<Fields, EncodeError> {
        let mut fields = Fields::default();
        fields.push_document("xml", &self.configuration.to_value())?;
        Ok(fields)
    }

    fn from_fields(fields: &Fields) -> Result<Self, FormError> {
        let value = fields.require_document("xml")?;
        let configuration = ComputerConfiguration::from_value(&value)
            .map_err(FieldProblem::Description)
            .and_then(checked);
        Ok(Self {
            configuration: configuration.map_err(|problem| FormError::new("xml", problem))?,
        })
    }
}

/// The description, if what it names has names.
fn checked(configuration: ComputerConfiguration) -> Result<ComputerConfiguration, FieldProblem> {
    let partitions = configuration.partition_list.iter();
    let names = partitions.map(|partition| ("a partition", partition.reference.as_str()));
    for (subject, name) in names.chain([("the computer", configuration.reference.as_str())]) {
        if name.is_empty() {
            let attribute = "reference";
            let missing = DocumentError::Missing { subject, attribute };
            return Err(FieldProblem::Description(missing));
        }
        if name.len() > LONGEST_NAME {
            return Err(FieldProblem::TooLong(LONGEST_NAME));
        }
    }
    Ok(configuration)
}
