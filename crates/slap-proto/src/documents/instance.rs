//! The answer to a request.

use super::fields::Fields;
use super::{DocumentError, SoftwareInstance};
use crate::instance_xml;
use crate::marshal::{Class, Layout, Part, Value};

/// What every master says of its own URL.
const SERVER_URL: &str = "slap_server_url";

impl SoftwareInstance {
    /// From a value of class `SoftwareInstance`. Masters of 0.27 send the parameters and the
    /// connection parameters only as instance documents (`xml`, `connection_xml`). slapos.core's
    /// proxy hands on what another master answered as a `ComputerPartition` with the attributes of
    /// both.
    ///
    /// # Errors
    /// The value is another one, or an attribute has the wrong type.
    pub fn from_value(value: &Value) -> Result<Self, DocumentError> {
        let (mut fields, _) =
            Fields::of_object(value, Class::SoftwareInstance).or_else(|error| {
                let is_answer =
                    |(fields, _): &(Fields, _)| fields.has("slap_computer_partition_id");
                let partition = Fields::of_object(value, Class::ComputerPartition).ok();
                partition.filter(is_answer).ok_or(error)
            })?;
        let connection_xml = fields.text("connection_xml")?;
        let mut connection_dict = fields.attributes("_connection_dict")?;
        if let Some(xml) = connection_xml
            .as_deref()
            .filter(|_| connection_dict.is_empty())
        {
            let parameters = instance_xml::from_xml(xml)
                .map_err(|_| fields.wrong("connection_xml", "an instance document"))?;
            connection_dict = parameters
                .into_iter()
                .map(|(id, text)| (id, text.into()))
                .collect();
        }
        Ok(Self {
            computer_id: fields.text("slap_computer_id")?,
            partition_id: fields.text("slap_computer_partition_id")?,
            software_release_url: fields.text("slap_software_release_url")?,
            software_type: fields.text("slap_software_type")?,
            instance_guid: fields.text("_instance_guid")?,
            requested_state: fields.text("_requested_state")?,
            parameter_dict: fields.attributes("_parameter_dict")?,
            connection_dict,
            connection_xml,
            ip_list: fields.list("ip_list", address)?,
            extra: fields.rest(),
        })
    }

    /// The value that masters of today send.
    pub fn to_value(&self) -> Value {
        self.layout().to_value()
    }

    pub(super) fn layout(&self) -> Layout<'_> {
        let addresses = self.ip_list.iter().map(|(interface, address)| {
            Part::Tuple(vec![Part::Text(interface), Part::Text(address)])
        });
        let mut known = vec![
            ("_connection_dict", Part::Dict(&self.connection_dict)),
            ("_parameter_dict", Part::Dict(&self.parameter_dict)),
            ("connection_xml", (&self.connection_xml).into()),
            ("ip_list", Part::List(addresses.collect())),
            ("slap_computer_id", (&self.computer_id).into()),
            ("slap_computer_partition_id", (&self.partition_id).into()),
            (
                "slap_software_release_url",
                (&self.software_release_url).into(),
            ),
            ("slap_software_type", (&self.software_type).into()),
        ];
        if !self.extra.contains_key(SERVER_URL) {
            known.push((SERVER_URL, Part::Text(SERVER_URL)));
        }
        let optional = [
            ("_instance_guid", &self.instance_guid),
            ("_requested_state", &self.requested_state),
        ];
        for (name, text) in optional {
            known.extend(text.as_deref().map(|text| (name, Part::Text(text))));
        }
        Layout::new(Class::SoftwareInstance, Vec::new(), &self.extra, known)
    }
}

/// An (interface, address) pair.
fn address(value: &Value) -> Result<(String, String), DocumentError> {
    match value.as_list() {
        Some([Value::String(interface), Value::String(address)]) => {
            Ok((interface.clone(), address.clone()))
        }
        _ => Err(DocumentError::Type {
            subject: Class::SoftwareInstance.name(),
            attribute: "ip_list".to_owned(),
            expected: "a list of (interface, address)",
        }),
    }
}
