//! What methods answer.

use serde::Serialize;
use slap_proto::documents::{Attributes, InstanceState, SoftwareInstance};
use slap_proto::marshal::Value;

use crate::MasterError;
use crate::master::request::DEFAULT_TYPE;
use crate::master::{report, slave, view};
use crate::naming::{Found, Names, Shared};
use crate::storage::{PartitionRow, Records, ReportKind};

/// It is done.
#[derive(Debug, Serialize)]
pub(super) struct Done {
    r#type: &'static str,
    title: String,
}

impl Done {
    pub(super) fn new(title: impl Into<String>) -> Self {
        Self {
            r#type: "success",
            title: title.into(),
        }
    }
}

/// A certificate and its key; empty, as this master needs none.
#[derive(Debug, Default, Serialize)]
pub(super) struct KeyPair {
    key: String,
    certificate: String,
}

/// Everything that was found.
#[derive(Debug, Serialize)]
pub(super) struct Listing<T> {
    pub(super) result_list: Vec<T>,
}

/// An instance with all that is known of it.
#[derive(Debug, Serialize)]
pub(super) struct Instance {
    title: String,
    instance_guid: String,
    software_release_uri: String,
    software_type: String,
    state: String,
    connection_parameters: Attributes,
    parameters: Attributes,
    shared: bool,
    root_instance_title: String,
    ip_list: Vec<(String, String)>,
    full_ip_list: [(); 0],
    sla_parameters: Attributes,
    computer_guid: String,
    compute_partition_id: String,
    /// Seconds since 1970.
    processing_timestamp: i64,
    access_status_message: String,
}

impl Instance {
    /// From what a request is answered by.
    pub(super) fn new(names: &Names, document: SoftwareInstance, parameters: Attributes) -> Self {
        let timestamp = document.parameter_dict.get("timestamp").map(Value::to_text);
        // Other masters tell fractions of seconds.
        let seconds = timestamp.as_deref().and_then(|text| text.split('.').next());
        let seconds = seconds.and_then(|text| text.parse().ok());
        Self {
            title: names.title.clone(),
            instance_guid: names.to_string(),
            software_release_uri: document.software_release_url.unwrap_or_default(),
            software_type: document
                .software_type
                .unwrap_or_else(|| DEFAULT_TYPE.to_owned()),
            state: document.requested_state.unwrap_or_default(),
            connection_parameters: document.connection_dict,
            parameters,
            shared: names.shared,
            root_instance_title: names.root_title().to_owned(),
            ip_list: document.ip_list,
            full_ip_list: [],
            sla_parameters: Attributes::new(),
            computer_guid: document.computer_id.unwrap_or_default(),
            compute_partition_id: document.partition_id.unwrap_or_default(),
            processing_timestamp: seconds.unwrap_or(0),
            access_status_message: String::new(),
        }
    }

    /// Adds what the node reported last of the partition.
    pub(super) fn with_report(mut self, records: &dyn Records) -> Result<Self, MasterError> {
        let (computer, partition) = (&self.computer_guid, &self.compute_partition_id);
        let reported = records.report(ReportKind::Instance, computer, partition)?;
        self.access_status_message = reported.as_ref().map(report::news).unwrap_or_default();
        Ok(self)
    }

    pub(super) fn of_found(records: &dyn Records, found: &Found) -> Result<Self, MasterError> {
        match found {
            Found::Instance(row) => Self::of_partition(records, row),
            Found::Shared(shared) => Self::of_shared(records, shared),
        }
    }

    pub(super) fn of_partition(
        records: &dyn Records,
        row: &PartitionRow,
    ) -> Result<Self, MasterError> {
        let xml = row.xml.as_deref();
        let document = view::instance(records, row, xml, row.connection_xml.as_deref())?;
        let names = Names::of_partition(row);
        Self::new(&names, document, view::parameters(xml)).with_report(records)
    }

    fn of_shared(records: &dyn Records, shared: &Shared) -> Result<Self, MasterError> {
        let connection = shared.slave.connection_xml.as_deref();
        let mut document = view::instance(records, &shared.host, None, connection)?;
        document.software_type = Some(slave::software_type(&shared.entry));
        document.requested_state = Some(InstanceState::Started.as_str().to_owned());
        let parameters = slave::parameters(&shared.entry);
        Ok(Self::new(&shared.names, document, parameters))
    }
}
