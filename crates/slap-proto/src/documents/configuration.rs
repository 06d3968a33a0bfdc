//! The computer as slapformat describes it.

use super::fields::{Fields, dict};
use super::{
    Attributes, ComputerConfiguration, DocumentError, PartitionAddress, PartitionConfiguration,
};
use crate::marshal::Value;

const COMPUTER: &str = "the computer's description";
const PARTITION: &str = "a partition's description";

impl ComputerConfiguration {
    /// From a dictionary as either generation of the peer writes it.
    ///
    /// # Errors
    /// The value is no dictionary, or an attribute is missing or has the wrong type.
    pub fn from_value(value: &Value) -> Result<Self, DocumentError> {
        let mut fields = fields(value, COMPUTER)?;
        Ok(Self {
            reference: fields.required_text("reference", None)?,
            address: fields.text("address")?,
            netmask: fields.text("netmask")?,
            ipv6_interface: fields.text("ipv6_interface")?,
            software_user: fields.text("software_user")?,
            instance_root: fields.text("instance_root")?,
            software_root: fields.text("software_root")?,
            partition_list: fields.list("partition_list", PartitionConfiguration::from_value)?,
            extra: fields.rest(),
        })
    }

    /// The dictionary.
    pub fn to_value(&self) -> Value {
        let partitions = self
            .partition_list
            .iter()
            .map(PartitionConfiguration::to_value);
        let mut entries = self.extra.clone();
        entries.extend([
            ("reference".to_owned(), self.reference.as_str().into()),
            ("address".to_owned(), self.address.clone().into()),
            ("netmask".to_owned(), self.netmask.clone().into()),
            (
                "ipv6_interface".to_owned(),
                self.ipv6_interface.clone().into(),
            ),
            (
                "software_user".to_owned(),
                self.software_user.clone().into(),
            ),
            (
                "instance_root".to_owned(),
                self.instance_root.clone().into(),
            ),
            (
                "software_root".to_owned(),
                self.software_root.clone().into(),
            ),
            (
                "partition_list".to_owned(),
                Value::list(partitions.collect()),
            ),
        ]);
        dict(&entries)
    }
}

impl PartitionConfiguration {
    /// From one dictionary of `partition_list`.
    ///
    /// # Errors
    /// The value is no dictionary, or an attribute is missing or has the wrong type.
    pub fn from_value(value: &Value) -> Result<Self, DocumentError> {
        let mut fields = fields(value, PARTITION)?;
        let mut user = fields.attributes("user")?;
        let mut tap = fields.attributes("tap")?;
        let partition = Self {
            reference: fields.required_text("reference", None)?,
            path: fields.text("path")?,
            user: name(&mut user),
            tap: name(&mut tap),
            address_list: fields.list("address_list", PartitionAddress::from_value)?,
            extra: fields.rest(),
        };
        Ok(partition.with_rest("user", user).with_rest("tap", tap))
    }

    fn with_rest(mut self, attribute: &str, rest: Attributes) -> Self {
        if !rest.is_empty() {
            self.extra.insert(attribute.to_owned(), dict(&rest));
        }
        self
    }

    /// The dictionary.
    pub fn to_value(&self) -> Value {
        let addresses = self.address_list.iter().map(PartitionAddress::to_value);
        let mut entries = self.extra.clone();
        entries.extend([
            ("reference".to_owned(), self.reference.as_str().into()),
            ("path".to_owned(), self.path.clone().into()),
            ("user".to_owned(), self.named("user", self.user.as_deref())),
            ("tap".to_owned(), self.named("tap", self.tap.as_deref())),
            ("address_list".to_owned(), Value::list(addresses.collect())),
        ]);
        dict(&entries)
    }

    /// The dictionary of `user` or `tap`: its name beside what else was read of it.
    fn named(&self, attribute: &str, name: Option<&str>) -> Value {
        let mut known = self
            .extra
            .get(attribute)
            .and_then(Value::as_dict)
            .cloned()
            .unwrap_or_default();
        known.insert("name", Value::from(name));
        Value::Dict(known.into())
    }
}

impl PartitionAddress {
    fn from_value(value: &Value) -> Result<Self, DocumentError> {
        let mut fields = fields(value, "an address of a partition")?;
        Ok(Self {
            addr: fields.required_text("addr", None)?,
            netmask: fields.text("netmask")?,
        })
    }

    fn to_value(&self) -> Value {
        Value::dict([
            ("addr", self.addr.as_str().into()),
            ("netmask", self.netmask.clone().into()),
        ])
    }
}

fn fields(value: &Value, subject: &'static str) -> Result<Fields, DocumentError> {
    let dict = value
        .as_dict()
        .ok_or(DocumentError::Kind { expected: subject })?;
    Ok(Fields::of_dict(subject, dict))
}

fn name(attributes: &mut Attributes) -> Option<String> {
    attributes
        .remove("name")
        .filter(|name| !name.is_none())
        .map(|name| name.to_text())
}
